(function () {
  const { to } = document.currentScript.dataset;
  if (!to || !location.hash || document.getElementById(location.hash.slice(1))) return;
  try {
    sessionStorage.setItem("crmgate-fragment", JSON.stringify([to, location.hash]));
  } catch {}
})();

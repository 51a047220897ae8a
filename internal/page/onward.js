(function () {
  const { to, keep } = document.currentScript.dataset;
  const name = "crmgate-fragment";
  let fragment = "";
  try {
    if (keep) {
      if (location.hash) sessionStorage.setItem(name, JSON.stringify([keep, location.hash]));
      else sessionStorage.removeItem(name);
    } else {
      const kept = JSON.parse(sessionStorage.getItem(name));
      sessionStorage.removeItem(name);
      if (kept && kept[0] === to) fragment = kept[1];
    }
  } catch {}
  location.replace(to + fragment);
})();

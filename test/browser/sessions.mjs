// Sign-in with several tabs, the pages of sessions (one's own, and all of them for an administrator) and the sign-out, in a
// real browser. Arguments: a site that takes passkeys alone and enrols everybody, a folder for screenshots, a language. Who is
// called boss… administrates.
import { launch, need, see, report } from './people.mjs';

const [site, out, locale] = process.argv.slice(2);
const browser = await launch();
const problems = [];
const lang = locale.slice(0, 2);

const words = {
  'de-DE': { key: 'Passkey einrichten', prove: 'Mit Passkey bestätigen', all: 'Alle Sitzungen', end: 'Sitzung beenden', others: 'Alle anderen beenden', out: 'Abmelden', gone: 'Abgemeldet', back: 'Wieder anmelden', none: 'Diese Seite ist für die Administration' },
  'en-GB': { key: 'Set up a passkey', prove: 'Confirm with a passkey', all: 'All sessions', end: 'End session', others: 'End all others', out: 'Sign out', gone: 'Signed out', back: 'Sign in again', none: 'This page is for administrators' },
}[locale];

const authenticator = {
  options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
};

async function person(who, viewport = { width: 1000, height: 900 }) {
  const context = await browser.newContext({ locale, viewport });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  page.on('console', (m) => { if (m.type() === 'error' && !/status of 40[13]/.test(m.text())) problems.push(`${m.text()} ${m.location().url}`); });
  page.on('pageerror', (e) => problems.push(e.message));
  const cdp = await context.newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  await cdp.send('WebAuthn.addVirtualAuthenticator', authenticator);
  await page.goto(`${site}/static/app.css`);
  await page.fill('input[name=who]', who);
  await page.click('button');
  await page.click(`button:has-text("${words.key}")`);
  await page.waitForURL('**/static/app.css');
  return page;
}

// inTabs opens two pages in tabs before anybody is signed in, and signs in here and there. Each tab has to arrive where it
// wanted to go, with what stands behind # in its address. Authenticators belong to tabs, so the passkey is copied.
async function inTabs(who) {
  const context = await browser.newContext({ locale });
  const tabs = [];
  for (const path of ['/static/app.css?tab=1#view/1', '/static/app.css?tab=2#model=contact&id=2']) {
    const page = await context.newPage();
    page.setDefaultTimeout(60_000);
    const cdp = await context.newCDPSession(page);
    await cdp.send('WebAuthn.enable');
    const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', authenticator);
    await page.goto(site + path);
    await page.fill('input[name=who]', who);
    need(!page.url().includes('view/1') && !page.url().includes('model='), 'the provider doesn\'t see what stands behind #');
    tabs.push({ page, cdp, authenticatorId, path });
  }
  const [first, second] = tabs;
  await first.page.bringToFront(); // who isn't looked at is given no passkey
  await first.page.click('button');
  await first.page.click(`button:has-text("${words.key}")`);
  await first.page.waitForURL(site + first.path);
  const { credentials } = await first.cdp.send('WebAuthn.getCredentials', { authenticatorId: first.authenticatorId });
  await second.cdp.send('WebAuthn.addCredential', { authenticatorId: second.authenticatorId, credential: credentials[0] });
  await second.page.bringToFront();
  await second.page.click('button');
  await second.page.click(`button:has-text("${words.prove}")`);
  await second.page.waitForURL(site + second.path);
  for (const { page, path } of tabs) need(page.url() === site + path, `a tab arrives at ${path}`);
  await first.page.reload();
  need((await first.page.content()).includes('the CRM'), 'the first tab goes on after the second has signed in');
  await context.close();
}

const shot = (page, name) => page.screenshot({ path: `${out}/${name}-${lang}.png`, fullPage: true });
const row = (page, name) => page.locator('li', { hasText: name });

try {
  await inTabs(`tabs${lang}`);
  const vera = await person(`vera${lang}`, { width: 420, height: 800 });
  const boss = await person(`boss${lang}`);

  await vera.goto(`${site}/.crmgate/sessions`);
  need(await vera.locator(`a:has-text("${words.all}")`).count() === 0, 'an employee is led to their own sessions alone');
  need(await vera.locator(`button:has-text("${words.end}")`).count() === 0, 'one\'s own session is signed out, not ended');
  await shot(vera, 'sessions');
  await vera.goto(`${site}/.crmgate/sessions/all`);
  need((await vera.content()).includes(words.none), 'an employee is refused the sessions of all');
  await shot(vera, 'no-administrator');

  await boss.goto(`${site}/.crmgate/sessions`);
  await boss.click(`a:has-text("${words.all}")`);
  await see(row(boss, `Vera${lang}`), 1, 'an administrator sees the employee');
  await see(row(boss, `Boss${lang}`), 1, 'an administrator sees themselves');
  await shot(boss, 'all-sessions');
  await boss.setViewportSize({ width: 380, height: 800 });
  await shot(boss, 'all-sessions-narrow');
  need(await boss.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'the page fits a telephone');
  const again = boss.waitForEvent('load');
  await row(boss, `Vera${lang}`).locator(`button:has-text("${words.end}")`).press('Enter');
  await again;
  await see(row(boss, `Vera${lang}`), 0, 'a session that was ended is off the list');
  await vera.goto(`${site}/static/app.css`);
  await see(vera.locator('input[name=who]'), 1, 'whose session was ended is led to the provider');

  await boss.goto(`${site}/.crmgate/`);
  await shot(boss, 'home');
  await boss.click(`button:has-text("${words.out}")`);
  await boss.waitForSelector(`h1:has-text("${words.gone}")`);
  await shot(boss, 'signed-out');
  await see(boss.locator(`a:has-text("${words.back}")`), 1, 'a way back is offered, and not taken by itself');
  need(problems.length === 0, `the console stays empty ${problems.join('; ')}`);
} catch (e) {
  await report(browser, e);
} finally {
  await browser.close();
}

// The pages of sessions in a real browser: one's own, all of them for an administrator, and the sign-out. Arguments: a site
// that takes passkeys alone and enrols everybody, a folder for screenshots, a language. Who is called boss… administrates.
import { chromium } from 'playwright-core';

const [site, out, locale] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'],
});
const problems = [];
const lang = locale.slice(0, 2);

const words = {
  'de-DE': { key: 'Passkey einrichten', all: 'Alle Sitzungen', end: 'Sitzung beenden', others: 'Alle anderen beenden', out: 'Abmelden', gone: 'Abgemeldet', back: 'Wieder anmelden', none: 'Diese Seite ist für die Administration' },
  'en-GB': { key: 'Set up a passkey', all: 'All sessions', end: 'End session', others: 'End all others', out: 'Sign out', gone: 'Signed out', back: 'Sign in again', none: 'This page is for administrators' },
}[locale];

function need(ok, what) {
  if (!ok) throw new Error(what);
  console.log(`ok   ${what}`);
}

async function person(who, viewport = { width: 1000, height: 900 }) {
  const context = await browser.newContext({ locale, viewport });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on('console', (m) => { if (m.type() === 'error' && !/status of 40[13]/.test(m.text())) problems.push(`${m.text()} ${m.location().url}`); });
  page.on('pageerror', (e) => problems.push(e.message));
  const cdp = await context.newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
  await page.goto(`${site}/static/app.css`);
  await page.fill('input[name=who]', who);
  await page.click('button');
  await page.click(`button:has-text("${words.key}")`);
  await page.waitForURL('**/static/app.css');
  return page;
}

const shot = (page, name) => page.screenshot({ path: `${out}/${name}-${lang}.png`, fullPage: true });
const row = (page, name) => page.locator('li', { hasText: name });

try {
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
  need(await row(boss, `Vera${lang}`).count() === 1 && await row(boss, `Boss${lang}`).count() === 1, 'an administrator sees both');
  await shot(boss, 'all-sessions');
  await boss.setViewportSize({ width: 380, height: 800 });
  await shot(boss, 'all-sessions-narrow');
  need(await boss.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'the page fits a telephone');
  await row(boss, `Vera${lang}`).locator(`button:has-text("${words.end}")`).press('Enter');
  await boss.waitForURL('**/sessions/all');
  need(await row(boss, `Vera${lang}`).count() === 0, 'a session that was ended is off the list');
  await vera.goto(`${site}/static/app.css`);
  need(await vera.locator('input[name=who]').count() === 1, 'whose session was ended is led to the provider');

  await boss.goto(`${site}/.crmgate/`);
  await shot(boss, 'home');
  await boss.click(`button:has-text("${words.out}")`);
  await boss.waitForSelector(`h1:has-text("${words.gone}")`);
  await shot(boss, 'signed-out');
  need(await boss.locator(`a:has-text("${words.back}")`).count() === 1, 'a way back is offered, and not taken by itself');
  need(problems.length === 0, `the console stays empty ${problems.join('; ')}`);
} catch (e) {
  console.log(`FAIL ${e.message}`);
  for (const context of browser.contexts()) for (const page of context.pages()) console.log(page.url(), (await page.content()).replace(/<style>[^]*?<\/style>/, '').slice(0, 1500));
  process.exitCode = 1;
} finally {
  await browser.close();
}

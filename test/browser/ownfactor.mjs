// Signs in through the gateway's own second factor in a real browser: an authenticator app, and passkeys of Chromium's virtual
// authenticator. Arguments: the site where everybody may enrol, the site that takes passkeys alone, a folder for screenshots, a language.
import { createHmac } from 'node:crypto';
import { launch, need, see, report } from './people.mjs';

const [open, strict, out, locale] = process.argv.slice(2);
const browser = await launch();
const problems = [];

const words = {
  'de-DE': { key: 'Passkey einrichten', app: 'App einrichten', prove: 'Mit Passkey bestätigen', on: 'Notiert, weiter', confirm: 'Bestätigen' },
  'en-GB': { key: 'Set up a passkey', app: 'Set up the app', prove: 'Confirm with a passkey', on: 'Written down, continue', confirm: 'Confirm' },
}[locale];

function code(secret, at = Date.now()) {
  const bits = [...secret.replace(/\s/g, '')].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(at / 30000)));
  const mac = createHmac('sha1', key).update(step).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1e6).padStart(6, '0');
}

async function person(viewport = { width: 1000, height: 1100 }) {
  const context = await browser.newContext({ locale, viewport });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  page.on('console', (m) => { if (m.type() === 'error' && !/status of 403/.test(m.text())) problems.push(`${m.text()} ${m.location().url}`); });
  page.on('pageerror', (e) => problems.push(e.message));
  const cdp = await context.newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  return { context, page, cdp };
}

const authenticator = (verified) => ({
  options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: verified, automaticPresenceSimulation: true },
});

async function signIn(page, site, who) {
  await page.goto(`${site}/static/app.css`);
  await page.fill('input[name=who]', who);
  await page.click('button');
}

const shot = (page, name) => page.screenshot({ path: `${out}/${name}-${locale.slice(0, 2)}.png`, fullPage: true });
const inside = async (page) => (await page.content()).includes('the CRM');

try {
  // An app: the enrolment, the codes, the sign-in after it.
  const app = await person();
  await signIn(app.page, open, `app${locale.slice(0, 2)}`);
  await shot(app.page, 'enrol');
  const secret = await app.page.textContent('code.secret');
  await see(app.page.locator('svg.qr path'), 2, 'a QR code is drawn');
  await app.page.fill('input[name=code]', code(secret, Date.now() - 30_000));
  await app.page.click(`button:has-text("${words.app}")`);
  await see(app.page.locator('ol.codes li'), 10, 'ten recovery codes are shown');
  await shot(app.page, 'codes');
  await app.page.click(`a:has-text("${words.on}")`);
  await app.page.waitForURL('**/static/app.css');
  need(await inside(app.page), 'the app lets them in after the enrolment');
  await app.context.clearCookies();
  await signIn(app.page, open, `app${locale.slice(0, 2)}`);
  await shot(app.page, 'code');
  await app.page.fill('input[name=code]', '000000');
  await app.page.click(`button:has-text("${words.confirm}")`);
  await see(app.page.locator('.wrong'), 1, 'a wrong code is said to be wrong');
  await shot(app.page, 'wrong');
  await app.page.fill('input[name=code]', code(secret));
  await app.page.press('input[name=code]', 'Enter');
  await app.page.waitForURL('**/static/app.css');
  need(await inside(app.page), 'a code lets them in');
  await app.page.goto(`${open}/.crmgate/factor`);
  await shot(app.page, 'manage');

  // A passkey, where passkeys alone are taken.
  const key = await person({ width: 420, height: 800 });
  const { authenticatorId } = await key.cdp.send('WebAuthn.addVirtualAuthenticator', authenticator(true));
  await signIn(key.page, strict, `key${locale.slice(0, 2)}`);
  await shot(key.page, 'passkey-new');
  await key.page.fill('input[name=name]', 'Notebook');
  await key.page.click(`button:has-text("${words.key}")`);
  await key.page.waitForURL('**/static/app.css');
  need(await inside(key.page), 'a passkey lets them in after the enrolment');
  const { credentials } = await key.cdp.send('WebAuthn.getCredentials', { authenticatorId });
  need(credentials.length === 1 && credentials[0].rpId === 'localhost', 'the passkey is the site\'s');
  await key.context.clearCookies();
  await signIn(key.page, strict, `key${locale.slice(0, 2)}`);
  await shot(key.page, 'passkey');
  await key.cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
  await key.page.click(`button:has-text("${words.prove}")`);
  await key.page.locator('.failed:visible').waitFor();
  need(true, 'without verification of the person the passkey proves nothing');
  await shot(key.page, 'passkey-failed');
  await key.cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true });
  await key.page.click(`button:has-text("${words.prove}")`);
  await key.page.waitForURL('**/static/app.css');
  need(await inside(key.page), 'the passkey lets them in');
  await key.page.goto(`${strict}/.crmgate/factor`);
  await shot(key.page, 'passkey-manage');

  // Another browser without the passkey stays outside.
  const thief = await person();
  await thief.cdp.send('WebAuthn.addVirtualAuthenticator', authenticator(true));
  await signIn(thief.page, strict, `key${locale.slice(0, 2)}`);
  await thief.page.click(`button:has-text("${words.prove}")`);
  await thief.page.locator('.failed:visible').waitFor();
  await thief.page.goto(`${strict}/static/app.css`);
  need(!(await inside(thief.page)), 'who has the password alone stays outside');
  need(problems.length === 0, `the console stays empty ${problems.join('; ')}`);
} catch (e) {
  await report(browser, e);
} finally {
  await browser.close();
}

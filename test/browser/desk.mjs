// The auditors' desk in a real browser. Arguments: a site whose desk takes dora in, and whose consent is paula's; a folder for
// screenshots. Everything is done twice, in German and in English; each page is looked at by axe in light and dark, on a
// desktop and a telephone. No page may run a script: axe is put in from outside.
import { chromium } from 'playwright-core';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [site, out] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'],
});
const patience = 60_000;
const problems = [];

function need(ok, what) {
  if (!ok) throw new Error(what);
  console.log(`ok   ${what}`);
}

// person signs in at the demo's provider, which shows the code of the second factor.
async function person(login, locale) {
  const context = await browser.newContext({ locale, viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(patience);
  page.on('console', (m) => { if (m.type() === 'error' && !/status of 40[03]/.test(m.text())) problems.push(`${m.text()} ${m.location().url}`); });
  await page.goto(`${site}/.crmgate/`);
  await page.fill('input[name=login]', login);
  await page.fill('input[name=password]', `${login}-demo`);
  await page.click('button[type=submit]');
  const code = await page.locator('code, .code, output').first().textContent();
  await page.fill('input[name=code]', code.replace(/\s/g, ''));
  await page.click('button[type=submit]');
  await page.waitForURL('**/.crmgate/');
  return page;
}

const lang = (locale) => locale.slice(0, 2);

// look has axe look at the page in both schemes and widths, and takes pictures.
async function look(page, name, locale) {
  for (const scheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: scheme });
    for (const [width, device] of [[1280, 'desktop'], [380, 'phone']]) {
      await page.setViewportSize({ width, height: 900 });
      await page.screenshot({ path: `${out}/${name}-${lang(locale)}-${scheme}-${device}.png`, fullPage: true });
      need(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} fits a ${device} (${scheme}, ${lang(locale)})`);
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
      const said = violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target} ${n.any.map((a) => a.message)}`).join(' | ')}`);
      need(said.length === 0, `${name} has no fault for axe (${scheme}, ${device}, ${lang(locale)}) ${said.join('\n')}`);
    }
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 1280, height: 900 });
}

const words = {
  de: { search: 'Suchen', record: 'Verlauf zeigen', ask: 'Zustimmung erbitten', yes: 'Zustimmen', open: 'offen bis', verify: 'Jetzt prüfen', whole: 'Das Protokoll ist, was geschrieben wurde.', name: 'Namen zeigen', none: 'Diese Seite ist für Menschen', denied: 'Nicht zugelassen' },
  en: { search: 'Search', record: 'Show history', ask: 'Ask for consent', yes: 'Consent', open: 'open until', verify: 'Verify now', whole: 'The log is what was written.', name: 'Show the name', none: 'This page is for those who audit', denied: 'Not allowed' },
};

async function all(locale) {
  const w = words[lang(locale)];
  const desk = `${site}/.crmgate/desk`;
  const dora = await person('dora', locale);
  const paula = await person('paula', locale);

  await dora.goto(desk);
  await dora.waitForSelector('.rows li');
  need(await dora.locator('html').getAttribute('lang') === lang(locale), `the page is in ${lang(locale)}`);
  need(await dora.locator('script').count() === 0, 'no page needs a script');
  await look(dora, 'search', locale);
  // By keyboard alone: the first stop skips to the content, and a search is sent by Enter.
  await dora.goto(desk);
  await dora.keyboard.press('Tab');
  need(await dora.evaluate(() => document.activeElement.className) === 'skip', 'the first stop skips to the content');
  await dora.keyboard.press('Enter');
  await dora.keyboard.press('Tab');
  need(await dora.evaluate(() => document.activeElement.id) === 'record', 'the next stop is the first field');
  await dora.keyboard.type('contact/1003');
  await dora.keyboard.press('Enter');
  await dora.waitForURL('**record=contact%2F1003**');
  await dora.waitForSelector('.rows li');
  await dora.selectOption('#decision', 'refused');
  await dora.fill('#record', '');
  await dora.click(`form.filter button:has-text("${w.search}")`);
  await dora.waitForSelector('.rows li.refused');
  need(await dora.locator('.rows li:not(.refused)').count() === 0, 'a search for refusals shows refusals');
  await look(dora, 'refused', locale);

  await dora.goto(`${desk}/record`);
  await dora.fill('#record', 'contact/1003');
  await dora.click(`button:has-text("${w.record}")`);
  await dora.waitForSelector('#sum');
  await look(dora, 'record', locale);
  const who = await dora.locator('.rows .fine a code').first().textContent();

  await dora.locator('.rows .fine a', { hasText: /Entry|Eintrag/ }).first().click();
  await dora.waitForSelector('pre');
  await look(dora, 'entry', locale);

  if (lang(locale) === 'de') { // by the second round it is open already
    await dora.goto(`${desk}/employee?employee=${who}`);
    await dora.waitForURL('**/employees?employee=**');
  }
  await dora.goto(`${desk}/employees?employee=${who}`);
  await dora.selectOption('#purpose', 'check');
  await dora.fill('#note', `file 7/${lang(locale)}`);
  await dora.click(`button:has-text("${w.ask}")`);
  await dora.waitForSelector('.badge.wait');
  await look(dora, 'asked', locale);
  await paula.goto(`${desk}/employees`);
  await paula.waitForSelector('.card');
  await look(paula, 'decide', locale);
  await paula.locator('.card', { hasText: `file 7/${lang(locale)}` }).locator(`button:has-text("${w.yes}")`).press('Enter');
  await paula.waitForSelector('.none');
  await dora.goto(`${desk}/employees`);
  await dora.waitForSelector(`.badge.ok:has-text("${w.open}")`);
  await dora.locator('.asks a').first().click();
  await dora.waitForSelector('.rows li');
  await look(dora, 'employee', locale);
  await dora.click(`button:has-text("${w.name}")`);
  await dora.waitForSelector('.card');
  await look(dora, 'name', locale);

  await dora.goto(`${desk}/volume`);
  await dora.waitForSelector('svg.chart'); // the page loads itself anew until it is there
  need(await dora.locator('.chart .mark').count() > 0, 'unusual days are marked');
  await dora.locator('summary').press('Enter');
  await look(dora, 'volume', locale);
  await dora.goto(`${desk}/log`);
  await dora.click(`button:has-text("${w.verify}")`);
  await dora.waitForSelector(`.verdict.ok:has-text("${w.whole}")`);
  await look(dora, 'log', locale);
  const [file] = await Promise.all([dora.waitForEvent('download'), dora.locator('#export ~ form button').click()]);
  need(file.suggestedFilename().endsWith('.zip'), 'the log can be taken along');
  await file.path();
  await dora.goto(`${site}/.crmgate/mine`);
  await dora.waitForSelector('.rows li');
  await look(dora, 'mine', locale);
  await dora.emulateMedia({ media: 'print' });
  await dora.screenshot({ path: `${out}/print-${lang(locale)}.png`, fullPage: true });
  await dora.emulateMedia({ media: 'screen' });

  await paula.goto(desk);
  need((await paula.content()).includes(w.none), 'who has no role is refused');
  await look(paula, 'no-auditor', locale);
  await dora.context().close();
  await paula.context().close();
}

try {
  for (const locale of ['de-DE', 'en-GB']) await all(locale);
  need(problems.length === 0, `the console stays empty ${problems.join('; ')}`);
} catch (e) {
  console.log(`FAIL ${e.stack}`);
  for (const context of browser.contexts()) for (const page of context.pages()) console.log(page.url(), (await page.content()).replace(/<style>[^]*?<\/style>/, '').slice(0, 2500));
  process.exitCode = 1;
} finally {
  await browser.close();
}

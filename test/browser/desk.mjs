// The auditors' desk in a real browser. Arguments: a site whose desk takes dora in, and whose consent is paula's; a folder for
// screenshots. Everything is done twice, in German and in English; each page is looked at by axe in light and dark, on a
// desktop and a telephone. No page may run a script: axe is put in from outside.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { launch, need } from './people.mjs';
import { rules, rulesWithoutScripts } from './rules.mjs';

const [site, out] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const browser = await launch();
const patience = 60_000;
const problems = [];

// person signs in at the demo's provider, which shows the code of the second factor.
async function person(login) {
  const context = await browser.newContext({ locale: 'de-DE', viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  page.setDefaultTimeout(patience);
  page.on('console', (m) => { if (m.type() === 'error' && !/status of (40[03]|422)/.test(m.text())) problems.push(`${m.text()} ${m.location().url}`); });
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

const seen = [];

// look has axe look at the page in light on a desktop and in dark on a telephone; in German now, in English at the end. With
// SCREENSHOTS set it takes pictures of all four.
async function look(page, name, lang = 'de') {
  await page.waitForLoadState('load');
  if (lang === 'de') seen.push({ page, name, url: page.url() });
  await judge(page, name, lang);
}

async function judge(page, name, lang) {
  await page.waitForLoadState('load');
  for (const [scheme, width, device] of [['light', 1280, 'desktop'], ['dark', 380, 'phone'], ['dark', 1280, 'desktop'], ['light', 380, 'phone']]) {
    const judged = (scheme === 'light') === (device === 'desktop');
    if (!judged && !process.env.SCREENSHOTS) continue;
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: 900 });
    if (process.env.SCREENSHOTS) await page.screenshot({ path: `${out}/${name}-${lang}-${scheme}-${device}.png`, fullPage: true });
    if (!judged) continue;
    need(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} fits a ${device} (${lang})`);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
    const said = violations.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target} ${n.any.map((a) => a.message)}`).join(' | ')}`);
    need(said.length === 0, `${name} has no fault for axe (${scheme}, ${device}, ${lang}) ${said.join('\n')}`);
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize({ width: 1280, height: 900 });
}

async function german(dora, paula, desk) {
  await dora.goto(desk);
  await dora.waitForSelector('.rows li');
  need(await dora.locator('html').getAttribute('lang') === 'de', 'the page is in German');
  need(await dora.locator('script').count() === 0, 'no page needs a script');
  await look(dora, 'search');
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
  await dora.click('form.filter button:has-text("Suchen")');
  await dora.waitForSelector('.rows li.refused');
  need(await dora.locator('.rows li:not(.refused)').count() === 0, 'a search for refusals shows refusals');
  await look(dora, 'refused');

  await dora.goto(`${desk}/record`);
  await dora.fill('#record', 'contact/1003');
  await dora.click('button:has-text("Verlauf zeigen")');
  await dora.waitForSelector('#sum');
  await look(dora, 'record');
  const who = await dora.locator('.rows .fine a code').first().textContent();
  await dora.locator('.rows .fine a', { hasText: 'Eintrag' }).first().click();
  await dora.waitForSelector('pre');
  await look(dora, 'entry');

  await dora.goto(`${desk}/employee?employee=${who}`);
  await dora.waitForURL('**/employees?employee=**');
  await dora.selectOption('#purpose', 'check');
  await dora.fill('#note', 'Betriebsvereinbarung 7/2026');
  await dora.click('button:has-text("Zustimmung erbitten")');
  await dora.waitForSelector('.badge.wait');
  await paula.goto(`${desk}/employees`);
  await paula.waitForSelector('.card');
  await look(paula, 'decide');
  await paula.locator('.card button:has-text("Zustimmen")').press('Enter');
  await paula.waitForSelector('.none');
  await dora.goto(`${desk}/employees`);
  await dora.waitForSelector('.badge.ok:has-text("offen bis")');
  await look(dora, 'people');
  await dora.locator('.asks a').first().click();
  await dora.waitForSelector('.rows li');
  await look(dora, 'employee');
  await dora.click('button:has-text("Namen zeigen")');
  await dora.waitForSelector('.card:has-text("Keine Anmeldung")');

  await dora.goto(`${desk}/volume`);
  await dora.waitForSelector('.chart .mark', { state: 'attached' }); // the page loads itself anew until it is there
  await dora.locator('summary').press('Enter');
  await look(dora, 'volume');
  await dora.goto(`${desk}/log`);
  await dora.click('button:has-text("Jetzt prüfen")');
  await dora.waitForSelector('.verdict.ok:has-text("Das Protokoll ist, was geschrieben wurde.")');
  await look(dora, 'log');
  const [file] = await Promise.all([dora.waitForEvent('download'), dora.locator('button:has-text("ZIP")').click()]);
  need(file.suggestedFilename().endsWith('.zip') && (await file.failure()) === null, 'the log can be taken along');
  await dora.goto(`${site}/.crmgate/mine`);
  await dora.waitForSelector('.rows li');
  await look(dora, 'mine');
  if (process.env.SCREENSHOTS) {
    await dora.emulateMedia({ media: 'print' });
    await dora.screenshot({ path: `${out}/print.png`, fullPage: true });
    await dora.emulateMedia({ media: 'screen' });
  }
  await paula.goto(desk);
  need((await paula.content()).includes('Diese Seite ist für Menschen'), 'who has no role is refused');
  return who;
}

// reports has each report made, as a page and for print. Who is the account whose accesses are open to dora.
async function reports(page, who, lang) {
  const day = new Date(Date.now() - 30 * 864e5).toISOString().slice(0, 10);
  const forms = {
    access: { record: 'contact/1003\ncontact/1004', note: 'Az. 12/26' },
    breach: { employee: who, since: `${day}T00:00`, known: new Date(Date.now() - 26 * 36e5).toISOString().slice(0, 16), note: 'Vorfall 3' },
    overdue: { since: `${day}T00:00`, known: new Date(Date.now() - 200 * 36e5).toISOString().slice(0, 16), note: 'Vorfall 4' },
  };
  for (const [name, fields] of Object.entries(forms)) {
    for (const as of ['page', 'print']) {
      await page.goto(`${site}/.crmgate/desk/reports`);
      await page.waitForSelector('#r30');
      if (name === 'access' && as === 'page') await judge(page, 'reports', lang);
      const form = page.locator(`form[action$="/report/${name === 'access' ? 'access' : 'breach'}"]`);
      for (const [field, value] of Object.entries(fields)) await form.locator(`[name=${field}]`).fill(value);
      await form.locator(`button[value=${as}]`).click();
      await page.waitForSelector(name === 'access' ? '#rows' : '#clock');
      need(await page.locator('html').getAttribute('lang') === lang, `the report on ${name} is in ${lang}`);
      need((await page.locator('nav').count() === 0) === (as === 'print'), `${name} for print has no navigation`);
      need((await page.locator('.verdict.no').count() === 1) === (name === 'overdue'), `${name} says what is left of the time`);
      need((await page.locator('main').textContent()).includes(who) === (name === 'breach'), `${name} names an account only where it is of one`);
      await judge(page, `report-${name}-${as}`, lang);
      if (as === 'print' && process.env.SCREENSHOTS) await page.pdf({ path: `${out}/report-${name}-${lang}.pdf`, format: 'A4' });
    }
  }
  const again = page.locator('main');
  await page.goto(`${site}/.crmgate/desk/report/register`);
  await page.waitForSelector('#versions');
  need((await again.textContent()).includes('master_data'), 'the register names the roles');
  await judge(page, 'report-register', lang);
  const [file] = await Promise.all([page.waitForEvent('download'), page.locator('button[value=json]').click()]);
  need(file.suggestedFilename().endsWith('.json') && (await file.failure()) === null, 'the register can be taken along as JSON');
  await page.goto(`${site}/.crmgate/desk/report/register?as=print`);
  await page.waitForSelector('#versions');
  await judge(page, 'report-register-print', lang);
}

// english visits what was seen in German, with the same sessions.
async function english() {
  const own = new Map();
  for (const { page, name, url } of [...seen]) {
    if (!own.has(page)) {
      const context = await browser.newContext({ locale: 'en-GB', storageState: await page.context().storageState() });
      own.set(page, await context.newPage());
      own.get(page).setDefaultTimeout(patience);
    }
    const there = own.get(page);
    await there.goto(url);
    await there.waitForSelector(name === 'volume' ? '.chart .mark' : 'main h1', { state: 'attached' });
    await there.waitForLoadState('load');
    need(await there.locator('html').getAttribute('lang') === 'en', `${name} is in English`);
    await look(there, name, 'en');
  }
  return own;
}

try {
  const dora = await person('dora');
  const paula = await person('paula');
  const who = await german(dora, paula, `${site}/.crmgate/desk`);
  await reports(dora, who, 'de');
  const vera = await person('vera');
  await rules(vera, site, judge);
  await rulesWithoutScripts(browser, await person('sven'), site);
  await dora.goto(`${site}/.crmgate/desk/rules`);
  await dora.waitForSelector('.left');
  await look(dora, 'desk-rules');
  await dora.click('button:has-text("Namen zeigen")');
  await dora.waitForSelector('table.data');
  if (process.env.SCREENSHOTS) await judge(dora, 'desk-rules-names', 'de');
  const own = await english();
  await reports(own.get(dora), who, 'en');
  need(problems.length === 0, `the console stays empty ${problems.join('; ')}`);
} catch (e) {
  console.log(`FAIL ${e.stack}`);
  for (const context of browser.contexts()) for (const page of context.pages()) console.log(page.url(), (await page.content()).replace(/<style>[^]*?<\/style>/, '').slice(0, 2500));
  process.exitCode = 1;
} finally {
  await browser.close();
}

// The company's rules before the CRM, in a real browser: by keyboard, without scripts, seen by axe, and with what stands behind # kept.
import { readFileSync } from 'node:fs';
import { need } from './people.mjs';

// rightOnes are the right answers of the shipped quiz, by language.
function rightOnes() {
  const found = { de: new Set(), en: new Set() };
  let last = {};
  for (const line of readFileSync(new URL('../../internal/rules/builtin/quiz.yaml', import.meta.url), 'utf8').split('\n')) {
    const text = line.match(/^\s+(?:- )?(de|en): (.*)$/);
    if (text) last[text[1]] = text[2].replace(/^'(.*)'$/, '$1');
    if (/right: true/.test(line)) for (const lang of ['de', 'en']) found[lang].add(last[lang]);
  }
  return found;
}

// answer fills the form in, by the keyboard alone; wrongly where the number of the question is given.
async function answer(page, lang, wrong) {
  const right = rightOnes()[lang];
  for (const set of await page.locator('fieldset').all()) {
    const number = Number(await set.locator('.number').textContent());
    for (const label of await set.locator('label').all()) {
      const is = right.has((await label.locator('span').textContent()).trim());
      if (is === (number !== wrong)) {
        await label.locator('input').press('Space');
        if (number === wrong) break;
      }
    }
  }
  await page.locator('button.main').press('Enter');
}

/** What vera sees: she comes by a deep link, answers wrongly once, and ends where she wanted to go. */
export async function rules(page, site, judge) {
  await page.goto(`${site}/contacts?q=a#part`);
  await page.waitForURL('**/.crmgate/rules?to=**');
  await page.waitForSelector('#questions');
  need(await page.locator('html').getAttribute('lang') === 'de', 'the rules are in German');
  await judge(page, 'rules', 'de');
  await page.keyboard.press('Tab');
  need(await page.evaluate(() => document.activeElement.className) === 'skip', 'the first stop leads to the questions');
  await answer(page, 'de', 4);
  await page.waitForSelector('.why-not');
  need(await page.locator('fieldset').count() === 1, 'what was wrong alone is asked again');
  await judge(page, 'rules-again', 'de');
  await page.goto(`${site}/contacts?q=a#part`);
  await page.waitForSelector('#questions');
  await page.getByRole('link', { name: 'English' }).click();
  await page.waitForSelector('html[lang=en] #questions');
  if (process.env.SCREENSHOTS) await judge(page, 'rules', 'en');
  await answer(page, 'en');
  await page.waitForURL('**/contacts?q=a#part');
  need(true, 'the way back keeps what stands behind #');
  await page.goto(`${site}/.crmgate/rules`);
  await page.waitForSelector('.known');
  need(await page.locator('form, script').count() === 0, 'whoever has acknowledged is asked nothing');
  if (process.env.SCREENSHOTS) await judge(page, 'rules-known', 'de');
  await page.getByRole('link', { name: 'Druckansicht' }).click();
  await page.waitForSelector('body.paper');
  if (process.env.SCREENSHOTS) await judge(page, 'rules-print', 'de');
}

/** The same without scripts. */
export async function rulesWithoutScripts(browser, page, site) {
  const context = await browser.newContext({ locale: 'en-GB', javaScriptEnabled: false, storageState: await page.context().storageState() });
  const plain = await context.newPage();
  await plain.goto(`${site}/contacts`);
  await plain.waitForURL('**/.crmgate/rules?to=%2Fcontacts');
  await answer(plain, 'en', 2);
  await plain.waitForSelector('.why-not');
  await answer(plain, 'en');
  await plain.waitForURL(`${site}/contacts`);
  need(true, 'the rules are acknowledged without scripts');
  await context.close();
}

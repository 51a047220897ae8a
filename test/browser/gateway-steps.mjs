// What differs from steps.mjs where a gateway masks and refuses, and what there is only with a gateway. A step that has
// the name of one in steps.mjs takes its place.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { totp } from '../provider/totp.mjs';
import * as plain from './steps.mjs';

const parties = (facts) => Object.entries(facts.parties).map(([id, fact]) => ({ id: +id, ...fact }));
const firm = (facts) => parties(facts).find((p) => p.opportunities.length && p.notes.length);
const withFile = (facts) => parties(facts).find((p) => p.attachments.length && !p.is_person);

const hidden = '••••••';
const maskedPhone = /^\+49 •+\d\d$/;

/** Waits for the client's own message box and returns its text; the box, and any further one, is closed. */
async function refusal(client, expected) {
  const box = client.page.locator('.modal.in .alert').last();
  await box.waitFor();
  const text = (await box.innerText()).trim();
  assert.match(text, expected);
  await client.idle();
  while (await client.page.locator('.modal.in .alert').count() > 0) await client.answer();
  return text;
}

/** All that a person can read on the page, fields included. */
async function readable(client) {
  return client.page.evaluate(() => [document.body.innerText,
    ...[...document.querySelectorAll('input, textarea, select')].map((field) => field.value)].join('\n'));
}

async function assertUnreadable(client, values) {
  const text = await readable(client);
  for (const value of values) assert.ok(!text.includes(value), `the page shows ${value}`);
}

const contactRows = (client) => client.one2many('Kontaktinformationen').locator('.treeview tbody > tr');

// A cell becomes a field when its row is clicked a second time.
async function editCell(client, row, title) {
  const cell = row.locator(`td[data-title^="${title}"]`);
  await cell.click();
  await client.idle();
  if (await cell.locator('input').count() === 0) {
    await cell.click();
    await client.idle();
  }
  return cell.locator('input').first();
}

async function fillCell(client, row, title, value) {
  const entry = await editCell(client, row, title);
  await entry.fill(value);
  await entry.press('Tab');
  await client.idle();
}

// In the place of plain ones

export const searchByPhone = async (client, facts) => {
  await client.open('party.party');
  assert.equal(await client.search(firm(facts).phones[0].forms[1]), 0);
  await client.closeTabs();
};

export const contactRefused = async (client, facts) => plain.contactRefused(client, facts);
contactRefused.expectDialog = /zurückgehalten/;

export const letter = async (client, facts) => {
  await client.open('party.party', firm(facts).id);
  await client.choose('print', 'Brief');
  await refusal(client, /zurückgehalten/);
  await client.closeTabs();
};

export const email = async (client, facts) => {
  await client.open('party.party', firm(facts).id);
  await client.button('email').click();
  await refusal(client, /„data“/);
  if (await client.window.count() > 0) await client.cancel();
  await client.closeTabs();
};

export const globalSearch = async (client, facts) => {
  const entry = client.page.locator('#global-search input');
  await entry.click();
  await entry.fill(firm(facts).person.split(' ').at(-1).slice(0, 6));
  await entry.press('End');
  await refusal(client, /„rec_name“/);
  await entry.fill('');
  await client.idle();
};

// Only with a gateway

/** Two tabs that ask for a sign-in at once: both get in. The session is ended again, so that signIn finds none. */
export const twoTabs = async (client) => {
  const tabs = [client.page, await client.harness.context.newPage()];
  for (const tab of tabs) {
    await tab.goto(client.base);
    await tab.locator('form[action^="/interaction/"]').waitFor();
  }
  for (const tab of tabs) {
    await signInAtProvider(tab, client);
    await tab.locator('#login').waitFor();
  }
  await endSession(client);
  await client.page.goto('about:blank');
};

export const maskedForm = async (client, facts) => {
  const party = firm(facts);
  await client.open('party.party', party.id);
  const cells = await contactRows(client).locator('td[data-title^="Wert"]').allInnerTexts();
  assert.ok(cells.filter((text) => maskedPhone.test(text.trim())).length >= party.phones.length, `values are shown as ${cells}`);
  assert.ok(cells.some((text) => text.trim().startsWith(party.emails[0].value.slice(0, 12))), `no e-mail is clear in ${cells}`);
  const secret = [...party.phones.flatMap((p) => p.forms), ...party.ibans.flatMap((n) => [n.value, n.compact]),
    ...party.identifiers.map((n) => n.code)];
  await assertUnreadable(client, secret);
  for (const page of ['Identifikatoren', 'Banking']) {
    await client.openPage(page);
    assert.ok((await readable(client)).includes(hidden), `nothing is hidden on the page ${page}`);
    await assertUnreadable(client, secret);
  }
  await client.closeTabs();
};

export const maskedList = async (client, facts) => {
  await client.open('party.contact_mechanism');
  const cells = (await client.rows.locator('td[data-title^="Wert"]').allInnerTexts()).map((text) => text.trim());
  assert.ok(cells.some((text) => maskedPhone.test(text)), `no phone is masked in ${cells.slice(0, 5)}`);
  await assertUnreadable(client, parties(facts).flatMap((p) => p.phones.flatMap((n) => n.forms)));
  await client.closeTabs();
};

export const maskedCompletion = async (client, facts) => {
  const party = firm(facts);
  await client.open('sale.opportunity', party.opportunities[0].id);
  const address = client.field('address');
  await address.click();
  await address.fill('');
  await address.pressSequentially(party.addresses[0].street.slice(0, 5));
  const offers = client.pane.locator('.form-many2one .dropdown-menu:visible li a');
  await offers.filter({ hasText: party.addresses[0].street }).first().waitFor();
  await client.idle();
  await assertUnreadable(client, party.phones.flatMap((n) => n.forms));
  await offers.filter({ hasText: party.addresses[0].street }).first().click();
  await client.idle();
  if (await client.modified()) await client.undo();
  await client.closeTabs();
};

export const notesHidden = async (client, facts) => {
  const party = firm(facts);
  await client.open('party.party', party.id);
  await client.button('note').click();
  await client.window.locator('.treeview tbody > tr').first().waitFor();
  await client.idle();
  assert.ok((await readable(client)).includes(hidden), 'the note is not masked');
  await assertUnreadable(client, party.notes.map((note) => note.message));
  await client.answer();
  await client.closeTabs();
};

/** Pictures are there, none is broken, and all of them are one. */
export const neutralPictures = async (client, facts) => {
  await client.open('party.party', firm(facts).id);
  const pictures = await client.page.evaluate(() => Promise.all(
    [...document.querySelectorAll('img.img-circle, .form-image img.center-block')].filter((img) => img.src).map(async (img) => {
      await img.decode().catch(() => null);
      return { width: img.naturalWidth, name: img.className };
    })));
  assert.ok(pictures.length >= 2, `${pictures.length} pictures`);
  assert.deepEqual(new Set(pictures.map(({ width }) => width)).size, 1, JSON.stringify(pictures));
  assert.ok(pictures[0].width > 0, 'the picture is broken');
  await client.closeTabs();
};

export const attachmentRefused = async (client, facts) => {
  await client.open('party.party', withFile(facts).id);
  await client.openMenuOf('attach');
  await client.button('attach').locator('xpath=..').locator('a').filter({ hasText: /Verwalten|Manage/ }).first().click();
  await client.window.locator('.treeview tbody > tr').first().waitFor();
  await client.idle();
  await assertUnreadable(client, withFile(facts).attachments.map((file) => file.name));
  await client.window.locator('.treeview tbody > tr td button').first().click();
  await refusal(client, /„data“/);
  while (await client.window.count() > 0) await client.answer();
  await client.closeTabs();
};

export const nameSave = async (client, facts) => {
  const party = firm(facts);
  await client.open('party.party', party.id);
  await client.field('name').fill(`${party.name} i. L.`);
  await client.saved();
  assert.equal(await client.field('name').inputValue(), `${party.name} i. L.`);
  await client.field('name').fill(party.name);
  await client.saved();
  await client.closeTabs();
};

/** Saves a row whose masked number nobody touched; kept.mjs' reader looks at the number afterwards. */
export const phoneUntouched = async (client, facts) => {
  await client.open('party.party', firm(facts).id);
  const row = contactRows(client).filter({ hasText: '•' }).first();
  await fillCell(client, row, 'Name', 'Empfang');
  await client.saved();
  const cells = await contactRows(client).first().locator('td').allInnerTexts();
  assert.ok(cells.some((text) => maskedPhone.test(text.trim())), `the row is ${cells}`);
  assert.ok(cells.some((text) => text.includes('Empfang')), `the row is ${cells}`);
  await client.closeTabs();
};

export const phoneEditRefused = async (client, facts) => {
  await client.open('party.party', firm(facts).id);
  const row = contactRows(client).filter({ hasText: '•' }).first();
  const entry = await editCell(client, row, 'Wert');
  await entry.fill('+49 30 23125999');
  await entry.press('Tab');
  await refusal(client, /Nicht gespeichert.*value/s);
  if (await client.modified()) {
    await client.save();
    if (await client.page.locator('.modal.in .alert').count() > 0) await refusal(client, /Nicht gespeichert.*value/s);
    if (await client.modified()) await client.undo();
  }
  await client.closeTabs();
};
/** Gives the provider, in whatever tab it asks, what it asks for. */
export async function signInAtProvider(page, client) {
  const form = page.locator('form[action^="/interaction/"]');
  await form.waitFor();
  await page.locator('input[name="login"]').fill(client.account.login);
  await page.locator('input[name="password"]').fill(client.identity.password);
  await page.locator('button[type="submit"]').click();
  if (client.identity.totp) {
    await page.locator('input[name="code"]').fill(totp(client.identity.totp));
    await page.locator('button[type="submit"]').click();
  }
  await page.waitForURL((url) => url.href.startsWith(client.base));
  await page.waitForLoadState('networkidle');
}

/**
 * Ends the session in another tab, as somebody would who goes home and comes back to the first tab. The tab stays open:
 * what a closed one has loaded can't be written down any more.
 */
async function endSession(client) {
  const tab = await client.harness.context.newPage();
  await tab.goto(new URL('/.crmgate/', client.base).href);
  await tab.locator('form[action="/.crmgate/sign-out"] button').click();
  // The provider asks once more.
  await tab.locator('button[name="logout"]').click();
  await tab.waitForURL((url) => url.pathname === '/.crmgate/signed-out');
  await client.page.bringToFront(); // a page behind another one draws nothing, and so never comes to rest
  return tab;
}

/** The session ends while a form is being edited: the client says so, keeps what was typed, and saves it after a new sign-in elsewhere. */
export const sessionEnded = async (client, facts) => {
  const party = firm(facts);
  await client.open('party.party', party.id);
  await client.field('name').fill(`${party.name} & Söhne`);
  const tab = await endSession(client);
  await client.save();
  await client.page.locator('.modal.in .alert').first().waitFor();
  await client.page.screenshot({ path: join(client.harness.out, 'session-ended.png') });
  await refusal(client, /Sitzung ist beendet/);
  assert.equal(await client.field('name').inputValue(), `${party.name} & Söhne`);
  await tab.goto(client.base);
  await signInAtProvider(tab, client);
  await client.page.bringToFront();
  await client.saved();
  await client.field('name').fill(party.name);
  await client.saved();
  await client.closeTabs();
};

/**
 * After the session has ended, reloading the page leads to the sign-in, and the sign-in back to the client. A sign-out
 * takes out of the browser what the client has stored there, its own session among it: it asks for login and password.
 */
export const reloadSignsIn = async (client) => {
  await endSession(client);
  await client.page.reload();
  await signInAtProvider(client.page, client);
  await client.signIn();
};

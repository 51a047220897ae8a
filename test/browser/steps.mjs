// What the users do, one function a step. Each leaves no tab open, so that the next one starts from the same
// state, and expects nothing of values that a gateway may mask: only that the client can go on.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const parties = (facts) => Object.entries(facts.parties).map(([id, fact]) => ({ id: +id, ...fact }));
const firm = (facts) => parties(facts).find((p) => p.opportunities.length && p.notes.length);
const withFile = (facts) => parties(facts).find((p) => p.attachments.length && !p.is_person);

export const signIn = async (client) => {
  await client.arrive();
  await client.signIn();
};

export const partyList = async (client) => {
  await client.openMenu('Parteien', 'Parteien');
  assert.ok(await client.rows.count() > 30, 'the list of parties is short');
  await client.pane.locator('.treeview th label').filter({ hasText: 'Name' }).first().click();
  await client.idle();
  assert.ok(await client.rows.count() > 30, 'the sorted list of parties is short');
  await client.closeTabs();
};

export const searchByName = async (client, facts) => {
  await client.open('party.party');
  assert.equal(await client.search(firm(facts).person.split(' ').at(-1)), 1);
  await client.openRow();
  await client.field('name').waitFor();
  await client.closeTabs();
};

export const searchByPhone = async (client, facts) => {
  await client.open('party.party');
  assert.equal(await client.search(firm(facts).phones[0].forms[1]), 1);
  await client.closeTabs();
};

export const searchByIban = async (client, facts) => {
  await client.open('bank.account');
  assert.equal(await client.search(parties(facts).find((p) => p.ibans.length).ibans[0].value.replaceAll(' ', '')), 1);
  await client.closeTabs();
};

export const searchByField = async (client, facts) => {
  await client.open('party.party');
  assert.equal(await client.search(`Name: ${firm(facts).name.split(' ')[0]}`), 1);
  assert.ok(await client.search('"Code Partei": >20') > 10);
  await client.closeTabs();
};

export const partyPages = async (client, facts) => {
  await client.open('party.party', firm(facts).id);
  const pages = await client.pages();
  assert.ok(pages.length >= 3, `the form has the pages ${pages}`);
  for (const page of pages) await client.openPage(page);
  await client.closeTabs();
};

export const partySave = async (client, facts) => {
  await client.open('party.party', firm(facts).id);
  const language = client.field('lang');
  const before = await language.inputValue();
  const other = await language.locator('option').evaluateAll(
    (options, now) => options.map((o) => o.value).find((v) => v && v !== now && v !== 'null'), before);
  await language.selectOption(other);
  await client.saved();
  await client.field('lang').selectOption(before);
  await client.saved();
  await client.closeTabs();
};

const addContact = async (client, kind, value) => {
  const contacts = client.one2many('Kontaktinformationen');
  const rows = contacts.locator('.treeview tbody > tr');
  const count = await rows.count();
  await contacts.locator('button[title="Neu"]').click();
  await client.idle();
  const row = contacts.locator('.treeview tbody > tr').filter({ has: client.page.locator('select') }).last();
  await row.locator('td[data-title^="Typ"] select').selectOption({ label: kind });
  const entry = row.locator('td[data-title^="Wert"] input');
  await entry.fill(value);
  await entry.press('Tab');
  await client.idle();
  return { rows, count };
};

export const contactAdd = async (client, facts) => {
  await client.open('party.party', firm(facts).id);
  const { rows, count } = await addContact(client, 'Telefon', '+49 30 23125990');
  await client.saved();
  assert.equal(await rows.count(), count + 1);
  await client.closeTabs();
};

/** Ends with the warning that quotes the number; contactRefusedUndo takes it away. */
export const contactRefused = async (client, facts) => {
  await client.open('party.party', firm(facts).id);
  await addContact(client, 'Telefon', '+49 30 1');
  await client.save();
};
contactRefused.expectDialog = /Telefonnummer/;

export const contactRefusedUndo = async (client) => {
  await client.answer();
  await client.undo();
  await client.closeTabs();
};

export const notes = async (client, facts) => {
  await client.open('party.party', firm(facts).id);
  await client.button('note').click();
  await client.window.locator('.treeview, .form-container').first().waitFor();
  await client.idle();
  assert.ok(await client.window.locator('.treeview tbody > tr').count() > 0, 'no note is shown');
  await client.answer();
  await client.closeTabs();
};

export const attachments = async (client, facts) => {
  await client.open('party.party', withFile(facts).id);
  const entries = await client.openMenuOf('attach');
  assert.ok(entries.length >= 2, `the menu of attachments has ${entries}`);
  await client.button('attach').locator('xpath=..').locator('a').filter({ hasText: /Verwalten|Manage/ }).first().click();
  await client.window.locator('.treeview tbody > tr').first().waitFor();
  await client.idle();
  await client.answer();
  await client.closeTabs();
};

export const history = async (client, facts) => {
  await client.open('party.party', firm(facts).id);
  await client.chooseTitle('logs');
  await client.window.locator('.modal-footer button').first().waitFor();
  await client.answer();
  await client.closeTabs();
};

/** Reads the record as it was: every later request of the tab carries _datetime. */
export const pastState = async (client, facts) => {
  await client.open('party.party', firm(facts).id);
  await client.chooseTitle('revision');
  const choice = client.window.locator('select#revision');
  await choice.waitFor();
  await choice.selectOption({ index: 1 });
  await client.answer();
  await client.field('name').waitFor();
  await client.closeTabs();
};

export const relate = async (client, facts) => {
  await client.open('party.party', firm(facts).id);
  const entries = await client.openMenuOf('relate');
  await client.button('relate').click();
  assert.ok(entries.length > 0, 'no relation is offered');
  await client.choose('relate', 'Chancen');
  await client.rows.first().waitFor();
  await client.closeTabs();
};

export const letter = async (client, facts) => {
  await client.open('party.party', firm(facts).id);
  await client.openMenuOf('action');
  await client.button('action').click();
  const file = await client.harness.download(() => client.choose('print', 'Brief'));
  assert.match(file.name, /\.odt$/);
  assert.equal(readFileSync(file.path).subarray(0, 2).toString(), 'PK');
  await client.closeTabs();
};

export const email = async (client, facts) => {
  await client.open('party.party', firm(facts).id);
  await client.button('email').click();
  await client.window.locator('#email-to, input').first().waitFor();
  await client.idle();
  await client.cancel();
  await client.closeTabs();
};

export const exportList = async (client) => {
  await client.open('party.party');
  await client.selectRows(2, 3, 4);
  await client.chooseTitle('export');
  const all = client.window.locator('ul.column-fields').first();
  await all.locator('> li').filter({ hasText: /^\s*Kontaktinformationen/ }).first().locator('img').click();
  await all.locator('ul > li').filter({ hasText: /^\s*Wert\s*$/ }).first().click();
  await client.window.locator('button').filter({ hasText: 'Hinzufügen' }).click();
  const file = await client.harness.download(() => client.answer());
  assert.ok(readFileSync(file.path, 'utf8').split('\n').length > 4, 'the exported file is short');
  await client.window.filter({ hasText: 'records saved' }).waitFor();
  await client.answer();
  await client.closeTabs();
};

/** The address that the export window gives for other programs, fetched as they do. */
export const exportAddress = async (client) => {
  await client.open('party.party');
  await client.selectRows(2, 3);
  await client.chooseTitle('export');
  const link = client.window.locator('a[target="_blank"]').first();
  const href = await link.getAttribute('href');
  assert.match(href, /\/data\/party\.party\?/);
  const answer = await client.page.evaluate(async (url) => {
    const response = await fetch(url, { headers: { Authorization: `Session ${Sao.Session.current_session.get_auth()}` } });
    return { status: response.status, text: await response.text() };
  }, href);
  assert.equal(answer.status, 200);
  assert.ok(answer.text.split('\n').length >= 3);
  await client.cancel();
  await client.closeTabs();
};

export const opportunitySave = async (client, facts) => {
  await client.open('sale.opportunity', firm(facts).opportunities[0].id);
  const amount = client.field('amount');
  await amount.click();
  await client.field('amount').fill('4321');
  await client.field('amount').press('Tab');
  await client.idle();
  await client.saved();
  await client.closeTabs();
};

export const opportunityNew = async (client, facts) => {
  await client.open('sale.opportunity');
  await client.button('new_').click();
  const party = client.field('party');
  await party.waitFor();
  await client.idle();
  await party.click();
  await party.pressSequentially(firm(facts).name.slice(0, 12));
  const offer = client.pane.locator('.form-many2one .dropdown-menu:visible li a').filter({ hasText: firm(facts).name });
  await offer.first().click();
  await client.idle();
  await client.field('description').fill('Nachfassen nach der Messe');
  await client.saved();
  await client.closeTabs();
};

export const opportunityButton = async (client, facts) => {
  const lead = parties(facts).flatMap((p) => p.opportunities).find((o) => o.state === 'lead');
  await client.open('sale.opportunity', lead.id);
  const button = client.pane.locator('button').filter({ hasText: /in Verkaufschance umwandeln/i });
  await button.click();
  await button.waitFor({ state: 'hidden' });
  await client.closeTabs();
};

export const globalSearch = async (client, facts) => {
  const entry = client.page.locator('#global-search input');
  await entry.click();
  await entry.pressSequentially(firm(facts).person.split(' ').at(-1).slice(0, 6));
  await client.page.locator('#global-search .dropdown-menu:visible li').first().waitFor();
  await client.idle();
  await entry.press('Escape');
  await entry.fill('');
};

export const preferences = async (client) => {
  await client.page.locator('#user-preferences > a').click();
  await client.window.locator('.form-container').first().waitFor();
  await client.idle();
  await client.cancel();
  await client.page.locator('#menu tbody > tr').first().waitFor({ state: 'attached' });
};

export const bankAccounts = async (client, facts) => {
  await client.open('bank.account', parties(facts).find((p) => p.ibans.length).ibans[0].account);
  await client.pane.locator('.form-container').first().waitFor();
  await client.closeTabs();
};

export const relations = async (client) => {
  await client.open('party.relation.all');
  assert.ok(await client.rows.count() >= 6);
  await client.closeTabs();
};

export const duplicate = async (client, facts) => {
  await client.open('party.party', parties(facts).find((p) => p.is_person && !p.ibans.length).id);
  await client.chooseTitle('copy');
  await client.idle();
  assert.equal(await client.modified(), false);
  await client.closeTabs();
};

export const replaceWizard = async (client, facts) => {
  await client.open('party.party', firm(facts).id);
  await client.choose('action', 'Ersetzen');
  await client.window.locator('.form-container').first().waitFor();
  await client.idle();
  await client.cancel();
  await client.closeTabs();
};

export const newsletter = async (client) => {
  await client.open('marketing.email');
  assert.ok(await client.rows.count() > 3);
  await client.openRow();
  await client.closeTabs();
};

export const signOut = async (client) => {
  await client.signOut();
};

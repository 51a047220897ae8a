// Works in LedgerSMB's own client through a gateway, as sales and as master data: the contact report, a contact's page, saves,
// and what the client shows of a refusal.
//
//   node ledgersmb.mjs BASE_URL OUT --facts FACTS.json --provider CONFIG.json [--shots]
//
// OUT gets capture.jsonl (all that went over the wire) and screenshots of failed steps, or of all. The exit status is 0 only if every
// step went as it should.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Harness } from './harness.mjs';
import { arrive } from './people.mjs';

const { values, positionals: [base, out] } = parseArgs({
  allowPositionals: true, options: { facts: { type: 'string' }, provider: { type: 'string' }, shots: { type: 'boolean', default: false } },
});
const facts = JSON.parse(readFileSync(values.facts, 'utf8'));
const { accounts } = JSON.parse(readFileSync(values.provider, 'utf8'));
const bakery = facts.contacts[0];

/** LedgerSMB's pages as its users handle them; they are drawn by scripts, so everything is waited for. */
class Pages {
  constructor(harness) { Object.assign(this, { harness, page: harness.page, main: harness.page.locator('#maindiv') }); }

  async signIn(user, identity) {
    await arrive(this.page, `${base}/login.pl`, base, user.login, identity);
    await this.page.locator('#username').fill(user.crm);
    await this.page.locator('#password').fill(facts.users[user.crm]);
    await this.page.locator('#company').fill(facts.company);
    await this.page.locator('.dijitButtonNode', { hasText: 'Login' }).click();
    await this.menu('Contacts').waitFor();
  }

  menu(label) { return this.page.locator('.dijitTreeRow', { has: this.page.locator(`.dijitTreeLabel:text-is("${label}")`) }).first(); }

  async searchForm() {
    if (!await this.menu('Add Contact').isVisible()) await this.menu('Contacts').locator('.dijitTreeExpando').click();
    await this.menu('Search').locator('.dijitTreeLabel').click();
    await this.main.locator('#name-part').waitFor();
  }

  async search(field, value) {
    await this.searchForm();
    await this.main.locator(`#${field}`).fill(value);
    await this.button('Search').click();
  }

  button(label) { return this.main.locator(`.dijitButton:visible:has-text("${label}") .dijitButtonNode`).first(); }

  async contact(name) {
    await this.search('name-part', name);
    await this.main.locator('td.name a', { hasText: name }).first().click();
    await this.main.locator('[name=legal_name]').first().waitFor();
  }

  async tab(label) { await this.main.locator(`.dijitTab .tabLabel:text-is("${label}")`).click(); }

  field(name) { return this.main.locator(`input[name="${name}"]`).first(); }

  /** Saves the first form, and waits for the page that the answer is. */
  async save() {
    const answered = this.page.waitForResponse((r) => r.request().method() === 'POST' && r.url().endsWith('/contact.pl'));
    await this.button('Save').click();
    const status = (await answered).status();
    await this.harness.idle();
    return status;
  }

  /** The words of a refusal, as the client puts them on the screen. */
  async refusal() {
    await this.main.locator('.listtop:text-is("crmgate")').waitFor();
    return this.main.innerText();
  }
}

const sales = {
  signIn: (p, user) => p.signIn(user, accounts[user.login]),
  report: async (p) => {
    await p.search('name-part', '');
    await p.main.locator('td.name a', { hasText: bakery.name }).waitFor();
    assert.ok(!(await p.main.innerText()).includes(bakery.description), 'the description is shown');
  },
  phoneRefused: async (p) => {
    await p.search('phone', bakery.phone);
    assert.match(await p.refusal(), /phone/, 'the refusal names the field');
  },
  contact: async (p) => {
    await p.contact(bakery.name);
    assert.equal(await p.field('legal_name').inputValue(), bakery.name);
    assert.match(await p.field('tax_id').inputValue(), /^•+$/);
    await p.tab('Addresses');
    await p.main.getByText(bakery.street).first().waitFor();
    await p.tab('Bank Accounts');
    const text = await p.main.innerText();
    for (const hidden of [bakery.iban, bakery.phone, bakery.note]) assert.ok(!text.includes(hidden), `${hidden} is shown`);
  },
  save: async (p) => {
    await p.contact(bakery.name);
    await p.field('legal_name').fill('Bäckerei Hefebrink Nachfolger GmbH');
    assert.equal(await p.save(), 200);
    assert.equal(await p.field('legal_name').inputValue(), 'Bäckerei Hefebrink Nachfolger GmbH');
    assert.match(await p.field('tax_id').inputValue(), /^•+$/);
  },
  saveRefused: async (p) => {
    await p.contact('Hefebrink');
    await p.field('tax_id').fill('DE994109999');
    assert.equal(await p.save(), 422);
    assert.match(await p.refusal(), /tax_id/, 'the refusal names the field');
  },
};

const masterData = {
  signIn: sales.signIn,
  contact: async (p) => {
    await p.contact('Hefebrink');
    assert.equal(await p.field('legal_name').inputValue(), 'Bäckerei Hefebrink Nachfolger GmbH');
    assert.equal(await p.field('tax_id').inputValue(), bakery.tax_id, 'the save has kept the tax id');
    await p.tab('Bank Accounts');
    await p.main.getByText(bakery.iban).first().waitFor();
  },
  phone: async (p) => {
    await p.search('phone', bakery.phone);
    await p.main.locator('td.name a').first().waitFor();
  },
};

let failed = 0;
for (const [login, crm, steps] of [['vera', 'hanna', sales], ['paula', 'otto', masterData]]) {
  const harness = await Harness.open({ out, user: login, locale: 'en-GB', shots: values.shots });
  try {
    const pages = new Pages(harness);
    for (const [name, step] of Object.entries(steps)) {
      const ok = await harness.run(name, () => step(pages, { login, crm }));
      const { ms, error } = harness.results.at(-1);
      console.log(`${ok ? 'ok    ' : 'FAILED'} ${login} ${name} ${ms} ms${error ? `\n       ${error.replaceAll('\n', '\n       ')}` : ''}`);
      failed += ok ? 0 : 1;
      if (!ok && name === 'signIn') break;
    }
  } finally {
    await harness.close();
  }
}
process.exitCode = failed ? 1 : 0;

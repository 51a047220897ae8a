// Tryton's web client as its users handle it: menus, tabs, lists, forms, windows.
import { arrive } from './people.mjs';

export class Client {
  /** account: login and password in Tryton; identity: password and totp at the provider, if one stands before it. */
  constructor(harness, { base, account, identity, database = 'crm' }) {
    Object.assign(this, { harness, page: harness.page, base, account, identity, database });
  }

  get pane() { return this.page.locator('#tabcontent > .tab-pane.active'); }

  get window() { return this.page.locator('.modal.in').last(); }

  get rows() { return this.pane.locator('.treeview').first().locator('tbody > tr'); }

  field(name, within = this.pane) {
    return within.locator(`[name="${name}"]:visible`).first();
  }

  button(id) { return this.pane.locator(`.btn-toolbar button#${id}`); }

  async idle() { await this.harness.idle(); }

  // Signing in and out

  /** Opens the start page; where the provider asks first, gives it password and code. */
  async arrive() {
    await arrive(this.page, this.base, this.base, this.account.login, this.identity);
  }

  async signIn(password = this.account.password) {
    await this.page.locator('#login').fill(this.account.login);
    await this.page.locator('.modal.in button[type="submit"]').click();
    await this.page.locator('.ask-dialog.in input[type="password"]').fill(password);
    await this.page.keyboard.press('Enter');
    await this.page.locator('#menu tbody > tr').first().waitFor({ state: 'attached' });
    await this.idle();
    // Fading windows only make a test wait; without transitions they open and close at once.
    await this.page.evaluate(() => { jQuery.support.transition = false; });
  }

  async signOut() {
    await this.page.locator('#user-logout > a').click();
    await this.page.locator('#login').waitFor();
  }

  /** After a failed step: a fresh page in the same session. */
  async recover() {
    await this.page.goto('about:blank');
    await this.page.goto(`${this.base}#${this.database}`);
    await this.page.locator('#menu tbody > tr').first().waitFor({ state: 'attached' });
    await this.idle();
    await this.page.evaluate(() => { jQuery.support.transition = false; });
  }

  // Tabs

  async openMenu(...labels) {
    await this.page.evaluate(() => jQuery('.row-offcanvas').addClass('active'));
    for (const [i, label] of labels.entries()) {
      const row = this.page.locator('#menu tbody > tr').filter({ hasText: label }).nth(i);
      await row.locator('.cell').first().dblclick();
      await this.idle();
    }
  }

  /** Opens a model as a link would: #crm/model/party.party[/8][;name=…]. */
  async open(model, id, params = {}) {
    const query = Object.entries({ name: model, ...params })
      .map(([key, value]) => `${key}=${encodeURIComponent(JSON.stringify(value))}`).join('&');
    await this.page.evaluate((hash) => { window.location.hash = hash; },
      `#${this.database}/model/${model}${id ? `/${id}` : ''};${query}`);
    await this.pane.locator(id ? '.screen-container, .form-container' : '.treeview').first().waitFor();
    await this.idle();
  }

  async closeTabs() {
    await this.idle();
    await this.page.evaluate(() => { for (const tab of [...Sao.Tab.tabs]) tab.close(); });
    await this.idle();
    const left = await this.page.locator('#tablist > li').count();
    if (left) throw new Error(`${left} tabs don't close: ${(await this.page.locator('.modal.in').allInnerTexts()).join()}`);
  }

  // Lists

  async search(text) {
    const entry = this.pane.locator('.filter-box input.mousetrap').first();
    await entry.fill(text);
    await entry.press('Enter');
    await this.idle();
    return this.rows.count();
  }

  /** Opens the row of a list whose first cell the user double-clicks. */
  async openRow(index = 0) {
    await this.rows.nth(index).locator('td:not(.selection-state):not(.draggable-handle)').first().dblclick({ position: { x: 12, y: 10 } });
    await this.pane.locator('.form-container').first().waitFor();
    await this.idle();
  }

  async selectRows(...indexes) {
    for (const index of indexes) await this.rows.nth(index).locator('.selection-state input').check();
    await this.idle();
  }

  // Forms

  async pages() {
    return this.pane.locator('.nav-tabs:visible a[role="tab"]').allInnerTexts();
  }

  async openPage(label) {
    await this.pane.locator('.nav-tabs:visible a[role="tab"]').filter({ hasText: label }).first().click();
    await this.idle();
  }

  one2many(label) {
    return this.pane.locator('.form-one2many, .form-many2many').filter({
      has: this.page.locator('label', { hasText: label }),
    }).last();
  }

  async save() {
    await this.button('save').click();
    await this.idle();
  }

  /** Goes back to the stored values, saying no to the question whether to save first. */
  async undo() {
    await this.button('reload').click();
    await this.window.locator('.modal-footer button').filter({ hasText: /Nein/ }).click();
    await this.idle();
  }

  async modified() {
    return this.page.evaluate(() => Sao.Tab.tabs.get_current().screen.modified());
  }

  /** Saves and makes sure that the client holds the record for saved. */
  async saved() {
    await this.save();
    if (await this.modified()) throw new Error('the form is still modified after saving');
  }

  // Toolbar

  /** Opens one of the toolbar's menus and returns its entries' texts. */
  async openMenuOf(id) {
    await this.button(id).click();
    const menu = this.button(id).locator('xpath=..').locator('ul.dropdown-menu');
    await menu.locator('li').first().waitFor();
    await this.idle();
    return menu.locator('li[role="presentation"] > a').allInnerTexts();
  }

  async choose(id, label) {
    await this.openMenuOf(id);
    await this.button(id).locator('xpath=..').locator('ul.dropdown-menu a').filter({ hasText: label }).first().click();
    await this.idle();
  }

  async chooseTitle(id) {
    await this.pane.locator('.toolbar .navbar-header a.dropdown-toggle').click();
    await this.pane.locator(`.toolbar .navbar-header a#${id}`).click();
    await this.idle();
  }

  // Windows

  /** Leaves a window without changing anything. */
  async cancel() {
    await this.answer(/Abbrechen/);
  }

  async answer(label = /^\s*OK\s*$/) {
    await this.window.locator('.modal-footer button').filter({ hasText: label }).first().click();
    await this.idle();
  }
}

// One browser with an empty profile, everything that goes over its wire, and steps that fail by themselves.
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'];
const textual = /^(text\/|application\/(json|javascript|xml|x-javascript)|image\/svg)/;

// How long, in milliseconds, something may take before a step has failed.
const patience = 20_000;

export class Harness {
  step = 'start';
  results = [];
  downloads = [];
  #count = 0;
  #begun = 0;
  #running = new Set();
  #bodies = [];
  #console = [];

  /** out: a folder for capture.jsonl, results.json, screenshots and downloads. */
  static async open({ out, user, shots = false, locale = 'de-DE' }) {
    const harness = new Harness();
    harness.out = out;
    harness.user = user;
    harness.shots = shots;
    harness.profile = mkdtempSync(join(tmpdir(), 'browser-'));
    mkdirSync(out, { recursive: true });
    harness.context = await chromium.launchPersistentContext(harness.profile, {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: flags, headless: true, locale,
      timezoneId: 'Europe/Berlin', viewport: { width: 1700, height: 1100 }, ignoreHTTPSErrors: true, acceptDownloads: true,
    });
    harness.page = harness.context.pages()[0] ?? await harness.context.newPage();
    await harness.context.addInitScript(countTimers);
    harness.page.setDefaultTimeout(patience);
    harness.#listen();
    return harness;
  }

  async close() {
    await Promise.allSettled(this.#bodies);
    await this.context.close();
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 5 });
    return this.results;
  }

  #listen() {
    const starts = new Map();
    this.context.on('request', (request) => {
      if (!onTheWire(request)) return;
      starts.set(request, { n: ++this.#count, step: this.step, at: Date.now() });
      if (isBus(request)) return;
      this.#begun++;
      this.#running.add(request);
    });
    const done = (request, failure) => {
      if (!onTheWire(request)) return;
      this.#running.delete(request);
      this.#bodies.push(this.#record(request, starts.get(request) ?? {}, failure));
    };
    this.context.on('requestfinished', (request) => done(request));
    this.context.on('requestfailed', (request) => done(request, request.failure()?.errorText ?? 'failed'));
    this.context.on('console', (message) => {
      if (message.type() === 'error') this.#console.push(message.text());
    });
    this.context.on('weberror', (error) => this.#console.push(`uncaught: ${error.error().message}`));
    this.page.on('download', (download) => this.downloads.push(download));
    this.page.on('dialog', (dialog) => dialog.accept());
  }

  async #record(request, { n, step, at }, failure) {
    const response = failure ? null : await request.response();
    const record = {
      n, user: this.user, step, ms: Date.now() - at, method: request.method(), url: request.url(),
      request_headers: await request.allHeaders(), request_body: request.postData(), status: response?.status() ?? 0, failure,
    };
    if (response) {
      record.response_headers = await response.headersArray();
      const body = await response.body().catch(() => null);
      const type = response.headers()['content-type'] ?? '';
      if (body === null) record.body_missing = true;
      else if (textual.test(type)) record.body = body.toString('utf8');
      else record.body_base64 = body.toString('base64');
    }
    appendFileSync(join(this.out, 'capture.jsonl'), `${JSON.stringify(record)}\n`);
  }

  /** Waits until no request runs, the page waits for no timer, and ten of its turns change nothing of that. */
  async idle() {
    const deadline = Date.now() + patience;
    for (;;) {
      const before = this.#begun;
      if (Date.now() > deadline) {
        throw new Error(`the page doesn't come to rest: ${[...this.#running].map((request) => request.url()).join(' ')}`);
      }
      const quiet = await this.page.evaluate(() => new Promise((resolve) => {
        let turns = 0;
        const turn = () => {
          if (window.pendingTimers.size > 0) return resolve(false);
          return ++turns > 10 ? resolve(true) : window.uncountedTimeout(() => requestAnimationFrame(turn));
        };
        window.uncountedTimeout(turn);
      })).catch((error) => { // the page was navigated away under us
        if (!/context was destroyed|navigat/i.test(error.message)) throw error;
        return false;
      });
      if (quiet && this.#running.size === 0 && this.#begun === before) return;
    }
  }

  /** The texts of the message boxes that the client shows. */
  dialogs() {
    return this.page.locator('.modal.in .alert').allInnerTexts();
  }

  /** Runs one step and notes how it went; the next step runs in any case. */
  async run(name, body, { expectDialog } = {}) {
    this.step = name;
    const started = Date.now();
    const result = { user: this.user, step: name, ok: true, dialogs: [], console: [] };
    try {
      await within(3 * patience, (async () => {
        await body(this.page);
        await this.idle();
      })());
    } catch (error) {
      result.ok = false;
      result.error = String(error.message).split('\n').slice(0, 6).join('\n');
    }
    result.dialogs = (await this.dialogs().catch(() => [])).map((text) => text.trim());
    result.console = this.#console.splice(0);
    if (expectDialog ? !result.dialogs.some((text) => expectDialog.test(text)) : result.dialogs.length > 0) {
      result.ok = false;
      result.error ??= expectDialog ? `no dialog like ${expectDialog}` : `unexpected dialog: ${result.dialogs.join(' | ')}`;
    }
    result.ms = Date.now() - started;
    if (!result.ok || this.shots) {
      const file = join(this.out, `${this.user}-${String(this.results.length).padStart(2, '0')}-${name.replace(/\W+/g, '-')}.png`);
      await this.page.screenshot({ path: file }).catch(() => null);
    }
    await Promise.allSettled(this.#bodies.splice(0));
    this.results.push(result);
    writeFileSync(join(this.out, `results-${this.user}.json`), `${JSON.stringify(this.results, null, 1)}\n`);
    return result.ok;
  }

  /** What the body makes the browser save: {name, data}. */
  async download(body) {
    const coming = this.page.waitForEvent('download');
    await body();
    const download = await coming;
    const path = join(this.out, `${this.user}-${download.suggestedFilename()}`);
    await download.saveAs(path);
    return { name: download.suggestedFilename(), path };
  }
}

// Runs in the page before its own scripts: keeps the set of timers that will fire within the second.
function countTimers() {
  const { setTimeout: set, clearTimeout: clear } = window;
  window.uncountedTimeout = set;
  window.pendingTimers = new Set();
  window.setTimeout = (run, delay = 0, ...rest) => {
    if (delay >= 1000 || typeof run !== 'function') return set(run, delay, ...rest);
    const id = set(() => {
      window.pendingTimers.delete(id);
      run(...rest);
    }, delay);
    window.pendingTimers.add(id);
    return id;
  };
  window.clearTimeout = (id) => {
    window.pendingTimers.delete(id);
    clear(id);
  };
}

async function within(milliseconds, promise) {
  let timer;
  const late = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${milliseconds} ms`)), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function onTheWire(request) {
  return /^https?:/.test(request.url());
}

// The bus is a long poll where the server supports it: it never comes to rest.
function isBus(request) {
  return new URL(request.url()).pathname.endsWith('/bus');
}

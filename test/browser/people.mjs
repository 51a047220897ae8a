// What tests in a browser share: the browser, the sign-in at the provider, and checks that wait for what a page is still loading.
import { chromium } from 'playwright-core';
import { totp } from '../provider/totp.mjs';

// How long, in milliseconds, a page may take to show what it should.
const patience = 60_000;

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'],
  });
}

export function need(ok, what) {
  if (!ok) throw new Error(what);
  console.log(`ok   ${what}`);
}

/** Waits until locator finds n elements: a click returns before the page that it leads to is whole. */
export async function see(locator, n, what) {
  const deadline = Date.now() + patience;
  let found;
  do {
    found = await locator.count();
    if (found === n) return need(true, what);
    await locator.page().waitForTimeout(50);
  } while (Date.now() < deadline);
  throw new Error(`${what}: found ${found} instead of ${n}`);
}

/** Opens an address of a site; where the provider asks first, gives it password and code. */
export async function arrive(page, address, base, name, identity) {
  await page.goto(address, { waitUntil: 'load' });
  const login = page.locator('input[name="login"], #login').first();
  await login.waitFor();
  if (await page.locator('form[action^="/interaction/"]').count() === 0) return;
  await login.fill(name);
  await page.locator('input[name="password"]').fill(identity.password);
  await page.locator('button[type="submit"]').click();
  if (identity.totp) {
    await page.locator('input[name="code"]').fill(totp(identity.totp));
    await page.locator('button[type="submit"]').click();
  }
  await page.waitForURL((url) => url.href.startsWith(base));
}

/** Prints what failed and what every page shows, and lets the process fail. */
export async function report(browser, error) {
  console.log(`FAIL ${error.message}`);
  for (const context of browser.contexts()) {
    for (const page of context.pages()) console.log(page.url(), (await page.content()).replace(/<style>[^]*?<\/style>/, '').slice(0, 1500));
  }
  process.exitCode = 1;
}

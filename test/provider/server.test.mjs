// node --test: signs in through the provider as a browser would and judges the tokens that come back.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { accepts, totp } from './totp.mjs';

const config = JSON.parse(readFileSync(new URL('config.json', import.meta.url), 'utf8'));
const redirect = config.clients[0].redirect_uris[0];
let server;
let issuer;
let endpoints;
let client; // a relying party that takes back-channel logouts
const logouts = [];

before(async () => {
  client = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    logouts.push(new URLSearchParams(body).get('logout_token'));
    response.end();
  });
  await new Promise((resolve) => client.listen(0, '127.0.0.1', resolve));
  config.clients[0].backchannel_logout_uri = `http://127.0.0.1:${client.address().port}/logout`;
  config.clients[0].backchannel_logout_session_required = true;
  config.accounts.paula.key = 'a key';
  config.admin = true;
  config.rotate_refresh_token = true;
  const file = join(mkdtempSync(join(tmpdir(), 'provider-')), 'config.json');
  writeFileSync(file, JSON.stringify(config));
  server = spawn(process.execPath, [new URL('server.mjs', import.meta.url).pathname, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const line = await new Promise((resolve) => server.stdout.once('data', (data) => resolve(String(data))));
  issuer = line.match(/^provider ready: (\S+)\n$/)[1];
  endpoints = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
});

after(() => {
  server.kill();
  client.close();
});

class Browser {
  cookies = new Map();

  async go(url, options = {}) {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(new URL(url, issuer), { redirect: 'manual', ...options, headers: { cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
      if (value) this.cookies.set(name, value); else this.cookies.delete(name);
    }
    const to = response.headers.get('location');
    return to && !to.startsWith(redirect) ? this.go(to) : { response, to, text: to ? '' : await response.text(), url };
  }

  post(url, fields) {
    return this.go(url, { method: 'POST', body: new URLSearchParams(fields) });
  }
}

const claims = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
const basic = `Basic ${Buffer.from(`${config.clients[0].client_id}:${config.clients[0].client_secret}`).toString('base64')}`;
const token = async (fields) => (await fetch(endpoints.token_endpoint, {
  method: 'POST', headers: { Authorization: basic }, body: new URLSearchParams(fields),
})).json();

async function authorize(browser, extra = {}, verifier = randomBytes(32).toString('base64url')) {
  const url = `${endpoints.authorization_endpoint}?${new URLSearchParams({
    client_id: config.clients[0].client_id, redirect_uri: redirect, response_type: 'code', scope: 'openid', state: 's', nonce: 'n',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'), code_challenge_method: 'S256', ...extra,
  })}`;
  return { ...await browser.go(url), verifier };
}

async function signIn(login, browser = new Browser(), extra = {}) {
  const start = await authorize(browser, extra);
  let answer = await browser.post(start.url, { login, password: config.accounts[login].password });
  if (config.accounts[login].totp) answer = await browser.post(answer.url, { code: totp(config.accounts[login].totp) });
  const code = new URL(answer.to).searchParams.get('code');
  return token({ grant_type: 'authorization_code', code, redirect_uri: redirect, code_verifier: start.verifier });
}

test('codes are those of RFC 6238', () => {
  const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
  assert.equal(totp(secret, 59_000), '287082');
  assert.equal(totp(secret, 1_111_111_109_000), '081804');
  assert.ok(accepts(secret, '287082', 85_000));
  assert.ok(!accepts(secret, '287082', 125_000));
});

test('password and code give an ID token with roles and both factors', async () => {
  const answer = await signIn('vera');
  const id = claims(answer.id_token);
  assert.deepEqual(id.amr, ['pwd', 'otp', 'mfa']);
  assert.deepEqual(id.roles, ['sales']);
  assert.equal(id.preferred_username, 'vera');
  assert.equal(id.acr, 'urn:crmgate:test:mfa');
  assert.equal(id.nonce, 'n');
  assert.ok(Math.abs(id.auth_time - Date.now() / 1000) < 60);
  assert.ok(id.sid);
});

test('an account without a second factor says so', async () => {
  const id = claims((await signIn('nina')).id_token);
  assert.deepEqual(id.amr, ['pwd']);
  assert.equal(id.acr, 'urn:crmgate:test:password');
});

test('a wrong password and a wrong code go no further', async () => {
  const browser = new Browser();
  const start = await authorize(browser);
  assert.equal((await browser.post(start.url, { login: 'vera', password: 'nonsense' })).response.status, 401);
  const second = await browser.post(start.url, { login: 'vera', password: config.accounts.vera.password });
  assert.match(second.text, /name="code"/);
  const wrong = await browser.post(second.url, { code: totp(config.accounts.vera.totp, Date.now() + 3_600_000) });
  assert.equal(wrong.response.status, 401);
});

test('a request without PKCE is refused', async () => {
  const url = `${endpoints.authorization_endpoint}?${new URLSearchParams({
    client_id: config.clients[0].client_id, redirect_uri: redirect, response_type: 'code', scope: 'openid', state: 's',
  })}`;
  assert.match((await new Browser().go(url)).to, /error=invalid_request/);
});

test('prompt=login asks again within a session', async () => {
  const browser = new Browser();
  await signIn('vera', browser);
  assert.ok((await authorize(browser)).to, 'a session needs no second sign-in');
  assert.match((await authorize(browser, { prompt: 'login' })).text, /name="password"/);
});

const admin = async (path, body, method = 'POST') => (await fetch(`${issuer}/admin/${path}`, {
  method, body: body && JSON.stringify(body),
})).json();

test('a key is a factor of its own', async () => {
  const browser = new Browser();
  const start = await authorize(browser);
  const second = await browser.post(start.url, { login: 'paula', password: config.accounts.paula.password });
  assert.equal((await browser.post(second.url, { key: 'another' })).response.status, 401);
  const answer = await browser.post(second.url, { key: 'a key' });
  const code = new URL(answer.to).searchParams.get('code');
  const id = claims((await token({ grant_type: 'authorization_code', code, redirect_uri: redirect, code_verifier: start.verifier })).id_token);
  assert.deepEqual(id.amr, ['pwd', 'hwk', 'user', 'mfa']);
  assert.equal(id.acr, 'urn:crmgate:test:key');
});

test('it can leave out claims, add audiences and forget to ask again', async () => {
  const browser = new Browser();
  await admin('behaviour', { id_token: { set: { aud: ['crmgate', 'api'], azp: 'crmgate' }, omit: ['amr'] }, ignore: ['prompt', 'max_age'] });
  const id = claims((await signIn('vera', browser)).id_token);
  assert.deepEqual(id.aud, ['crmgate', 'api']);
  assert.equal(id.amr, undefined);
  assert.ok((await authorize(browser, { prompt: 'login', max_age: '0' })).to, 'it asked again');
  await admin('behaviour', { id_token: {}, ignore: [] });
  assert.match((await authorize(browser, { prompt: 'login' })).text, /name="password"/);
});

test('it can take a factor or the ID token back at a refresh', async () => {
  const first = await signIn('vera');
  await admin('behaviour', { refreshed: { set: { amr: ['pwd'] } } });
  const second = await token({ grant_type: 'refresh_token', refresh_token: first.refresh_token });
  assert.deepEqual(claims(second.id_token).amr, ['pwd']);
  await admin('behaviour', { refreshed: null });
  const third = await token({ grant_type: 'refresh_token', refresh_token: second.refresh_token });
  assert.ok(third.access_token);
  assert.equal(third.id_token, undefined);
  await admin('behaviour', { refreshed: {} });
});

test('a refresh token that was used twice ends all of its family', async () => {
  const first = await signIn('vera');
  const second = await token({ grant_type: 'refresh_token', refresh_token: first.refresh_token });
  assert.notEqual(second.refresh_token, first.refresh_token);
  assert.equal((await token({ grant_type: 'refresh_token', refresh_token: first.refresh_token })).error, 'invalid_grant');
  assert.equal((await token({ grant_type: 'refresh_token', refresh_token: second.refresh_token })).error, 'invalid_grant');
});

test('roles change and grants are taken back while it runs', async () => {
  const first = await signIn('vera');
  await admin('account?login=vera', { roles: ['support'] });
  const second = await token({ grant_type: 'refresh_token', refresh_token: first.refresh_token });
  assert.deepEqual(claims(second.id_token).roles, ['support']);
  await admin('forget?login=vera');
  assert.equal((await token({ grant_type: 'refresh_token', refresh_token: second.refresh_token })).error, 'invalid_grant');
  await admin('account?login=vera', { roles: ['sales'] });
});

test('keys rotate with and without the old ones', async () => {
  const kids = async () => (await (await fetch(endpoints.jwks_uri)).json()).keys.map((key) => key.kid);
  const before = await kids();
  const first = await signIn('vera');
  await admin('rotate-keys?keep=1');
  const both = await kids();
  assert.equal(both.length, 2);
  assert.ok(both.includes(before[0]));
  const second = await token({ grant_type: 'refresh_token', refresh_token: first.refresh_token });
  assert.equal(JSON.parse(Buffer.from(second.id_token.split('.')[0], 'base64url')).kid, both[0]);
  await admin('rotate-keys');
  assert.equal((await kids()).length, 1);
});

test('it can fail where it is told to, and counts', async () => {
  await admin('behaviour', { fail: { '/jwks': 503 } });
  assert.equal((await fetch(endpoints.jwks_uri)).status, 503);
  await admin('behaviour', { fail: {} });
  assert.equal((await fetch(endpoints.jwks_uri)).status, 200);
  assert.ok((await admin('count', undefined, 'GET'))['/jwks'] >= 2);
  assert.ok((await admin('issued', undefined, 'GET')).length > 5);
});

test('a refresh token works until sign-out, which tells the client', async () => {
  const browser = new Browser();
  const first = await signIn('paula', browser);
  const second = await token({ grant_type: 'refresh_token', refresh_token: first.refresh_token });
  assert.deepEqual(claims(second.id_token).roles, ['master_data']);
  const question = await browser.go(`${endpoints.end_session_endpoint}?${new URLSearchParams({ id_token_hint: first.id_token })}`);
  const xsrf = question.text.match(/name="xsrf" value="([^"]+)"/)[1];
  await browser.post('/session/end/confirm', { xsrf, logout: 'yes' });
  const told = logouts.map(claims).find((logout) => logout.sid === claims(first.id_token).sid);
  assert.equal(told.sub, 'paula');
  const third = await token({ grant_type: 'refresh_token', refresh_token: second.refresh_token ?? first.refresh_token });
  assert.equal(third.error, 'invalid_grant');
});

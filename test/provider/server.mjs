// An OpenID Provider for the end-to-end tests: password and TOTP, PKCE required, roles in the ID token.
//
//   node server.mjs CONFIG.json
//
// CONFIG: listen ("host:port", port 0 is a free one), issuer (default http://host:port), clients (OpenID
// client metadata), accounts (login → password, totp (base32; without it no second factor), key (a secret that
// stands in for a security key), name, email, roles, claims (any further ones)), backchannel_logout
// (true|false), acr ({"password", "mfa", "key"}: the values to give), seconds (life of "id_token",
// "access_token", "refresh_token", "session"), rotate_refresh_token (true|false; default: the library's rule),
// admin (true: the paths of admin.mjs), behaviour (how it falls short of a good provider, see behaviour.mjs).
// When it listens it prints one line: "provider ready: ISSUER". State lives in memory and ends with the
// process; SIGTERM ends it.
import { generateKeyPairSync, randomBytes, timingSafeEqual, createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';
import { createMemoryAdapter } from 'oidc-provider/lib/adapters/memory_adapter.js';
import { makeAdmin } from './admin.mjs';
import { misbehave } from './behaviour.mjs';
import { accepts } from './totp.mjs';

const config = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const behaviour = { ...config.behaviour };
const acr = {
  password: 'urn:crmgate:test:password', mfa: 'urn:crmgate:test:mfa', key: 'urn:crmgate:test:key', ...config.acr,
};
const adapter = createMemoryAdapter(); // one for all keys that the provider has had
const cookieKeys = [randomBytes(32).toString('hex')];
const seconds = { id_token: 3600, access_token: 600, refresh_token: 86_400, session: 86_400, ...config.seconds };
const identityClaims = ['sub', 'acr', 'amr', 'auth_time', 'sid', 'preferred_username', 'name', 'email', 'email_verified', 'roles'];

const escape = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
const page = (title, body) => `<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title><h1>${escape(title)}</h1>${body}</html>\n`;

function same(given, right) {
  const hash = (text) => createHash('sha256').update(String(text)).digest();
  return timingSafeEqual(hash(given), hash(right));
}

function account(login) {
  return Object.hasOwn(config.accounts, login) ? config.accounts[login] : undefined;
}

function signingKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig', kid: randomBytes(8).toString('hex') };
}

// Consent is the employer's here, so each session has a grant for all that its client asks for.
async function loadExistingGrant(ctx) {
  const { session, client, provider, params } = ctx.oidc;
  const known = session.grantIdFor(client.clientId);
  const grant = (known && await provider.Grant.find(known)) ||
    new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope(params.scope);
  const id = await grant.save();
  if (!grants.has(session.accountId)) grants.set(session.accountId, new Set());
  grants.get(session.accountId).add(id);
  return grant;
}

// The grants of each login, so that an administrator can take them back.
const grants = new Map();

// forget takes back all that was granted for a login: its refresh tokens are no longer taken.
async function forget(provider, login) {
  for (const id of grants.get(login) ?? []) {
    for (const model of ['AccessToken', 'AuthorizationCode', 'RefreshToken']) await provider[model].revokeByGrantId(id);
    await (await provider.Grant.find(id))?.destroy();
  }
  grants.delete(login);
}

function findAccount(ctx, login) {
  const found = account(login);
  return found && {
    accountId: login,
    claims: () => ({
      sub: login, preferred_username: login, name: found.name, email: found.email, email_verified: true, roles: found.roles,
      ...found.claims,
    }),
  };
}

// keys are the signing keys: the first one signs, all are published.
function makeProvider(issuer, keys) {
  const provider = new Provider(issuer, {
    clients: config.clients.map((client) => ({
      grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], ...client,
    })),
    adapter,
    jwks: { keys },
    cookies: { keys: cookieKeys },
    findAccount,
    loadExistingGrant,
    acrValues: Object.values(acr),
    scopes: ['openid', 'offline_access', 'profile', 'email', 'roles'],
    claims: { openid: [...identityClaims, ...Object.values(config.accounts).flatMap((found) => Object.keys(found.claims ?? {}))] },
    conformIdTokenClaims: false, // all claims stand in the ID token, as with most company providers
    pkce: { required: () => true },
    issueRefreshToken: (ctx, client) => client.grantTypeAllowed('refresh_token'),
    ...(config.rotate_refresh_token === undefined ? {} : { rotateRefreshToken: config.rotate_refresh_token }),
    ttl: {
      AccessToken: seconds.access_token, AuthorizationCode: 60, IdToken: seconds.id_token, Interaction: 600,
      RefreshToken: seconds.refresh_token, Session: seconds.session, Grant: seconds.session,
    },
    interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: config.backchannel_logout !== false },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => {
          ctx.body = page('Sign out', `${form}<button type="submit" form="op.logoutForm" value="yes" name="logout" autofocus>Sign out</button>`);
        },
        postLogoutSuccessSource: (ctx) => { ctx.body = page('Signed out', ''); },
      },
    },
    renderError: (ctx, out) => {
      ctx.type = 'html';
      ctx.body = page('Error', Object.entries(out).map(([key, value]) => `<p>${escape(key)}: ${escape(value)}</p>`).join(''));
    },
    // oidc-provider refuses to call loopback addresses for back-channel logout; here everything is on loopback.
    fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  });
  provider.proxy = Boolean(config.issuer);
  provider.use(misbehave(behaviour, keys[0]));
  provider.on('server_error', (ctx, error) => console.error(error));
  return provider;
}

const passwordPage = (uid, message) => page('Sign in', `${message ? `<p role="alert">${escape(message)}</p>` : ''}
<form method="post" action="/interaction/${uid}">
<p><label>Login <input name="login" autocomplete="username" required autofocus></label></p>
<p><label>Password <input name="password" type="password" autocomplete="current-password" required></label></p>
<p><button type="submit">Continue</button></p></form>`);

const codePage = (uid, message) => page('Second factor', `${message ? `<p role="alert">${escape(message)}</p>` : ''}
<form method="post" action="/interaction/${uid}">
<p><label>Code <input name="code" inputmode="numeric" autocomplete="one-time-code" autofocus></label></p>
<p><label>Or key <input name="key" autocomplete="off"></label></p>
<p><button type="submit">Sign in</button></p></form>`);

async function form(request) {
  let body = '';
  for await (const chunk of request) {
    body += chunk;
    if (body.length > 4096) throw new Error('the form is too large');
  }
  return new URLSearchParams(body);
}

// Logins that have given the right password and owe the code, by interaction.
const halfway = new Map();

async function interaction(provider, request, response) {
  const { uid } = await provider.interactionDetails(request, response);
  const show = (status, html) => response.writeHead(status, {
    'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store',
  }).end(html);
  const finish = (login, factors) => {
    halfway.delete(uid);
    const level = factors.includes('hwk') ? acr.key : factors.includes('mfa') ? acr.mfa : acr.password;
    const result = { accountId: login, amr: factors, acr: level };
    return provider.interactionFinished(request, response, { login: result }, { mergeWithLastSubmission: false });
  };
  if (request.method !== 'POST') return show(200, halfway.has(uid) ? codePage(uid) : passwordPage(uid));
  const fields = await form(request);
  if (halfway.has(uid)) {
    const login = halfway.get(uid);
    if (fields.get('key')) {
      if (account(login).key && same(fields.get('key'), account(login).key)) return finish(login, ['pwd', 'hwk', 'user', 'mfa']);
      return show(401, codePage(uid, 'This key is not right.'));
    }
    if (!accepts(account(login).totp, fields.get('code') ?? '')) return show(401, codePage(uid, 'This code is not right.'));
    return finish(login, ['pwd', 'otp', 'mfa']);
  }
  const login = fields.get('login') ?? '';
  if (!account(login) || !same(fields.get('password') ?? '', account(login).password)) {
    return show(401, passwordPage(uid, 'Login or password is not right.'));
  }
  if (!account(login).totp) return finish(login, ['pwd']);
  halfway.set(uid, login);
  return response.writeHead(303, { Location: `/interaction/${uid}`, 'Content-Length': 0 }).end();
}

const [, host, port] = (config.listen ?? '127.0.0.1:0').match(/^(.*):(\d+)$/);
const server = createServer();
server.listen(+port, host, () => {
  const issuer = config.issuer ?? `http://${host}:${server.address().port}`;
  let keys = [signingKey()];
  let provider = makeProvider(issuer, keys);
  let callback = provider.callback();
  const admin = makeAdmin({
    config,
    behaviour,
    // What was issued stays valid: the new provider has the adapter of the old.
    rotate(keep) {
      keys = [signingKey(), ...(keep ? keys : [])];
      provider = makeProvider(issuer, keys);
      callback = provider.callback();
    },
    forget: (login) => forget(provider, login),
  });
  server.on('request', (request, response) => {
    if (config.admin && admin(request, response)) return undefined;
    if (!request.url.startsWith('/interaction/')) return callback(request, response);
    return interaction(provider, request, response).catch((error) => {
      if (!response.headersSent) response.writeHead(error.statusCode ?? 400, { 'Content-Type': 'text/html; charset=utf-8' });
      response.end(page('Error', `<p>${escape(error.message)}</p>`));
    });
  });
  console.log(`provider ready: ${issuer}`);
});
process.on('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeAllConnections();
});

// What a test does to the provider while it runs. There is no sign-in: it listens on loopback, for a test.
//
//   POST /admin/behaviour          a JSON object whose words replace those of the behaviour
//   POST /admin/account?login=vera a JSON object that is merged into the account: {"roles": ["support"]}
//   POST /admin/forget?login=vera  all that was granted for the login is taken back
//   POST /admin/rotate-keys        a new signing key; ?keep=1 publishes the old ones too
//   GET  /admin/issued             all tokens that were given out
//   GET  /admin/count              how often each path was asked for: {"/jwks": 2}

import { issued } from './behaviour.mjs';

async function json(request) {
  let body = '';
  for await (const chunk of request) body += chunk;
  return JSON.parse(body || '{}');
}

/** A handler that returns whether the request is one for the administrator. */
export function makeAdmin({ config, behaviour, rotate, forget }) {
  const counts = {};
  const paths = {
    'POST /admin/behaviour': async (url, request) => Object.assign(behaviour, await json(request)),
    'POST /admin/account': async (url, request) => Object.assign(config.accounts[url.searchParams.get('login')], await json(request)),
    'POST /admin/forget': (url) => forget(url.searchParams.get('login')),
    'POST /admin/rotate-keys': (url) => rotate(url.searchParams.has('keep')),
    'GET /admin/issued': () => issued,
    'GET /admin/count': () => counts,
  };
  return (request, response) => {
    const url = new URL(request.url, 'http://localhost');
    const answer = paths[`${request.method} ${url.pathname}`];
    if (!answer) {
      counts[url.pathname] = (counts[url.pathname] ?? 0) + 1;
      return false;
    }
    Promise.resolve(answer(url, request)).then((value) => {
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value ?? {}));
    }, (error) => response.writeHead(400).end(error.message));
    return true;
  };
}

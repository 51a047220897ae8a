// How the provider falls short of a good one, so that tests can show what a relying party does then. The
// object may change while the provider runs:
//
//   ignore     parameters of the authorization request that it doesn't see: ["acr_values", "max_age", "prompt"]
//   add        parameters that it sees whatever was asked
//   id_token   {set: {claim: value}, omit: ["amr"]} in every ID token that it signs for a code
//   refreshed  the same for ID tokens that come with a refresh; null: there is none
//   refresh_token  {omit: true}: refreshes bring no refresh token
//   fail       {"/token": 503}: paths that answer with this status
//   delay      {"/token": 300}: milliseconds before these paths answer
import { createPrivateKey, sign } from 'node:crypto';

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

// resign changes the claims of an ID token and signs it again with the provider's key.
function resign(token, change, jwk) {
  const [header, payload] = token.split('.').slice(0, 2).map((text) => JSON.parse(Buffer.from(text, 'base64url')));
  Object.assign(payload, change.set);
  for (const name of change.omit ?? []) delete payload[name];
  const signed = `${part(header)}.${part(payload)}`;
  const key = createPrivateKey({ key: jwk, format: 'jwk' });
  return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
}

function changeTokens(body, behaviour, refreshing, jwk) {
  if (!body?.id_token) return;
  const change = refreshing ? behaviour.refreshed : behaviour.id_token;
  if (change === null) delete body.id_token;
  else if (change) body.id_token = resign(body.id_token, change, jwk);
  if (refreshing && behaviour.refresh_token?.omit) delete body.refresh_token;
}

/** Every token that was given out, for tests that look for them where they don't belong. */
export const issued = [];

/** Middleware around the provider's own. */
export function misbehave(behaviour, jwk) {
  return async (ctx, next) => {
    const wait = behaviour.delay?.[ctx.path];
    if (wait) await new Promise((resolve) => { setTimeout(resolve, wait); });
    const status = behaviour.fail?.[ctx.path] ?? behaviour.fail?.['*'];
    if (status) {
      ctx.status = status;
      return;
    }
    if (ctx.path === '/auth') {
      const query = new URLSearchParams(ctx.querystring);
      for (const name of behaviour.ignore ?? []) query.delete(name);
      for (const [name, value] of Object.entries(behaviour.add ?? {})) query.set(name, value);
      ctx.querystring = String(query);
    }
    await next();
    if (ctx.path !== '/token') return;
    changeTokens(ctx.body, behaviour, ctx.oidc?.params?.grant_type === 'refresh_token', jwk);
    issued.push(...[ctx.body?.id_token, ctx.body?.access_token, ctx.body?.refresh_token].filter(Boolean));
  };
}

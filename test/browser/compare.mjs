// Lists what went wrong through a gateway and did not without it.
//
//   node compare.mjs PLAIN_OUT GATEWAY_OUT [--json]
//
// Both are folders written by tryton.mjs. A request is named by user, step and RPC method (or path with ids
// left out); it failed when its status is 400 or more, when it got no answer, or when the RPC answer is an error.
// The exit status is 0 only if nothing is worse than plain.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** What a recorded request is called: the RPC method, or the path without ids. */
export function callName(record) {
  const { pathname } = new URL(record.url);
  const path = pathname.replace(/\/avatar\/.*/, '/avatar/…').replace(/\d+/g, '…');
  if (record.method !== 'POST') return `${record.method} ${path}`;
  try {
    return JSON.parse(record.request_body).method ?? `POST ${path}`;
  } catch {
    return `POST ${path}`;
  }
}

/** Why a recorded request counts as failed, or null. */
export function failureOf(record) {
  if (record.failure === 'net::ERR_ABORTED') return null; // the page was left before the answer came
  if (record.failure) return record.failure;
  if (record.status >= 400) return `HTTP ${record.status}`;
  if (record.method !== 'POST' || record.body === undefined) return null;
  try {
    const { error } = JSON.parse(record.body);
    return error ? `error ${error[0]}${Array.isArray(error[1]) ? `: ${error[1][0]}` : ''}` : null;
  } catch {
    return 'the answer to an RPC is not JSON';
  }
}

function load(out) {
  const lines = readFileSync(join(out, 'capture.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  const results = readdirSync(out).filter((name) => /^results-.*\.json$/.test(name))
    .flatMap((name) => JSON.parse(readFileSync(join(out, name), 'utf8'))).filter(({ step }) => step !== 'recover');
  const failures = new Map();
  const seen = new Map();
  for (const record of lines.filter(({ step }) => step !== 'recover')) {
    const key = `${record.user}\t${record.step}\t${callName(record)}`;
    seen.set(key, (seen.get(key) ?? 0) + 1);
    const why = failureOf(record);
    if (why) failures.set(key, [...failures.get(key) ?? [], why]);
  }
  return { results, failures, seen };
}

export function compare(plainOut, gatewayOut) {
  const [plain, gateway] = [load(plainOut), load(gatewayOut)];
  const calls = [...gateway.failures].filter(([key, whys]) => whys.length > (plain.failures.get(key)?.length ?? 0))
    .map(([key, whys]) => {
      const [user, step, call] = key.split('\t');
      return { user, step, call, times: whys.length, plainTimes: plain.seen.get(key) ?? 0, why: [...new Set(whys)] };
    });
  const known = new Map(plain.results.map((result) => [`${result.user} ${result.step}`, result]));
  const steps = gateway.results.filter((result) => !result.ok && known.get(`${result.user} ${result.step}`)?.ok);
  const missing = plain.results.filter(({ user, step }) => !gateway.results.some((r) => r.user === user && r.step === step));
  return { calls, steps, missing };
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const [plainOut, gatewayOut] = process.argv.slice(2);
  const found = compare(plainOut, gatewayOut);
  if (process.argv.includes('--json')) {
    console.log(JSON.stringify(found, null, 1));
  } else {
    for (const c of found.calls) console.log(`request ${c.user} ${c.step}: ${c.call} (${c.times}x): ${c.why.join('; ')}`);
    for (const s of found.steps) console.log(`step    ${s.user} ${s.step}: ${s.error}${s.dialogs.length ? ` [${s.dialogs.join(' | ')}]` : ''}`);
    for (const s of found.missing) console.log(`missing ${s.user} ${s.step}: not reached`);
    console.log(`${found.calls.length} kinds of request, ${found.steps.length} steps worse than plain, ${found.missing.length} not reached`);
  }
  process.exitCode = found.calls.length + found.steps.length + found.missing.length ? 1 : 0;
}

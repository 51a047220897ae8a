// Asks Tryton the hand-made requests of handlist.mjs over plain sockets and notes what it answers.
//
//   node hand.mjs BASE_URL FACTS.json [HAND.json]
//
// For each request: status, content type, kind ("result", "error", "bare", "html", "csv", …), the error's name, and
// which personal values of which parties stand in the answer, in whatever coding (JSON escapes, XML, base64, ZIP,
// cp1252, UTF-16, UTF-7). With HAND.json the list and the answers are written there; without, to standard output.
// BASE_URL needs a database as start.sh makes it: the last requests change it.
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { inflateRawSync } from 'node:zlib';
import { requests } from './handlist.mjs';

/** Sends a request as it is, since fetch would mend its path and refuse Tryton's doubled Content-Length. */
export function send(base, { method, path, headers, body }, chunked = false) {
  const { hostname, port } = new URL(base);
  const lines = { Host: `${hostname}:${port}`, Connection: 'close', ...headers };
  if (method !== 'GET') lines[chunked ? 'Transfer-Encoding' : 'Content-Length'] = chunked ? 'chunked' : body.length;
  const head = `${method} ${path} HTTP/1.1\r\n${Object.entries(lines).map(([k, v]) => `${k}: ${v}\r\n`).join('')}\r\n`;
  const payload = chunked ? Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from('\r\n0\r\n\r\n')]) : body;
  return new Promise((resolve, reject) => {
    const socket = connect(port, hostname, () => socket.write(Buffer.concat([Buffer.from(head), payload])));
    const chunks = [];
    socket.setTimeout(20_000, () => socket.destroy(new Error(`no answer to ${method} ${path}`)));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', (error) => (chunks.length ? resolve(parse(chunks)) : reject(error)));
    socket.on('end', () => resolve(parse(chunks)));
  });
}

function parse(chunks) {
  const all = Buffer.concat(chunks);
  const end = all.indexOf('\r\n\r\n');
  const [first, ...lines] = all.subarray(0, end).toString('latin1').split('\r\n');
  const headers = lines.map((line) => line.split(/:\s*(.*)/s)).map(([k, v]) => [k.toLowerCase(), v]);
  return { status: +first.split(' ')[1], headers, body: all.subarray(end + 4) };
}

const header = (answer, name) => answer.headers.find(([key]) => key === name)?.[1] ?? '';

function zipEntries(data) {
  const texts = [];
  let at = data.lastIndexOf('PK\u0005\u0006', undefined, 'latin1');
  if (at < 0) return texts;
  const count = data.readUInt16LE(at + 10);
  at = data.readUInt32LE(at + 16);
  for (let i = 0; i < count; i++) {
    const [method, size] = [data.readUInt16LE(at + 10), data.readUInt32LE(at + 20)];
    const local = data.readUInt32LE(at + 42);
    const start = local + 30 + data.readUInt16LE(local + 26) + data.readUInt16LE(local + 28);
    const raw = data.subarray(start, start + size);
    texts.push((method === 8 ? inflateRawSync(raw) : raw).toString('utf8'));
    at += 46 + data.readUInt16LE(at + 28) + data.readUInt16LE(at + 30) + data.readUInt16LE(at + 32);
  }
  return texts;
}

function jsonTexts(value, texts) {
  if (typeof value === 'string') texts.push(value);
  else if (Array.isArray(value)) value.forEach((v) => jsonTexts(v, texts));
  else if (value && value.__class__ === 'bytes') {
    const data = Buffer.from(value.base64, 'base64');
    texts.push(data.toString('utf8'), data.toString('latin1'), ...zipEntries(data));
  } else if (value && typeof value === 'object') {
    for (const [key, v] of Object.entries(value)) { texts.push(key); jsonTexts(v, texts); }
  }
}

const unescapeMarkup = (text) => text
  .replace(/&#(\d+);/g, (_, n) => String.fromCodePoint(n)).replace(/&quot;/g, '"').replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&');

const utf7 = (text) => text.replace(/\+([A-Za-z0-9/]*)-?/g, (_, code) => {
  const data = Buffer.from(code, 'base64');
  return code ? data.subarray(0, data.length & ~1).swap16().toString('utf16le') : '+';
});

/** Every text that a reader of the answer could make out of it. */
export function readings(body) {
  const utf8 = body.toString('utf8');
  const texts = [utf8, body.toString('latin1'), body.toString('utf16le'), unescapeMarkup(utf8), utf7(utf8)];
  if (/^[A-Za-z0-9+/=\s]+$/.test(utf8)) texts.push(Buffer.from(utf8, 'base64').toString('utf8'));
  try {
    jsonTexts(JSON.parse(utf8), texts);
  } catch { /* not JSON */ }
  return texts.join('\n').normalize('NFC');
}

/** What one party's facts say must be hidden from somebody, by kind. */
export function values(party) {
  return {
    name: [party.name, party.person],
    phone: party.phones.flatMap((p) => p.forms), email: party.emails.map((e) => e.value),
    website: party.websites.map((w) => w.value), iban: party.ibans.flatMap((n) => [n.value, n.compact]),
    identifier: party.identifiers.map((n) => n.code), address: party.addresses.map((a) => a.street),
    note: party.notes.map((n) => n.message), file: party.attachments.map((a) => a.name),
  };
}

/** party id → kind → values found in a text. */
export function carried(text, facts) {
  const found = {};
  for (const [id, party] of Object.entries(facts.parties)) {
    for (const [kind, list] of Object.entries(values(party))) {
      const hits = [...new Set(list)].filter((value) => text.includes(value.normalize('NFC')));
      if (hits.length) (found[id] ??= {})[kind] = hits;
    }
  }
  return found;
}

function kindOf(answer) {
  const type = header(answer, 'content-type');
  if (!/json/.test(type)) return type.split(';')[0] || 'none';
  const parsed = JSON.parse(answer.body);
  if (parsed && typeof parsed === 'object' && 'error' in parsed) return 'error';
  return parsed && typeof parsed === 'object' && 'result' in parsed ? 'result' : 'bare';
}

async function signIn(base, login, password) {
  const body = Buffer.from(JSON.stringify({ id: 0, method: 'common.db.login', params: [login, { password }, 'de'] }));
  const answer = await send(base, { method: 'POST', path: '/crm/', headers: { 'Content-Type': 'application/json' }, body });
  const [id, session] = JSON.parse(answer.body).result;
  return {
    session: `Session ${Buffer.from(`${login}:${id}:${session}`).toString('base64')}`,
    basic: `Basic ${Buffer.from(`${login}:${password}`).toString('base64')}`,
  };
}

async function ask(base, request, logins) {
  const authorization = request.auth === 'none' ? {} : { Authorization: logins[request.user][request.auth] };
  const headers = { ...request.headers, ...authorization };
  let body = request.body_base64 ? Buffer.from(request.body_base64, 'base64') : Buffer.from(request.body ?? '');
  if (request.first) {
    const before = await send(base, { ...request, headers, body: Buffer.from(request.first.body) });
    const taken = request.first.take.reduce((value, key) => value[key], JSON.parse(before.body));
    body = Buffer.from(body.toString().replace('"$first"', JSON.stringify(taken)));
  }
  return send(base, { ...request, headers, body }, request.chunked);
}

function describe(answer, facts) {
  const kind = kindOf(answer);
  const text = readings(answer.body);
  const parsed = kind === 'error' ? JSON.parse(answer.body).error : null;
  return {
    status: answer.status, type: header(answer, 'content-type'), kind,
    ...parsed && { error: typeof parsed[0] === 'string' ? parsed[0].slice(0, 200) : parsed[0] },
    ...header(answer, 'location') && { location: header(answer, 'location') },
    ...(kind === 'error' || kind === 'text/html') && { start: answer.body.subarray(0, 400).toString('utf8').replace(/'\/[^']*\/db\//g, "'/…/db/") },
    carries: carried(text, facts),
  };
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const [base, factsFile, out] = process.argv.slice(2);
  const facts = JSON.parse(readFileSync(factsFile, 'utf8'));
  const logins = {};
  for (const [login, { password }] of Object.entries(facts.users)) logins[login] = await signIn(base, login, password);
  const list = [];
  for (const request of requests(facts)) {
    list.push({ ...request, plain: describe(await ask(base, request, logins), facts) });
  }
  const text = `${JSON.stringify(list, null, 1)}\n`;
  if (out) writeFileSync(out, text);
  else process.stdout.write(text);
}

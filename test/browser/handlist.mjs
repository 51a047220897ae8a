// Requests that the web client never makes, but that Tryton answers: the same questions in other clothes,
// questions that disclose by counting, and errors that quote. hand.mjs asks plain Tryton all of them.
import { gzipSync } from 'node:zlib';

const json = 'application/json';
const rpc = (method, params, extra = {}) => JSON.stringify({ id: 1, method, params, ...extra });
const nth = (facts, test, n = 0) => Object.entries(facts.parties).map(([id, p]) => ({ id: +id, ...p })).filter(test)[n];

/** facts.json → the list of {name, user, auth, method, path, headers, body (or body_base64), first}. */
export function requests(facts) {
  const firm = nth(facts, (p) => p.opportunities.length && p.notes.length);
  const other = nth(facts, (p) => p.ibans.length && p.attachments.length && p.id !== firm.id);
  const person = nth(facts, (p) => p.is_person && p.ibans.length);
  const [mobile] = firm.phones.slice(-1);
  const all = ['name', 'phone', 'mobile', 'email', 'contact_mechanisms.value', 'addresses.full_address',
    'bank_accounts.numbers.number', 'identifiers.code'];
  const ask = [[['id', '=', firm.id]], 0, 10, null, all, {}];
  const read = 'model.party.party.search_read';
  const plain = rpc(read, ask);
  const list = [];
  const add = (name, body, over = {}) => list.push({
    name, user: 'vera', auth: 'session', method: 'POST', path: '/crm/', headers: { 'Content-Type': json }, body, ...over,
  });
  const call = (name, method, params, over) => add(name, rpc(method, params), over);
  const get = (name, path, over = {}) => list.push({ name, user: 'vera', auth: 'session', method: 'GET', path, headers: {}, ...over });

  // The same question in other clothes
  add('plain', plain);
  add('text/x-json', plain, { headers: { 'Content-Type': 'text/x-json' } });
  add('json with charset utf-16', undefined, {
    headers: { 'Content-Type': 'application/json; charset=utf-16' }, body_base64: Buffer.from(`\ufeff${plain}`, 'utf16le').toString('base64'),
  });
  add('json with byte order mark', `\ufeff${plain}`);
  add('text/plain', plain, { headers: { 'Content-Type': 'text/plain' } });
  add('no content type', plain, { headers: {} });
  add('body without id', JSON.stringify({ method: read, params: ask }));
  add('body with an extra key', rpc(read, ask, { note: 1 }));
  add('method twice', `{"id":1,"method":"model.party.category.search_read",${plain.slice(plain.indexOf('"method"'))}`);
  add('params twice', `${plain.slice(0, -1)},"params":${JSON.stringify([[['id', '=', other.id]], 0, 10, null, all, {}])}}`);
  add('key with unicode escape', plain.replace('"method"', '"\\u006dethod"'));
  add('value with unicode escape', plain.replace('party.party', 'p\\u0061rty.party'));
  add('doubled slash', plain, { path: '//crm/' });
  add('encoded letter in the path', plain, { path: '/%63rm/' });
  add('no slash at the end', plain, { path: '/crm' });
  add('query on the path', plain, { path: '/crm/?x=1' });
  add('gzip body', undefined, {
    headers: { 'Content-Type': json, 'Content-Encoding': 'gzip' }, body_base64: gzipSync(plain, { level: 9 }).toString('base64'),
  });
  add('Basic authorization', plain, { auth: 'basic' });
  add('no authorization', plain, { auth: 'none' });
  add('chunked body', plain, { chunked: true });
  add('foreign origin', plain, { headers: { 'Content-Type': json, Origin: 'http://elsewhere.example' } });
  add('PUT', plain, { method: 'PUT' });
  add('XML-RPC', xmlCall(read, ask), { headers: { 'Content-Type': 'text/xml' } });
  add('XML-RPC without id in domain', xmlCall(read, [[['name', 'ilike', '%']], 0, 2, null, ['name', 'phone', 'write_date'], {}]),
    { headers: { 'Content-Type': 'text/xml' } });

  // Roads to values
  call('search gives ids', 'model.party.party.search', [[['contact_mechanisms.value', '=', mobile.value]], 0, 10, null, {}]);
  call('read', 'model.party.party.read', [[firm.id, person.id], ['name', 'rec_name', 'full_name', 'phone', 'mobile', 'email', 'website'], {}]);
  call('read inactive', read, [[['active', '=', false]], 0, 10, null, ['name', 'mobile'], {}]);
  call('read at a past time', 'model.party.party.read', [[firm.id], ['name', 'phone'], { _datetime: { __class__: 'datetime', year: 2099, month: 1, day: 1, hour: 0, minute: 0, second: 0, microsecond: 0 } }]);
  call('addresses', 'model.party.address.search_read', [[['party', '=', firm.id]], 0, 10, null, ['rec_name', 'full_address', 'party_name', 'street', 'party.rec_name'], {}]);
  call('contact mechanisms', 'model.party.contact_mechanism.search_read', [[['party', '=', firm.id]], 0, 20, null, ['value', 'value_compact', 'other_value', 'email', 'url', 'rec_name', 'name', 'comment'], {}]);
  call('identifiers', 'model.party.identifier.search_read', [[['party', '=', firm.id]], 0, 10, null, ['code', 'rec_name', 'type'], {}]);
  call('bank accounts', 'model.bank.account.search_read', [[['owners', '=', firm.id]], 0, 10, null, ['rec_name', 'numbers.number', 'numbers.number_compact', 'owners.rec_name'], {}]);
  call('relations', 'model.party.relation.all.search_read', [[], 0, 20, null, ['rec_name', 'from_.rec_name', 'to.rec_name', 'from_.mobile'], {}]);
  call('opportunity to bank account', 'model.sale.opportunity.search_read', [[], 0, 20, null, ['rec_name', 'description', 'comment', 'lost_reason', 'reference', 'party.rec_name', 'party.bank_accounts.rec_name', 'contact.rec_name', 'address.rec_name'], {}]);
  call('opportunity figures by employee', 'model.sale.opportunity_employee.search_read', [[], 0, 20, null, ['employee.rec_name', 'number', 'amount'], {}]);
  call('notes', 'model.ir.note.search_read', [[], 0, 50, null, ['message', 'message_wrapped', 'resource.rec_name', 'last_user'], {}]);
  call('attachments with data', 'model.ir.attachment.search_read', [[], 0, 50, null, ['name', 'description', 'rec_name', 'data', 'resource.rec_name'], {}]);
  call('attachment sizes', 'model.ir.attachment.search_read', [[], 0, 50, null, ['name', 'data'], { 'ir.attachment.data': 'size' }]);
  call('employees', 'model.company.employee.search_read', [[], 0, 20, null, ['rec_name', 'party.phone', 'party.email'], {}]);
  call('users', 'model.res.user.search_read', [[], 0, 20, null, ['login', 'name', 'email', 'rec_name', 'avatar_url'], {}]);
  call('password hashes', 'model.res.user.search_read', [[], 0, 20, null, ['login', 'password_hash', 'password'], {}]);
  call('web users', 'model.web.user.search_read', [[], 0, 20, null, ['email', 'party.rec_name', 'rec_name'], {}]);
  call('newsletter addresses', 'model.marketing.email.search_read', [[], 0, 20, null, ['email', 'email_token', 'party.rec_name', 'web_user.rec_name', 'rec_name'], {}], { user: 'markus' });
  call('newsletter addresses as sales', 'model.marketing.email.search_read', [[], 0, 20, null, ['email'], {}]);
  call('preferences', 'model.res.user.get_preferences', [false, {}]);
  call('context', 'model.res.user.get_preferences', [true, {}]);
  call('autocomplete', read, [[['rec_name', 'ilike', `%${firm.name.slice(0, 4)}%`]], 0, 1000, null, ['rec_name'], {}]);
  call('global search', 'model.ir.model.global_search', [person.name.split(' ').at(-1), 20, null, {}]);
  call('mail address completion', 'model.ir.email.complete', ['cla', 20, {}]);
  call('mail template for a party', 'model.ir.email.template.get_default', ['party.party', firm.id, {}]);
  call('record names', 'model.ir.model.get_names', [{}]);
  call('sent mail', 'model.ir.email.search_read', [[], 0, 20, null, ['recipients', 'subject', 'body'], {}]);
  call('bookmarks', 'model.ir.ui.view_search.search_read', [[], 0, 20, null, ['name', 'domain', 'model'], {}]);
  call('letter', 'report.party.letter.execute', [[firm.id], { model: 'party.party', id: firm.id, ids: [firm.id] }, {}]);
  call('letters in bulk', 'report.party.letter.execute', [[firm.id, person.id, other.id], { model: 'party.party', id: firm.id, ids: [firm.id, person.id, other.id] }, {}]);
  call('labels', 'report.party.label.execute', [[firm.id, person.id], { model: 'party.party', id: firm.id, ids: [firm.id, person.id] }, {}]);
  call('export_data', 'model.party.party.export_data', [[firm.id, person.id], ['code', 'name', 'contact_mechanisms/value', 'addresses/full_address', 'bank_accounts/numbers/number'], {}]);
  call('export_data_domain', 'model.party.party.export_data_domain', [[], ['name', 'contact_mechanisms/value', 'identifiers/code'], 0, 100, null, {}]);
  call('history_revisions', 'model.party.party.history_revisions', [[firm.id], {}]);
  call('resources', 'model.party.party.resources', [[firm.id], {}]);
  call('default_get with a party', 'model.sale.opportunity.default_get', [['party', 'address', 'company', 'employee'], { default_party: firm.id, company: 1, employee: 1 }]);
  call('on_change echo', 'model.party.contact_mechanism.on_change_value', [{ id: mobile.id, type: 'mobile', value: mobile.value, party: firm.id }, {}]);
  call('on_change_with echo', 'model.ir.note.on_change_with', [{ id: firm.notes[0].id, message: firm.notes[0].message }, ['message_wrapped'], {}]);
  call('on_change by id alone', 'model.sale.opportunity.on_change', [{ id: firm.opportunities[0].id, party: person.id, lines: [] }, ['party'], {}]);
  call('cities of a postal code', 'model.party.address.autocomplete_city', [{ city: 'B', postal_code: '10115', country: 1 }, {}]);
  call('fields_get', 'model.party.party.fields_get', [null, {}]);
  call('form view', 'model.party.party.fields_view_get', [null, 'form', {}]);
  call('toolbar', 'model.party.party.view_toolbar_get', [{}]);
  call('list of methods', 'system.listMethods', []);
  call('help of a method', 'system.methodHelp', [read]);
  call('databases', 'common.db.list', [], { path: '/', auth: 'none' });
  call('server version', 'common.server.version', [], { path: '/', auth: 'none' });
  add('bus', JSON.stringify({ channels: ['client:x'], last_message: null }), { path: '/crm/bus' });
  add('replace wizard', '{"id":1,"method":"wizard.party.replace.execute","params":["$first",{},"ask",{"active_id":'
    + `${firm.id},"active_ids":[${firm.id}],"active_model":"party.party"}]}`, {
    user: 'paula', first: { body: rpc('wizard.party.replace.create', [{}]), take: ['result', 0] } });

  // Questions whose answer holds no value
  call('count by phone prefix', 'model.party.party.search_count', [[['contact_mechanisms.value', 'like', `${mobile.value.slice(0, 12)}%`]], {}]);
  call('count by IBAN prefix', 'model.party.party.search_count', [[['bank_accounts.numbers.number_compact', 'like', `${person.ibans[0].compact.slice(0, 8)}%`]], {}]);
  call('count by where', 'model.party.party.search_count', [[['contact_mechanisms', 'where', [['value_compact', '=', mobile.forms[1]]]]], {}]);
  call('count by password hash', 'model.res.user.search_count', [[['password_hash', 'like', '$%']], {}]);
  call('count by note text', 'model.ir.note.search_count', [[['message', 'ilike', '%depression%']], {}]);
  call('count by name of the resource', 'model.ir.note.search_count', [[['resource.name', 'ilike', `%${firm.name}%`, 'party.party']], {}]);
  call('count by the party of an opportunity', 'model.sale.opportunity.search_count', [[['party.contact_mechanisms.value', 'ilike', '%@%']], {}]);
  call('count in another tongue', 'model.party.party.search_count', [['OR', ['rec_name', 'ilike', `%${mobile.forms[1]}%`], ['id', '=', -1]], { language: 'fr' }]);
  call('names from M on', 'model.party.party.search', [[['name', '>=', 'M']], 0, 100, null, {}]);
  call('order by name', 'model.party.party.search', [[], 0, 10, [['name', 'ASC']], {}]);
  call('order by identifier', 'model.party.identifier.search', [[], 0, 10, [['code', 'DESC']], {}]);
  call('order by dotted IBAN', 'model.bank.account.number.search', [[], 0, 10, [['number_compact', 'ASC'], ['account.bank.party.name', 'DESC']], {}]);
  call('order by password hash', 'model.res.user.search', [[], 0, 10, [['password_hash', 'ASC']], {}]);
  call('order by party of the opportunity', 'model.sale.opportunity.search', [[], 0, 10, [['party.name', 'ASC']], {}]);

  // Other routes
  const csv = (name, model, query, over) => get(name, `/crm/data/${model}?${query}`, over);
  const domain = encodeURIComponent(JSON.stringify([['id', '=', firm.id]]));
  csv('CSV', 'party.party', `f=name&f=contact_mechanisms/value&d=${domain}&s=5&p=0&l=de&enc=utf-8&dl=,&qc=%22&h=1&loc=0`);
  csv('CSV in cp1252 with semicolons', 'party.party', `f=name&f=addresses/full_address&d=${domain}&l=de&enc=cp1252&dl=;&qc=%22&h=0&loc=1`);
  csv('CSV in utf-16', 'party.party', `f=name&f=phone&d=${domain}&enc=utf-16`);
  csv('CSV in utf-7', 'party.party', `f=name&f=email&d=${domain}&enc=utf-7`);
  csv('CSV in base64', 'party.party', `f=name&f=email&d=${domain}&enc=base64`);
  csv('CSV between letters', 'party.party', `f=name&f=mobile&d=${domain}&dl=e&qc=1`);
  csv('CSV by default', 'party.party', 'f=name&f=bank_accounts/rec_name');
  csv('CSV by phone', 'party.party', `f=id&d=${encodeURIComponent(JSON.stringify([['contact_mechanisms.value', '=', mobile.value]]))}`);
  csv('CSV ordered by name', 'party.party', 'f=id&o=name,DESC&s=5');
  csv('CSV of notes', 'ir.note', 'f=message&f=resource/rec_name');
  csv('CSV with Basic', 'party.party', `f=name&d=${domain}`, { auth: 'basic' });
  csv('CSV without login', 'party.party', `f=name&d=${domain}`, { auth: 'none' });
  csv('CSV over a doubled slash', '/party.party', `f=name&d=${domain}`);
  csv('CSV with the model encoded', 'party%2Eparty', `f=name&d=${domain}`);
  get('HTML editor of a comment', `/crm/ir/html/sale.opportunity/${firm.opportunities[0].id}/comment?language=de&title=x`);
  get('HTML editor of a note', `/crm/ir/html/ir.note/${firm.notes[0].id}/message?language=de&title=x`);
  get('avatar', `${firm.avatar_url}?s=64`, { auth: 'none' });
  get('empty image', '/m/empty.gif', { auth: 'none' });
  get('start page', '/', { auth: 'none' });
  get('custom.js', '/custom.js', { auth: 'none' });
  get('translations', '/locale/de.json', { auth: 'none' });
  get('OPTIONS', '/crm/', { method: 'OPTIONS', auth: 'none' });
  add('application key', JSON.stringify({ user: 2, application: 'x' }), { path: '/crm/user/application/' });

  // Errors that quote
  const phone = (value) => [[mobile.id], { type: 'mobile', value }, {}];
  call('write error quotes phone and party', 'model.party.contact_mechanism.write', phone('+49 171 12'));
  add('write error as HTML', JSON.stringify({ method: 'model.party.contact_mechanism.write', params: phone('+49 171 12') }));
  add('write error in XML-RPC', xmlCall('model.party.contact_mechanism.write', phone('+49 171 12')), { headers: { 'Content-Type': 'text/xml' } });
  call('VAT error quotes party', 'model.party.identifier.write', [[firm.identifiers[0].id], { code: 'DE123' }, {}]);
  call('IBAN error quotes number', 'model.bank.account.number.write', [[person.ibans[0].id], { number: `${person.ibans[0].compact.slice(0, -1)}0` }, {}], { user: 'paula' });
  call('import error quotes cell', 'model.party.party.import_data', [['name', 'addresses/country'], [['Neu GmbH', person.name]], {}], { user: 'paula' });
  call('import error quotes number', 'model.party.contact_mechanism.import_data', [['party', 'type', 'value'], [[firm.name, 'phone', '+49 30 1']], {}], { user: 'paula' });
  call('delete error', 'model.party.party.delete', [[firm.id], {}], { user: 'paula' });
  call('read of an unknown field', 'model.party.party.read', [[firm.id], ['nickname'], {}]);
  call('read of an unknown record', 'model.party.party.read', [[999999], ['name'], {}]);
  call('unknown model', 'model.no.such.search', [[], {}]);
  call('unknown method', 'model.party.party.browse', [[1], {}]);
  call('domain with an unknown field', 'model.party.party.search', [[['nickname', '=', 'x']], 0, 1, null, {}]);
  call('write past its time', 'model.party.party.write', [[firm.id], { lang: null }, { _timestamp: { [`party.party,${firm.id}`]: '1.0' } }]);
  call('missing context', 'model.party.party.search', [[]]);
  add('broken JSON', '{"id":1,"method":');
  add('unknown database', plain, { path: '/nodb/' });
  call('sign-in with a wrong password', 'common.db.login', ['vera', { password: 'x' }, 'de'], { auth: 'none' });
  call('sign-in without a password', 'common.db.login', ['vera', {}, 'de'], { auth: 'none' });

  // What changes something comes last
  call('copy without right to bank accounts', 'model.party.party.copy', [[firm.id], {}, {}]);
  call('copy', 'model.party.party.copy', [[person.id], { name: 'Kopie' }, {}], { user: 'paula' });
  call('write several', 'model.party.party.write', [[person.id], { name: 'Umbenannt Eins' }, [firm.id], { name: 'Umbenannt Zwei' }, {}], { user: 'paula' });
  call('write through a one2many', 'model.party.party.write', [[other.id], { contact_mechanisms: [['write', [other.phones[0].id], { value: '+49 30 23125991' }], ['create', [{ type: 'email', value: 'neu@post.example' }]]] }, {}], { user: 'paula' });
  call('import', 'model.party.party.import_data', [['name', 'code'], [['Import GmbH', 'IMP-1']], {}], { user: 'paula' });
  call('convert button', 'model.sale.opportunity.opportunity', [[firm.opportunities[0].id], {}]);
  return list;
}

function xmlValue(value) {
  if (value === null) return '<nil/>';
  if (Array.isArray(value)) return `<array><data>${value.map((v) => `<value>${xmlValue(v)}</value>`).join('')}</data></array>`;
  if (typeof value === 'number') return `<int>${value}</int>`;
  if (typeof value === 'object') {
    return `<struct>${Object.entries(value).map(([k, v]) => `<member><name>${k}</name><value>${xmlValue(v)}</value></member>`).join('')}</struct>`;
  }
  return `<string>${value.replace(/&/g, '&amp;').replace(/</g, '&lt;')}</string>`;
}

function xmlCall(method, params) {
  const values = params.map((p) => `<param><value>${xmlValue(p)}</value></param>`).join('');
  return `<?xml version="1.0"?><methodCall><methodName>${method}</methodName><params>${values}</params></methodCall>`;
}

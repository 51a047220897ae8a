// odoo-await and the client of XML-RPC below it, and what a client of JSON-2 sends.
import OdooAwait from 'odoo-await';
import xmlrpc from 'xmlrpc';
import { base, header, step } from './harness.mjs';

// The client has no place for a header of one's own: what it hands to its XML-RPC gets it.
class Odoo extends OdooAwait {
  createClientOptions(path) {
    return { ...super.createClientOptions(path), headers: { ...header } };
  }
}
const odoo = new Odoo({ baseUrl: base, db: 'kontor', username: 'api@example.com', password: 'k3y-0f-the-CRM' });

await step('connect', () => odoo.connect());
await step('list', () => odoo.searchRead('res.partner', [['is_company', '=', false]], ['name', 'email', 'phone'], { limit: 10 }));
await step('search', () => odoo.search('res.partner', { is_company: true }));
await step('read', () => odoo.read('res.partner', 1075, ['name', 'phone']));
await step('fields', () => odoo.getFields('res.partner', ['type']));
await step('filter', () => odoo.searchRead('res.partner', ['phone', 'like', '030'], ['name']));
await step('save', async () => {
  const [{ id, ...values }] = await odoo.read('res.partner', 1075, ['name', 'email', 'phone']);
  return odoo.update('res.partner', id, { ...values, name: 'Łukasz <Wróbel> & Co' });
});
await step('edited', async () => {
  const [{ id, phone }] = await odoo.read('res.partner', 1075, ['phone']);
  return odoo.update('res.partner', id, { phone: `${phone}1` });
});
await step('create', () => odoo.create('res.partner', { name: 'Zoë', bank_ids: { action: 'create', value: { acc_number: 'DE75512108001245126199' } } }));
await step('action', () => odoo.action('res.partner', 'action_reset_password', 1075));
await step('fault', () => odoo.read('res.partner', 404, ['name']));

const call = (path, method, params) => new Promise((resolve, reject) => {
  xmlrpc.createClient({ url: `${base}/xmlrpc/2/${path}`, headers: { ...header } }).methodCall(method, params, (e, value) => (e ? reject(e) : resolve(value)));
});
await step('version', () => call('common', 'version', []));
await step('execute', () => call('object', 'execute', ['kontor', 7, 'k3y-0f-the-CRM', 'res.partner', 'read', [1075], ['name', 'phone']]));
await step('many', () => call('object', 'system.multicall', [[{ methodName: 'execute', params: [] }]]));
await step('databases', () => call('db', 'list', []));
await step('signed out', () => new Promise((resolve, reject) => {
  xmlrpc.createClient({ url: `${base}/xmlrpc/2/object` }).methodCall('execute', [], (e, value) => (e ? reject(e) : resolve(value)));
}));

async function json2(method, body) {
  const answer = await fetch(`${base}/json/2/res.partner/${method}`, {
    method: 'POST', headers: { ...header, Authorization: 'bearer key', 'Content-Type': 'application/json' }, body: JSON.stringify(body),
  });
  const said = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(said.message), { status: answer.status });
  return said;
}
await step('json-2 search_read', () => json2('search_read', { domain: [['is_company', '=', false]], fields: ['name', 'email', 'phone'], order: 'name', limit: 10 }));
await step('json-2 filter', () => json2('search_read', { domain: [['phone', 'like', '030']], fields: ['name'] }));
await step('json-2 write', async () => {
  const [record] = await json2('search_read', { domain: [], fields: ['name', 'email', 'phone'], limit: 1 });
  const { id, ...vals } = record;
  return json2('write', { ids: [id], vals: { ...vals, name: 'Łukasz Wróbel' } });
});
await step('session', async () => {
  const answer = await fetch(`${base}/web/session/get_session_info`, {
    method: 'POST', headers: { ...header, 'Content-Type': 'application/json' }, body: JSON.stringify({ jsonrpc: '2.0', method: 'call', id: 1, params: {} }),
  });
  return answer.json();
});

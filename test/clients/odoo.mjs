// odoo-await, which speaks XML-RPC, and what a client of JSON-2 sends.
import OdooAwait from 'odoo-await';
import { base, header, step } from './harness.mjs';

// The client has no place for a header of one's own: what it hands to its XML-RPC gets it.
class Odoo extends OdooAwait {
  createClientOptions(path) {
    return { ...super.createClientOptions(path), headers: { ...header } };
  }
}
const odoo = new Odoo({ baseUrl: base, db: 'kontor', username: 'api@example.com', password: 'key' });

await step('connect', () => odoo.connect());
await step('list', () => odoo.searchRead('res.partner', [], ['name', 'phone']));
await step('save', () => odoo.update('res.partner', 1075, { name: 'Łukasz' }));

async function json2(method, body) {
  const answer = await fetch(`${base}/json/2/res.partner/${method}`, {
    method: 'POST', headers: { ...header, Authorization: 'bearer key', 'Content-Type': 'application/json' }, body: JSON.stringify(body),
  });
  const said = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(said.message), { status: answer.status });
  return said;
}
await step('search_read', () => json2('search_read', { domain: [['is_company', '=', false]], fields: ['name', 'email', 'phone'], order: 'name', limit: 10 }));
await step('filter', () => json2('search_read', { domain: [['phone', 'like', '030']], fields: ['name'] }));
await step('write', async () => {
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

// HubSpot's own client.
import { Client } from '@hubspot/api-client';
import { base, header, step } from './harness.mjs';

const client = new Client({ accessToken: 'pat-eu1-0', basePath: base, defaultHeaders: header });
const { basicApi, searchApi } = client.crm.contacts;
const names = ['firstname', 'email', 'phone', 'mobilephone', 'iban'];

await step('list', () => basicApi.getPage(2, undefined, names));
await step('read', () => basicApi.getById('90210000151', names));
await step('filter', () => searchApi.doSearch({
  filterGroups: [{ filters: [{ propertyName: 'iban', operator: 'EQ', value: 'DE75900400440532013070' }] }],
  properties: names, sorts: [], limit: 10, after: 0,
}));
await step('unread', () => client.apiRequest({ method: 'POST', path: '/crm/v3/objects/contacts/search', body: { filterGroups: [], wish: 1 } }).then(async r => {
  if (!r.ok) throw Object.assign(new Error(await r.text()), { status: r.status });
}));
await step('search', () => searchApi.doSearch({
  filterGroups: [{ filters: [{ propertyName: 'email', operator: 'EQ', value: 'annika.soerensen-vogt@example.de' }] }],
  properties: names, sorts: [], limit: 10,
}));
await step('save', async () => {
  const { properties } = await basicApi.getById('90210000151', names);
  return basicApi.update('90210000151', { properties: { ...properties, firstname: 'Anika' } });
});
await step('all', () => client.crm.contacts.getAll(2, undefined, names));
await step('next', async () => {
  const page = await basicApi.getPage(2, undefined, names);
  const next = await fetch(page.paging.next.link, { headers: header });
  return { link: page.paging.next.link, status: next.status, body: await next.text() };
});

// dynamics-web-api.
import { DynamicsWebApi } from 'dynamics-web-api';
import { base, header, step } from './harness.mjs';

const api = new DynamicsWebApi({
  serverUrl: base, dataApi: { version: '9.2' }, onTokenRefresh: async () => 'token', headers: header,
});
const key = '9c9f62b3-bf21-5db4-8017-d792f7db7f0a';
const select = ['fullname', 'emailaddress1', 'telephone1', 'birthdate', 'address1_composite', 'gendercode'];

await step('list', () => api.retrieveMultiple({ collection: 'contacts', select, orderBy: ['createdon'], count: true, includeAnnotations: '*' }));
await step('read', () => api.retrieve({ collection: 'contacts', key, select }));
await step('filter', () => api.retrieveMultiple({ collection: 'contacts', select: ['fullname'], filter: "birthdate eq 1984-03-17" }));
await step('order', () => api.retrieveMultiple({ collection: 'contacts', select: ['fullname'], orderBy: ['telephone1'] }));
await step('unread', () => api.retrieveMultiple({ collection: 'contacts', select: ['fullname'], queryParams: ['$compute=telephone1 as p'] }));
await step('save', async () => {
  const record = await api.retrieve({ collection: 'contacts', key, select });
  return api.update({ collection: 'contacts', key, data: { ...Object.fromEntries(select.map(n => [n, record[n]])), fullname: 'Anika Sörensen-Vogt' } });
});
await step('edited', () => api.update({ collection: 'contacts', key, data: { birthdate: '1980-01-01' } }));
await step('matched', () => api.update({ collection: 'contacts', key, data: { fullname: 'Anika' }, ifmatch: 'W/"4711000"' }));
await step('create', () => api.create({ collection: 'contacts', data: { fullname: 'Anna Neu' } }));
await step('next', async () => {
  const page = await api.retrieveMultiple({ collection: 'contacts', select: ['fullname'], orderBy: ['createdon'] });
  return { link: page['@odata.nextLink'], page: await api.retrieveMultiple({ collection: 'contacts' }, page['@odata.nextLink']) };
});
await step('all', () => api.retrieveAll({ collection: 'contacts', select: ['fullname'], orderBy: ['createdon'] }));
await step('fetch', () => api.fetch({ collection: 'contacts', fetchXml: '<fetch><entity name="contact"><attribute name="fullname" alias="n"/><attribute name="birthdate" alias="b"/></entity></fetch>' }));
await step('batch', async () => {
  api.startBatch();
  api.retrieve({ collection: 'contacts', key, select });
  api.retrieveMultiple({ collection: 'contacts', select });
  return api.executeBatch();
});

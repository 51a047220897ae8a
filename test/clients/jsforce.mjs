// jsforce: its build for Node.
import jsforce from '@jsforce/jsforce-node';
import { base, header, step } from './harness.mjs';

// Each connection has a transport of its own; what it sends gets the gate's header.
function through(connection) {
  for (const transport of [connection._transport, connection.oauth2?._transport]) {
    const send = transport?.httpRequest;
    if (send) {
      transport.httpRequest = (request, options) =>
        send.call(transport, { ...request, headers: { ...request.headers, ...header } }, options);
    }
  }
  return connection;
}

const version = '62.0';
const connection = through(new jsforce.Connection({ instanceUrl: base, accessToken: '00Dxx!token', version }));
const soql = 'SELECT Id, Name, Email, Phone, Birthdate, Account.Name FROM Contact ORDER BY Name';
const id = '003QyCCCCCfbmF0I5I';

await step('list', () => connection.query(soql));
await step('read', () => connection.sobject('Contact').retrieve(id));
await step('filter', () => connection.query("SELECT Id FROM Contact WHERE Birthdate = 1971-11-02"));
await step('find', () => connection.sobject('Contact').find({ Phone: '+49 89 99998 417' }, ['Id']).execute());
await step('unread', () => connection.query("SELECT Id FROM Contact WITH DATA CATEGORY Geography__c AT usa__c"));
await step('save', async () => {
  const { attributes, ...record } = await connection.sobject('Contact').retrieve(id);
  return connection.sobject('Contact').update({ ...record, FirstName: 'Jörg' });
});
await step('edited', () => connection.sobject('Contact').update({ Id: id, Birthdate: '1980-01-01' }));
await step('next', async () => {
  const page = await connection.query(soql);
  return connection.queryMore(page.nextRecordsUrl);
});

// Signing in at the CRM: what comes after goes where the answer says.
await step('oauth', async () => {
  const c = through(new jsforce.Connection({ oauth2: { loginUrl: base, clientId: 'sync', clientSecret: 'none' }, loginUrl: base, version }));
  await c.loginByOAuth2('api@example.com', 'secret');
  return { instance: c.instanceUrl, id: c.userInfo, record: await c.sobject('Contact').retrieve(id) };
});
await step('soap', async () => {
  const c = through(new jsforce.Connection({ loginUrl: base, version }));
  await c.login('api@example.com', 'secret');
  return { instance: c.instanceUrl, id: c.userInfo, record: await c.sobject('Contact').retrieve(id) };
});

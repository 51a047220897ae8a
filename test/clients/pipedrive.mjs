// Pipedrive's own client.
import { Configuration, PersonsApi, ItemSearchApi } from 'pipedrive/v2';
import { base, header, step } from './harness.mjs';

const configuration = new Configuration({ apiKey: 'token', basePath: base + '/api/v2' });
configuration.baseOptions = { headers: header };
const persons = new PersonsApi(configuration);

await step('list', () => persons.getPersons({ limit: 2 }));
await step('read', () => persons.getPerson({ id: 2001 }));
await step('sort', () => persons.getPersons({ sort_by: 'birthday' }));
await step('filter', () => new ItemSearchApi(configuration).searchItemByField({ term: '49 40', entity_type: 'person', field: 'phone', match: 'beginning' }));
await step('search', () => persons.searchPersons({ term: 'Annika', fields: 'name' }));
await step('save', async () => {
  const { data } = await persons.getPerson({ id: 2001 });
  const { name, emails, phones, notes, birthday, job_title } = data;
  return persons.updatePerson({ id: 2001, UpdatePersonRequest: { name, emails, phones, notes, birthday, job_title } });
});
await step('next', async () => {
  const page = await persons.getPersons({ limit: 2 });
  return persons.getPersons({ limit: 2, cursor: page.additional_data.next_cursor });
});

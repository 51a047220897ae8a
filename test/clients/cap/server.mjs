// A live service of OData v4: SAP's CAP with its database in memory. It says where it
// listens, on its one line that begins with "service ready".
import { fileURLToPath } from 'node:url';
import cds from '@sap/cds';
import express from 'express';

cds.root = fileURLToPath(new URL('.', import.meta.url));
cds.env.requires.auth = { kind: 'dummy' };
cds.env.requires.db = { kind: 'sqlite', impl: '@cap-js/sqlite', driver: 'sql.js', credentials: { url: ':memory:' } };
cds.env.query.limit = { default: 2, max: 1000 }; // pages are short unless somebody asks for more

const model = await cds.load(cds.root + 'crm.cds');
cds.model = cds.linked(model);
const db = await cds.connect.to('db');
await cds.deploy(model).to(db);
cds.model = cds.compile.for.nodejs(model);

const { INSERT } = cds.ql;
const id = n => `00000000-0000-4000-8000-00000000000${n}`;
const modifiedAt = '2026-05-04T07:12:44.090Z';
await db.run(INSERT.into('kontor.Customers').entries([
  { ID: id(1), firstName: 'Annika', lastName: 'Sörensen-Vogt', email: 'annika.soerensen-vogt@example.de', phone: '+49 40 66969 112', birthDate: '1984-03-17', iban: 'DE75900400440532013070', city: 'Hamburg', segment: 'A', vip: true, notes: 'Rückruf nach der Bandscheiben-OP.', modifiedAt },
  { ID: id(2), firstName: 'Jürgen', lastName: 'Müßig', email: 'juergen.muessig@example.de', phone: '+49 89 99998 417', birthDate: '1971-11-02', iban: 'DE29900500001234567890', city: 'München', segment: 'A', vip: false, notes: 'Mitglied der IG Metall.', modifiedAt },
  { ID: id(3), firstName: 'Ayşe', lastName: 'Yıldırım', email: 'ayse.yildirim@example.de', phone: '+49 221 4710 556', birthDate: '1979-01-08', iban: 'DE50900700000987654321', city: 'Köln', segment: 'B', vip: false, notes: 'Wünscht keine Anrufe.', modifiedAt },
]));
await db.run(INSERT.into('kontor.Orders').entries([
  { ID: 11, title: 'Kühlaggregat', amount: 1200, currency: 'EUR', customer_ID: id(1) },
  { ID: 12, title: 'Wartung', amount: 300, currency: 'EUR', customer_ID: id(1) },
  { ID: 13, title: 'Verdichter', amount: 8000, currency: 'EUR', customer_ID: id(2) },
]));

const app = express();
await cds.serve('all').from(cds.model).in(app);
const server = app.listen(0, '127.0.0.1', () => console.log(`service ready: http://127.0.0.1:${server.address().port}`));

// Works in Tryton's web client as its users do and writes down everything that went over the wire.
//
//   node tryton.mjs BASE_URL OUT --facts FACTS.json [--provider CONFIG.json] [--users vera,paula,markus]
//                   [--only step,step] [--shots]
//
// BASE_URL is Tryton itself or a gateway before it; --provider names the accounts of the provider that the gateway
// sends people to. OUT gets capture.jsonl (one line for each request: user, step, headers, bodies),
// results-USER.json, what was downloaded, and a screenshot of each failed step (--shots: of every step).
// The exit status is 0 only if every step went well.
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Client } from './client.mjs';
import { Harness } from './harness.mjs';
import * as steps from './steps.mjs';

export const tours = {
  vera: ['signIn', 'partyList', 'searchByName', 'searchByPhone', 'searchByField', 'partyPages', 'partySave', 'contactAdd',
    'contactRefused', 'contactRefusedUndo', 'notes', 'attachments', 'history', 'pastState', 'relate', 'letter', 'email', 'exportList',
    'exportAddress', 'opportunitySave', 'opportunityNew', 'opportunityButton', 'globalSearch', 'preferences', 'signOut'],
  paula: ['signIn', 'searchByIban', 'bankAccounts', 'partyPages', 'partySave', 'relations', 'duplicate', 'replaceWizard',
    'exportList', 'signOut'],
  markus: ['signIn', 'newsletter', 'partyPages', 'globalSearch', 'signOut'],
};

async function tour(user, { base, out, facts, accounts, only, shots }) {
  const harness = await Harness.open({ out, user, shots });
  const client = new Client(harness, {
    base, account: { login: user, password: facts.users[user].password }, identity: accounts[user],
  });
  try {
    for (const name of tours[user].filter((step) => step === 'signIn' || !only || only.includes(step))) {
      const step = steps[name];
      const ok = await harness.run(name, () => step(client, facts), { expectDialog: step.expectDialog });
      if (!ok && name === 'signIn') break;
      if (!ok) await harness.run('recover', () => client.recover());
    }
  } finally {
    await harness.close();
  }
  return harness.results;
}

const { values, positionals: [base, out] } = parseArgs({
  allowPositionals: true,
  options: {
    facts: { type: 'string' }, provider: { type: 'string' }, users: { type: 'string', default: 'vera,paula,markus' },
    only: { type: 'string' }, shots: { type: 'boolean', default: false },
  },
});
const facts = JSON.parse(readFileSync(values.facts, 'utf8'));
const accounts = values.provider ? JSON.parse(readFileSync(values.provider, 'utf8')).accounts : {};
rmSync(join(out, 'capture.jsonl'), { force: true });
let failed = 0;
for (const user of values.users.split(',')) {
  const results = await tour(user, {
    base: base.endsWith('/') ? base : `${base}/`, out, facts, accounts, only: values.only?.split(','), shots: values.shots,
  });
  for (const { step, ok, ms, error } of results) {
    console.log(`${ok ? 'ok    ' : 'FAILED'} ${user} ${step} ${ms} ms${error ? `\n       ${error.replaceAll('\n', '\n       ')}` : ''}`);
    failed += ok ? 0 : 1;
  }
}
process.exitCode = failed ? 1 : 0;

// Works in Tryton's web client through a gateway: all that tryton.mjs does, with what gateway-steps.mjs says differs.
//
//   node gateway.mjs BASE_URL OUT --facts FACTS.json --provider CONFIG.json [--users vera,paula] [--only step,step] [--shots]
//
// OUT is what tryton.mjs makes, and replaced.json: the steps that differ from the plain ones. The exit status is 0 only if every step went as it should behind a gateway.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Client } from './client.mjs';
import * as differing from './gateway-steps.mjs';
import { Harness } from './harness.mjs';
import * as plain from './steps.mjs';

const tours = {
  vera: ['twoTabs', 'signIn', 'partyList', 'searchByName', 'searchByPhone', 'searchByField', 'partyPages', 'maskedForm',
    'maskedList', 'maskedCompletion', 'neutralPictures', 'partySave', 'nameSave', 'phoneUntouched', 'phoneEditRefused',
    'contactAdd', 'contactRefused', 'contactRefusedUndo', 'notes', 'notesHidden', 'attachments', 'attachmentRefused', 'history', 'pastState',
    'relate', 'letter', 'email', 'exportList', 'exportAddress', 'opportunitySave', 'opportunityNew', 'opportunityButton',
    'globalSearch', 'preferences', 'sessionEnded', 'reloadSignsIn', 'signOut'],
  paula: ['signIn', 'searchByIban', 'bankAccounts', 'partyPages', 'partySave', 'relations', 'duplicate', 'replaceWizard',
    'exportList', 'signOut'],
};

const { values, positionals: [base, out] } = parseArgs({
  allowPositionals: true,
  options: {
    facts: { type: 'string' }, provider: { type: 'string' }, users: { type: 'string', default: 'vera,paula' },
    only: { type: 'string' }, shots: { type: 'boolean', default: false },
  },
});
const facts = JSON.parse(readFileSync(values.facts, 'utf8'));
const { accounts } = JSON.parse(readFileSync(values.provider, 'utf8'));
const only = values.only?.split(',');

async function tour(user) {
  const harness = await Harness.open({ out, user, shots: values.shots });
  const client = new Client(harness, {
    base: base.endsWith('/') ? base : `${base}/`, account: { login: user, password: facts.users[user].password }, identity: accounts[user],
  });
  const steps = user === 'paula' ? plain : { ...plain, ...differing };
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

rmSync(join(out, 'capture.jsonl'), { force: true });
mkdirSync(out, { recursive: true });
writeFileSync(join(out, 'replaced.json'), JSON.stringify(Object.keys(differing).filter((name) => name in plain)));
let failed = 0;
for (const user of values.users.split(',')) {
  for (const { step, ok, ms, error } of await tour(user)) {
    console.log(`${ok ? 'ok    ' : 'FAILED'} ${user} ${step} ${ms} ms${error ? `\n       ${error.replaceAll('\n', '\n       ')}` : ''}`);
    failed += ok ? 0 : 1;
  }
}
process.exitCode = failed ? 1 : 0;

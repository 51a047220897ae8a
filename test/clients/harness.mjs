// What the scripts share. Each step's outcome is told as JSON when all are done: its value, or what the client threw.
const outcomes = {};

export const base = process.env.GATE;
export const header = { 'X-Crmgate-Authorization': process.env.CREDENTIAL };

export async function step(name, run) {
  try {
    outcomes[name] = { value: (await run()) ?? null };
  } catch (e) {
    outcomes[name] = { error: told(e) };
  }
}

function told(e) {
  if (Object.getPrototypeOf(e) === Object.prototype) {
    return { class: 'Object', message: JSON.stringify(e) }; // a client that throws the answer's body itself
  }
  return {
    class: e?.constructor?.name, name: e?.name, message: String(e?.message ?? e),
    status: e?.status ?? e?.code ?? e?.response?.status, code: e?.errorCode ?? e?.faultCode,
    body: e?.body ?? e?.response?.data ?? e?.data ?? null,
  };
}

process.on('beforeExit', () => {
  process.stdout.write(JSON.stringify(outcomes));
  process.exit();
});

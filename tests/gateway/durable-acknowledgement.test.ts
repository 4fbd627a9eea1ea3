import { expect, onTestFinished, test } from 'vitest';
import { dataDir } from '../support/data-dir.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { LoadClient } from '../support/mqtt-load.ts';

const SECRET = 'door-secret-1';
const DOORS = ['door-1', 'door-2', 'door-3', 'door-4'];
/** Two compounds at once: while one gateway starts, the other is flooded. */
const COMPOUNDS = 2;
const KILLS = 50 / COMPOUNDS;

/** A small generator of its own, so that a failing run can be repeated by its seed. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const record = (door: string, id: number) =>
  JSON.stringify({
    operator: 'RecPush',
    info: { facesluiceId: door, RecordID: String(id), VerifyStatus: '1', Sendintime: '1', time: '2026-11-23 12:00:00' },
  });

test('every acknowledged message is in the journal once and the chain holds, after kill -9 at fifty random moments under load', async () => {
  const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);
  await Promise.all(Array.from({ length: COMPOUNDS }, (_, i) => killed(seed + i)));
}, 300_000);

async function killed(seed: number): Promise<void> {
  const gateway = await GatewayProcess.prepare(dataDir(), {
    devices: DOORS.map((id) => ({ id, profile: 'face-oem-mqtt', secret: SECRET })),
  });
  onTestFinished(() => gateway.kill());
  const roll = random(seed);
  const acknowledged = new Set<string>();
  /** Sent and not acknowledged: sent again after the restart, as a device does, without the DUP flag. */
  let owed: { door: string; id: number }[] = [];
  let nextId = 1;

  for (let round = 0; round < KILLS; round += 1) {
    await gateway.start();
    const sent = new Map<string, { door: string; id: number }>();
    const clients = await Promise.all(
      DOORS.map((door) =>
        LoadClient.connect({ port: gateway.ports.mqtt, clientId: door, username: door, password: SECRET }),
      ),
    );
    const killAt = performance.now() + 20 + roll() * 180;
    const floods = clients.map((client, i) => {
      const door = DOORS[i] as string;
      const again = owed.filter((one) => one.door === door);
      client.onAck = (token) => {
        acknowledged.add(token);
        sent.delete(token);
      };
      return client.flood(32, () => {
        const one = again.shift() ?? { door, id: nextId++ };
        sent.set(`${one.door}/${one.id}`, one);
        return { topic: `mqtt/face/${door}/Rec`, payload: record(door, one.id), token: `${one.door}/${one.id}` };
      });
    });
    await new Promise((resolve) => setTimeout(resolve, killAt - performance.now()));
    await gateway.kill();
    await Promise.all(floods);
    owed = [
      ...owed.filter((one) => !acknowledged.has(`${one.door}/${one.id}`) && !sent.has(`${one.door}/${one.id}`)),
      ...sent.values(),
    ];
  }

  const stored = new Map<string, number>();
  for (const entry of await gateway.journal('--kind', 'message')) {
    const info = (JSON.parse(String(entry.body['raw'])) as { info: { RecordID: string } }).info;
    const key = `${entry.subject}/${info.RecordID}`;
    stored.set(key, (stored.get(key) ?? 0) + 1);
  }
  const context = `seed ${seed}, ${acknowledged.size} acknowledged`;
  expect(acknowledged.size, context).toBeGreaterThan(KILLS);
  expect(
    [...acknowledged].filter((key) => !stored.has(key)),
    `acknowledged but lost; ${context}`,
  ).toEqual([]);
  expect(
    [...stored].filter(([, times]) => times > 1),
    `stored twice; ${context}`,
  ).toEqual([]);
  const verified = await gateway.run('verify', '--data', gateway.data, '--json');
  expect(verified.code, verified.stdout + verified.stderr).toBe(0);
}

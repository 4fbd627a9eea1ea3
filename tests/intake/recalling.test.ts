import { randomBytes } from 'node:crypto';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { Intake } from '../../src/intake/intake.ts';
import { databaseFile } from '../../src/journal/database.ts';
import { RUN_ENTRIES } from '../../src/journal/summaries.ts';
import { pass, press } from '../bench/compound.ts';
import { door, openBox, SECRET } from '../devices/box.ts';
import { catalogue } from '../devices/support.ts';
import { quiet } from '../journal/support.ts';
import { dataDir } from '../support/data-dir.ts';

const HUB = { id: 'z2m', profile: 'zigbee2mqtt-hub', secret: SECRET };
const BUTTON = { id: 'sos-1', profile: 'zigbee-sos-button', hub: 'z2m' };

test('right after a start with a large journal a press waits for nothing; a record said again is recognised, and its door stays in order', async () => {
  const dir = dataDir();
  const said17 = pass('door-1', 17);
  const { intake: before, journal: first } = await started(dir);
  await before.receive(from('door-1', said17));
  expect(before.counts).toMatchObject({ messages: 1, unknown: 0 });
  await first.close();
  const db = new Database(databaseFile(dir));
  const [key] = db.prepare('SELECT key FROM entries WHERE key IS NOT NULL').pluck().all() as Buffer[];
  const run = db.prepare('INSERT INTO key_runs VALUES (?, ?)');
  const others = () => randomBytes(16 * (RUN_ENTRIES - 1));
  // The record, and behind it 900,000 others.
  db.transaction(() => {
    for (let n = 1; n <= 221; n += 1) {
      run.run(n, Buffer.concat([others(), n === 111 ? (key as Buffer) : randomBytes(16)]));
    }
  })();
  db.close();

  const { intake, journal, board } = await started(dir);
  const order: string[] = [];
  const said = (name: string, client: string, told: { topic: string; payload: string }) =>
    intake.receive(from(client, told)).then(() => order.push(name));
  const beat = { operator: 'HeartBeat', info: { facesluiceId: 'door-1' } };
  const all = [
    said('again', 'door-1', said17),
    said('beat', 'door-1', { topic: 'mqtt/face/heartbeat', payload: JSON.stringify(beat) }),
    said('next', 'door-1', pass('door-1', 18)),
    said('press', 'z2m', press('sos-1')),
  ];
  await all[3];
  expect(board.open().map(({ device }) => device)).toEqual(['sos-1']);
  expect([order, journal.recalling === null]).toEqual([['press'], false]);
  await Promise.all(all);
  expect(new Set(order)).toEqual(new Set(['press', 'again', 'beat', 'next']));
  expect(intake.counts).toMatchObject({ messages: 4, duplicates: 1, quiet: 1 });
  expect(journal.recalling).toBeNull();
});

const from = (client: string, { topic, payload }: { topic: string; payload: string }) => ({
  client,
  topic,
  payload: Buffer.from(payload),
  qos: 1 as const,
  retain: false,
  dup: false,
  will: false,
});

async function started(dir: string) {
  const { journal, board, registry, config, clock } = await openBox({ dir, devices: [HUB, BUTTON, door('door-1')] });
  const { timezone } = config.site;
  const parts = { journal, board, catalogue: catalogue(), registry, timezone, clock, log: quiet };
  const intake = new Intake(
    parts,
    () => null,
    () => null,
  );
  return { journal, board, intake };
}

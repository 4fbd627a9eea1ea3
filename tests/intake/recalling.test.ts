import { expect, test } from 'vitest';
import { Intake } from '../../src/intake/intake.ts';
import { idSource } from '../../src/kernel/ids.ts';
import { pass, press } from '../bench/compound.ts';
import { type BoxOptions, door, openBox, SECRET } from '../devices/box.ts';
import { catalogue } from '../devices/support.ts';
import { quiet } from '../journal/support.ts';
import { dataDir } from '../support/data-dir.ts';

const HUBS = ['z2m', 'z2m-2'].map((id) => ({ id, profile: 'zigbee2mqtt-hub', secret: SECRET }));
const BUTTONS = HUBS.map(({ id }, n) => ({ id: `sos-${n + 1}`, profile: 'zigbee-sos-button', hub: id }));

test('right after a start a press without a key waits for nothing; a record said again is recognised, and its door stays in order', async () => {
  const dir = dataDir();
  const { intake: before, journal: first } = await started({ dir });
  const record = pass('door-1', 17);
  await before.receive(from('door-1', record));
  expect(before.counts).toMatchObject({ messages: 1, unknown: 0 });
  await first.close();

  let letGo = (): void => undefined;
  const held = new Promise<void>((resolve) => (letGo = resolve));
  const { intake, journal, board } = await started({ dir, turn: () => held });
  const done: string[] = [];
  const said = (name: string, client: string, told: { topic: string; payload: string }) =>
    intake.receive(from(client, told)).then(() => done.push(name));
  const keyed = JSON.stringify({ action: 'emergency', last_seen: '2026-06-01T04:00:00.000Z' });
  const waiting = [
    said('again', 'door-1', record),
    said('noise', 'door-1', { topic: record.topic, payload: 'no JSON' }),
    said('next', 'door-1', pass('door-1', 18)),
    said('keyed press', 'z2m-2', { topic: 'zigbee2mqtt/sos-2', payload: keyed }),
  ];
  const entries = () =>
    journal.read({ limit: 20, kinds: ['message', 'unknown'] }).map(({ kind, subject }) => `${kind} ${subject}`);
  const stored = entries();
  await said('press', 'z2m', press('sos-1'));
  expect([done, journal.recalling === null]).toEqual([['press'], false]);
  expect(board.open().map(({ device }) => device)).toEqual(['sos-1']);

  letGo();
  await Promise.all(waiting);
  expect(journal.recalling).toBeNull();
  expect(
    entries()
      .slice(stored.length + 1)
      .sort(),
  ).toEqual(['message door-1', 'message sos-2', 'unknown door-1']);
  const ofDoor = entries().filter((entry) => entry.endsWith('door-1'));
  expect(ofDoor, 'the record is not there twice').toEqual(['message door-1', 'unknown door-1', 'message door-1']);
  expect(board.open().map(({ device }) => device)).toEqual(['sos-1', 'sos-2']);
  expect(intake.counts).toMatchObject({ messages: 5, duplicates: 1, unknown: 1 });
});

test('a journal that is closed before it knows its content keys stores nothing of what waits for them', async () => {
  const dir = dataDir();
  let letGo = (): void => undefined;
  const held = new Promise<void>((resolve) => (letGo = resolve));
  const { intake, journal } = await started({ dir, turn: () => held });
  const waiting = expect(intake.receive(from('door-1', pass('door-1', 1)))).rejects.toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
  });
  await journal.close();
  letGo();
  await waiting;
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

async function started(options: BoxOptions) {
  const box = await openBox({ ...options, devices: [...HUBS, ...BUTTONS, door('door-1')] });
  const { journal, board, registry, config, clock } = box;
  const { timezone } = config.site;
  const parts = {
    journal,
    board,
    catalogue: catalogue(),
    registry,
    timezone,
    clock,
    log: quiet,
    newId: idSource(clock),
  };
  const intake = new Intake(
    parts,
    () => null,
    () => null,
  );
  return { journal, board, intake };
}

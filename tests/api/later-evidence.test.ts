import { expect, test } from 'vitest';
import { clipsOfCamera, laterEvidence } from '../../src/api/later-evidence.ts';
import { Journal } from '../../src/journal/journal.ts';
import type { ReadOptions } from '../../src/journal/reader.ts';
import { SimulatedClock } from '../../src/kernel/clock.ts';
import { idSource } from '../../src/kernel/ids.ts';
import { createLog } from '../../src/kernel/log.ts';
import { dataDir } from '../support/data-dir.ts';

const HOUR = 3_600_000;

async function camera() {
  const clock = new SimulatedClock(Date.UTC(2026, 5, 1));
  const newId = idSource(clock);
  const journal = await Journal.open({ dir: dataDir(), clock, newId, log: createLog('test', 'silent') });
  const says = (message: string, said: unknown) => ({
    ...({ id: newId(), kind: 'message', actor: 'device:vision', subject: 'cam-1' } as const),
    body: { message, raw: typeof said === 'string' ? said : JSON.stringify(said) },
  });
  const evidence = (of: string, kind: string, name: string) =>
    says('evidence', { of, evidence: [{ kind, ref: `media/2026/06/01/${name}`, sha256: 'ab' }] });
  /** An event, and the alarm it raises. */
  const alarm = async (id: string, said: unknown = { id }) => {
    const cause = says('event', said);
    const subject = `alarm-${id}`;
    const raised = { kind: 'alarm.raised', actor: 'system', subject, body: { change: { cause: cause.id } } } as const;
    await journal.append([cause, raised]);
    const lastAt = clock.wall();
    return { alarm: { channel: 'camera', device: 'cam-1', evidence: [], lastAt }, subject };
  };
  const asked: ReadOptions[] = [];
  const watched = {
    head: () => journal.head(),
    select: journal.select.bind(journal),
    readInTurns: (options: ReadOptions) => {
      asked.push(options);
      return journal.readInTurns(options);
    },
  };
  const of = async ({ alarm: about, subject }: Awaited<ReturnType<typeof alarm>>) => {
    const timeline = journal.read({ subject, limit: 500 });
    const found = await laterEvidence(watched, about, timeline, clock.wall());
    return found.map(({ ref }) => ref.replace('media/2026/06/01/', ''));
  };
  return { clock, journal, evidence, says, alarm, asked, watched, of };
}

test('what is told later goes with the alarm of its event, not with others of the same camera at the same time', async () => {
  const { journal, clock, evidence, alarm, of } = await camera();
  const [a, b] = [await alarm('e-a'), await alarm('e-b')];
  // One that a detector of another kind tells, in words that are no JSON.
  const c = await alarm('e-c', 'ALARM 3');
  await journal.append([
    evidence('e-a', 'picture', '1-cam-1-e-a-main-boxes.jpg'),
    evidence('e-b', 'picture', '2-cam-1-e-b-main-boxes.jpg'),
  ]);
  clock.advance(10_000);
  // Both share the clip of the first.
  for (const id of ['e-a', 'e-b']) await journal.append([evidence(id, 'clip', '1-cam-1-e-a-clip.mp4')]);
  expect(await of(a)).toEqual(['1-cam-1-e-a-main-boxes.jpg', '1-cam-1-e-a-clip.mp4']);
  expect(await of(b)).toEqual(['2-cam-1-e-b-main-boxes.jpg', '1-cam-1-e-a-clip.mp4']);
  expect(await of(c)).toEqual([]);
  // What raised it is not kept any more: its pictures say whose they are.
  const ref = 'media/2026/06/01/2-cam-1-e-b-boxes.jpg';
  const known = { ...c.alarm, evidence: [{ kind: 'picture', ref, sha256: 'ab' }] } as const;
  expect(await of({ ...c, alarm: { ...known, evidence: [...known.evidence] as never } })).toEqual([
    '2-cam-1-e-b-main-boxes.jpg',
  ]);
  await journal.close();
});

test('an old alarm is not read up to today, nor a camera back to what is not kept any more', async () => {
  const { journal, clock, says, evidence, alarm, asked, watched, of } = await camera();
  const old = await alarm('e-a');
  await journal.append([evidence('e-a', 'clip', '1-cam-1-e-a-clip.mp4')]);
  const then = journal.head();
  for (let hour = 0; hour < 8; hour += 1) {
    clock.advance(HOUR);
    await journal.append(Array.from({ length: 20 }, () => says('health', { id: 'h' })));
  }
  expect(await of(old)).toEqual(['1-cam-1-e-a-clip.mp4']);
  expect(asked.at(-1)?.before).toBe(then + 1);
  const now = clock.wall();
  expect(await clipsOfCamera(watched, 'cam-1', [], { since: now - 2 * HOUR, now })).toEqual([]);
  expect(asked.at(-1)?.after).toBe(then + 100);
  await journal.close();
});

import { expect, onTestFinished, test } from 'vitest';
import { GatewayConfig } from '../../src/config/schema.ts';
import { classOf, conditionOf, RECORD_CLASSES } from '../../src/journal/classes.ts';
import { ENTRY_KINDS, type Lane } from '../../src/journal/entry.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { Retention } from '../../src/journal/retention.ts';
import type { SimulatedClock } from '../../src/kernel/clock.ts';
import { dataDir } from '../support/data-dir.ts';
import { draft, newStart, open, quiet, verified } from './support.ts';

const DAY = 86_400_000;
const { retention: CONFIG } = GatewayConfig.parse({ site: { id: 'a', name: 'a', street: 'a' } });

function retentionOf(
  journal: Journal,
  clock: SimulatedClock,
  protect: (seq: number, lane: Lane | null) => boolean = () => false,
): Retention {
  const retention = new Retention({ journal, clock, log: quiet, protect, config: CONFIG });
  onTestFinished(() => retention.stop());
  return retention;
}

/** A clock of its own for retention: moving it by years does not fire the journal's ten-second timers. */
function clocks(wall?: number): { stamps: SimulatedClock; clock: SimulatedClock; later: (days: number) => void } {
  const stamps = newStart(wall);
  const clock = newStart(stamps.wall());
  const later = (days: number) => {
    clock.advance(days * DAY);
    stamps.stepWall(clock.wall());
  };
  return { stamps, clock, later };
}

const kinds = (journal: Journal) => journal.read({ limit: 9_999 }).map(({ kind, lane }) => classOf({ kind, lane }));

const oneOfEach = () => [
  draft({ kind: 'message', lane: null }),
  draft({ kind: 'message', lane: 2 }),
  draft({ kind: 'unknown' }),
  draft({ kind: 'alarm.raised', lane: 0 }),
  draft({ kind: 'account.changed' }),
];

test('each class goes when its own time is over, and the rest stays', async () => {
  const dir = dataDir();
  const { stamps, clock, later } = clocks();
  const journal = await open(dir, stamps);
  const retention = retentionOf(journal, clock);
  await journal.append(oneOfEach());
  later(29);
  expect(Object.values(await retention.run())).toEqual([0, 0, 0, 0, 0]);
  later(2);
  expect(await retention.run()).toEqual({ unknown: 1, messages: 1, access: 0, audit: 0, alarms: 0 });
  expect(kinds(journal)).toEqual(['access', 'alarms', 'audit', 'audit']);
  expect(journal.entry(journal.head())).toMatchObject({
    kind: 'system.retention',
    body: { removed: { unknown: 1, messages: 1 } },
  });
  later(150);
  expect(await retention.run()).toMatchObject({ access: 1, alarms: 0 });
  later(1_094);
  expect(await retention.run()).toMatchObject({ audit: 2, alarms: 1 });
  expect(await retention.run()).toMatchObject({ audit: 0, alarms: 0 });
  expect(verified(dir)).toMatchObject({ broken: null, removed: 6 });
});

test('what the centre has not got yet stays, and goes once it has', async () => {
  const { stamps, clock, later } = clocks();
  const journal = await open(dataDir(), stamps);
  let confirmed = 1;
  const retention = retentionOf(journal, clock, (seq, lane) => lane !== null && seq > confirmed);
  await journal.append(Array.from({ length: 6 }, (_, n) => draft({ kind: 'message', lane: n % 2 === 0 ? 3 : null })));
  later(31);
  await retention.run();
  const left = () => journal.read({ limit: 99, kinds: ['message'] }).map(({ seq }) => seq);
  expect(left()).toEqual([3, 5]);
  confirmed = 3;
  await retention.run();
  expect(left()).toEqual([5]);
  confirmed = 9;
  await retention.run();
  expect(left()).toEqual([]);
});

test('a clock of 1970 or of 2099 in an entry neither loses it at once nor keeps it for ever', async () => {
  const { stamps, clock } = clocks();
  const journal = await open(dataDir(), stamps);
  const start = clock.wall();
  const retention = retentionOf(journal, clock);
  for (const wall of [0, start, Date.UTC(2099, 0, 1), 1_000, start + 20 * DAY, 5]) {
    stamps.stepWall(wall);
    await journal.append([draft({ kind: 'unknown' })]);
  }
  const leftAfter = async (days: number) => {
    clock.advance(start + days * DAY - clock.wall());
    await retention.run();
    return journal.read({ limit: 99, kinds: ['unknown'] }).map(({ seq }) => seq);
  };
  expect(await leftAfter(25)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(await leftAfter(31)).toEqual([3, 4, 5, 6]);
  expect(await leftAfter(51)).toEqual([6]);
});

test('a clock that has lost its battery lets nothing go', async () => {
  const { stamps, clock } = clocks();
  const journal = await open(dataDir(), stamps);
  await journal.append(oneOfEach());
  clock.stepWall(4_000);
  await retentionOf(journal, clock).run();
  expect(journal.read({ limit: 99 })).toHaveLength(5);
});

test('after a leap, at start or under way, records wait until the clock has held for a day', async () => {
  const { stamps, clock } = clocks();
  const journal = await open(dataDir(), stamps);
  await journal.append(oneOfEach());
  const left = async (retention: Retention) => {
    await retention.run();
    return journal.read({ limit: 99 }).filter(({ kind }) => kind !== 'system.retention').length;
  };
  const underWay = retentionOf(journal, clock);
  expect(await left(underWay)).toBe(5);
  clock.stepWall(clock.wall() + 70 * 365 * DAY);
  expect(await left(underWay)).toBe(5);
  clock.advance(DAY / 2);
  expect(await left(underWay)).toBe(5);
  expect(await left(retentionOf(journal, clock))).toBe(5);
  // The time server has come to its senses: nothing is lost, and nothing waits.
  clock.stepWall(clock.wall() - 70 * 365 * DAY);
  clock.advance(DAY);
  expect(await left(underWay)).toBe(5);

  clock.stepWall(clock.wall() + 70 * 365 * DAY);
  const atStart = retentionOf(journal, clock);
  expect(await left(atStart)).toBe(5);
  clock.advance(DAY);
  expect(await left(atStart)).toBe(0);
});

test('a thousand entries and more go in steps', async () => {
  const dir = dataDir();
  const { stamps, clock, later } = clocks();
  const journal = await open(dir, stamps);
  const retention = retentionOf(journal, clock);
  for (let n = 0; n < 3; n += 1) await journal.append(Array.from({ length: 900 }, () => draft({ body: n })));
  await journal.append([draft({ kind: 'alarm.raised', lane: 0 })]);
  later(31);
  expect(await retention.run()).toMatchObject({ messages: 2_700 });
  expect(verified(dir)).toMatchObject({ entries: 2, removed: 2_700, broken: null });
  expect(journal.select('SELECT first, last FROM anchors')).toEqual([{ first: 1, last: 2_700 }]);
});

test('the table of classes and its condition in SQL say the same of every kind', async () => {
  const journal = await open(dataDir());
  const lanes: (Lane | null)[] = [null, 0, 1, 2, 3];
  await journal.append(ENTRY_KINDS.flatMap((kind) => lanes.map((lane) => draft({ kind, lane }))));
  for (const record of RECORD_CLASSES) {
    const bySql = journal
      .select<{ seq: number }>(`SELECT seq FROM entries WHERE ${conditionOf(record)} ORDER BY seq`)
      .map(({ seq }) => seq);
    const byTable = journal.read({ limit: 9_999 }).filter((entry) => classOf(entry) === record);
    expect(bySql).toEqual(byTable.map(({ seq }) => seq));
  }
});

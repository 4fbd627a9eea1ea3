import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ENTRY_KINDS, type Entry, type EntryKind, type Lane } from '../../src/journal/entry.ts';
import { exportEntries } from '../../src/journal/export.ts';
import { JournalReader, type ReadOptions } from '../../src/journal/reader.ts';
import { SEGMENT_ENTRIES } from '../../src/journal/summaries.ts';
import { quanwei } from '../support/command.ts';
import { dataDir } from '../support/data-dir.ts';
import { draft, open } from './support.ts';

const KINDS: EntryKind[] = ['message', 'unknown', 'alarm.raised', 'alarm.closed', 'device.state'];
const LANES: (Lane | null)[] = [null, 0, 1, 2, 3];
const SUBJECTS = ['door-1', 'door-2', 'door', '1', null, '一号门'];

/** The same question answered by looking at every entry. */
function naive(entries: readonly Entry[], o: ReadOptions): Entry[] {
  const found = entries.filter(
    ({ seq, kind, lane, subject }) =>
      seq > (o.after ?? 0) &&
      seq < (o.before ?? Number.MAX_SAFE_INTEGER) &&
      (o.kinds === undefined || o.kinds.includes(kind)) &&
      (o.lanes === undefined || (lane !== null && o.lanes.includes(lane))) &&
      (o.subject === undefined || o.subject === subject),
  );
  return (o.newestFirst === true ? found.toReversed() : found).slice(0, Math.max(0, o.limit));
}

test('every question is answered as by looking at every entry', { timeout: 60_000 }, async () => {
  const journal = await open(dataDir());
  const total = SEGMENT_ENTRIES * 3 + 500;
  for (let n = 0; n < total; n += 500) {
    await journal.append(
      Array.from({ length: 500 }, (_, i) => {
        const at = n + i;
        return draft({
          kind: at % 11 < 7 ? 'message' : (KINDS[at % KINDS.length] as EntryKind),
          // One subject is only spoken of in a few segments.
          subject: (at > SEGMENT_ENTRIES && at < total - 400 ? SUBJECTS[at % 4] : SUBJECTS[at % 6]) as string | null,
          lane: LANES[(at >> 2) % 5] as Lane | null,
          body: at,
        });
      }),
    );
  }
  expect(journal.select<{ n: number }>('SELECT count(*) AS n FROM segments')[0]?.n).toBeGreaterThan(1);
  const all = journal.read({ limit: 99_999 });
  expect(all).toHaveLength(journal.head());
  const seq = fc.integer({ min: 0, max: total + 10 });
  const options = fc.record(
    {
      after: seq,
      before: seq,
      limit: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.constant(99_999)),
      kinds: fc.uniqueArray(fc.constantFrom(...KINDS), { maxLength: 4 }),
      lanes: fc.uniqueArray(fc.constantFrom<Lane>(0, 1, 2, 3), { maxLength: 3 }),
      subject: fc.constantFrom('door-1', 'door', '一号门', 'nobody', ','),
      newestFirst: fc.boolean(),
    },
    { requiredKeys: ['limit'] },
  );
  fc.assert(
    fc.property(options, (o) => {
      expect(journal.read(o).map((e) => e.seq)).toEqual(naive(all, o).map((e) => e.seq));
    }),
    { numRuns: 300 },
  );
  await fc.assert(
    fc.asyncProperty(options, async (o) => {
      expect((await journal.readInTurns(o)).map((e) => e.seq)).toEqual(naive(all, o).map((e) => e.seq));
    }),
    { numRuns: 100 },
  );
  // What takes looking at several segments lets others in between them.
  let turns = 0;
  let going = true;
  const count = () => {
    turns += 1;
    if (going) setImmediate(count);
  };
  setImmediate(count);
  const asked = { subject: 'door', kinds: ['message'], limit: 99_999 } as const;
  expect(await journal.readInTurns(asked, 0)).toEqual(journal.read(asked));
  going = false;
  expect(turns).toBeGreaterThanOrEqual(3);
  fc.assert(
    fc.property(seq, fc.constantFrom<Lane>(0, 1, 2, 3), (after, lane) => {
      expect(journal.count(lane, after)).toBe(naive(all, { after, lanes: [lane], limit: 99_999 }).length);
    }),
  );
});

test('the questions of the page and of the bridge do not look at every entry', async () => {
  const journal = await open(dataDir());
  await journal.append([draft()]);
  const plan = (where: string) =>
    journal
      .select<{ detail: string }>(`EXPLAIN QUERY PLAN SELECT * FROM entries WHERE ${where} ORDER BY seq LIMIT 9`)
      .map(({ detail }) => detail)
      .join('\n');
  expect(plan('seq > 5 AND seq < 9 AND lane = 0 AND lane IN (0, 1)')).toMatch(
    /USING INDEX entries_urgent \(lane=\? AND rowid/,
  );
  expect(plan(`seq > 5 AND subject = 'x' AND kind <> 'message'`)).toMatch(/USING INDEX entries_subject \(subject=\?/);
  expect(plan(`seq > 5 AND kind = 'alarm.raised' AND kind <> 'message'`)).toMatch(/USING INDEX entries_kind \(kind=\?/);
});

test('export gives every entry in order, from a running journal and from a closed one', async () => {
  const dir = dataDir();
  const journal = await open(dir);
  for (let n = 0; n < 3; n += 1) {
    await journal.append(
      Array.from({ length: 400 }, (_, i) => draft({ kind: i % 4 === 0 ? 'unknown' : 'message', body: i })),
    );
  }
  const running = [...exportEntries(dir)];
  expect(running.map(({ seq }) => seq)).toEqual(Array.from({ length: 1_200 }, (_, n) => n + 1));
  expect(running[7]).toStrictEqual(journal.entry(8));
  expect([...exportEntries(dir, { from: 1_190, kind: 'unknown' })].map(({ seq }) => seq)).toEqual([1_193, 1_197]);
  await journal.append([draft()]);
  await journal.close();
  const reader = JournalReader.open(dir);
  expect([...exportEntries(reader)]).toHaveLength(1_201);
  reader.close();
});

test('export works from another process while the journal is written, and after a kill', async () => {
  const dir = dataDir();
  const journal = await open(dir);
  await journal.append([draft(), draft()]);
  const count = async () => (await quanwei('journal', '--data', dir, '--json')).stdout.trim().split('\n').length;
  expect(await count()).toBe(2);
  await journal.append([draft()]);
  expect(await count()).toBe(3);
});

test('there being no journal is said as such', () => {
  expect(() => [...exportEntries(dataDir())]).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  expect(ENTRY_KINDS.length).toBeGreaterThan(0);
});

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { verifyChain as verifyIn } from '../../src/journal/verify.ts';
import { dataDir, memoryDir } from '../support/data-dir.ts';
import { draft, open, until, verified } from './support.ts';

const ENTRIES = 40;

async function journalOf(entries: number): Promise<string> {
  const dir = dataDir();
  const journal = await open(dir);
  await journal.append(
    Array.from({ length: entries }, (_, n) =>
      draft({
        body: { n },
        deviceTime: n,
        lane: n % 3 === 0 ? 2 : null,
        key: n % 2 === 0 ? Buffer.alloc(16, n).toString('hex') : null,
      }),
    ),
  );
  await journal.close();
  return dir;
}

const COLUMNS = {
  id: `randomblob(16)`,
  kind: `'alarm.closed'`,
  actor: `'user:mallory'`,
  subject: `'another'`,
  wall: `wall + 1`,
  mono: `mono + 1`,
  clock: `1 - clock`,
  device_time: `device_time + 1`,
  lane: `coalesce(lane, 0) + 1`,
  key: `randomblob(16)`,
  body: `'{"n":-1}'`,
  hash: `randomblob(32)`,
} as const;

test('whatever is changed in an entry, the chain breaks there', async () => {
  const dir = await journalOf(ENTRIES);
  const db = new Database(join(dir, 'quanwei.db'));
  const cases = fc.tuple(fc.integer({ min: 1, max: ENTRIES }), fc.constantFrom(...Object.keys(COLUMNS)));
  fc.assert(
    fc.property(cases, ([seq, column]) => {
      db.exec('SAVEPOINT forged');
      db.exec(`UPDATE entries SET ${column} = ${COLUMNS[column as keyof typeof COLUMNS]} WHERE seq = ${seq}`);
      const reader = verifyIn(db);
      db.exec('ROLLBACK TO forged; RELEASE forged');
      expect(reader.broken?.seq).toBe(seq);
    }),
  );
  db.close();
  expect(verified(dir)).toMatchObject({ entries: ENTRIES, broken: null });
});

test('an entry taken out, at the end too, or put in breaks the chain', async () => {
  const dir = await journalOf(ENTRIES);
  const db = new Database(join(dir, 'quanwei.db'));
  const brokenAfter = (sql: string) => {
    db.exec('SAVEPOINT forged');
    db.exec(sql);
    const { broken } = verifyIn(db);
    db.exec('ROLLBACK TO forged; RELEASE forged');
    return broken?.seq;
  };
  expect(brokenAfter('DELETE FROM entries WHERE seq = 7')).toBe(7);
  expect(brokenAfter('DELETE FROM entries WHERE seq = 1')).toBe(1);
  expect(
    brokenAfter(`INSERT INTO entries SELECT seq + 1, id, kind, actor, subject, wall, boot, mono, clock, device_time,
                 lane, key, hash, body_hash, body FROM entries WHERE seq = ${ENTRIES}`),
  ).toBe(ENTRIES + 1);
  expect(brokenAfter(`INSERT INTO anchors SELECT 3, 3, randomblob(32); DELETE FROM entries WHERE seq = 3`)).toBe(4);
  db.close();
});

test('erased bodies and removed stretches, in any order, leave a chain that verifies', async () => {
  const action = fc.oneof(
    fc.record({ do: fc.constant('erase' as const), seqs: fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 5 }) }),
    fc.record({
      do: fc.constant('remove' as const),
      seqs: fc
        .uniqueArray(fc.integer({ min: 1, max: 30 }), { maxLength: 12 })
        .map((seqs) => seqs.toSorted((a, b) => a - b)),
    }),
    fc.record({ do: fc.constant('append' as const), seqs: fc.constant([]) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 1, maxLength: 8 }), async (actions) => {
      const dir = memoryDir();
      const journal = await open(dir);
      await journal.append(Array.from({ length: 20 }, (_, n) => draft({ body: { n } })));
      const gone = new Set<number>();
      const erased = new Set<number>();
      for (const step of actions) {
        const there = step.seqs.filter((seq) => seq <= journal.head());
        if (step.do === 'append') await journal.append([draft(), draft()]);
        else if (step.do === 'erase') {
          await journal.erase(there);
          for (const seq of there) if (!gone.has(seq)) erased.add(seq);
        } else {
          await journal.remove(there);
          for (const seq of there) gone.add(seq);
        }
      }
      const head = journal.head();
      const left = journal.read({ limit: 999 });
      expect(left.map(({ seq }) => seq)).toEqual(
        Array.from({ length: head }, (_, n) => n + 1).filter((seq) => !gone.has(seq)),
      );
      for (const entry of left) expect(entry.body === null).toBe(erased.has(entry.seq));
      await journal.close();
      expect(verified(dir)).toMatchObject({ entries: left.length, removed: gone.size, head, broken: null });
      // The chain goes on where it ended, also when the newest entries are the removed ones.
      const again = await open(dir);
      expect(again.opened.setAside).toBeNull();
      expect((await again.append([draft()]))[0]?.seq).toBe(head + 1);
      await again.close();
      expect(verified(dir).broken).toBeNull();
    }),
    { numRuns: 25 },
  );
});

test('an erased body is in none of the files any more', async () => {
  const dir = dataDir();
  const journal = await open(dir);
  await journal.append([
    draft({ body: `the face of somebody ${'f'.repeat(20_000)}` }),
    draft({ body: 'the face of another' }),
  ]);
  const found = (text: string) =>
    ['', '-wal'].some((suffix) => {
      const file = join(dir, `quanwei.db${suffix}`);
      return existsSync(file) && readFileSync(file).includes(text);
    });
  expect([found('the face of'), found('f'.repeat(500))]).toEqual([true, true]);
  await journal.erase([1, 2]);
  expect(journal.entry(1)?.body).toBeNull();
  // The log is emptied right after the answer.
  await until(() => !found('the face of') && !found('f'.repeat(500)), 'the bytes gone');
});

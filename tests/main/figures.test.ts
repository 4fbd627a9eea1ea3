import { expect, test } from 'vitest';
import { JournalReader } from '../../src/journal/reader.ts';
import { figures } from '../../src/main/figures.ts';
import { draft, open } from '../journal/support.ts';
import { dataDir } from '../support/data-dir.ts';

test('the figures count every kind, messages and what was removed too, and look through no table of entries', async () => {
  const dir = dataDir();
  const journal = await open(dir);
  const storage = draft({ kind: 'system.storage', actor: 'system', subject: null });
  for (let n = 0; n < 30; n += 1) await journal.append([draft(), draft({ kind: 'unknown' }), storage]);
  await journal.remove([1, 2, 4, 5, 6, 31]);

  const reader = JournalReader.open(dir);
  const asked: string[] = [];
  const select: JournalReader['select'] = (sql, ...params) => {
    asked.push(sql);
    return reader.select(sql, ...params);
  };
  const found = figures({ head: () => reader.head(), select });
  const counted = reader.select<{ kind: string; entries: number }>(
    'SELECT kind, count(*) AS entries FROM entries GROUP BY kind',
  );
  const plans = asked.flatMap((sql) => reader.select<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`));
  reader.close();
  expect(found.removed).toBe(6);
  expect(counted).toHaveLength(3);
  expect(new Map(found.kinds.map(({ kind, entries }) => [kind, entries]))).toEqual(
    new Map(counted.map(({ kind, entries }) => [kind, entries])),
  );
  const ofEntries = plans.map(({ detail }) => detail).filter((detail) => detail.includes('entries'));
  expect(ofEntries).toEqual([expect.stringContaining('COVERING INDEX entries_kind')]);
});

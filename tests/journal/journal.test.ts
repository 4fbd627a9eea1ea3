import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Entry } from '../../src/journal/entry.ts';
import { contentKey } from '../../src/journal/journal.ts';
import { dataDir } from '../support/data-dir.ts';
import { draft, newStart, open, quiet, until, verified } from './support.ts';

describe('append', () => {
  test('stores the same text, whichever thread does it', async () => {
    const bodies = ['plain', '张三 passed', '🔥 \ud800 "\\ \u0000', '长'.repeat(80_000), { 门: [null, 1.5, ''] }, null];
    const thread = fileURLToPath(new URL('../../dist/journal/writer-thread.js', import.meta.url));
    for (const more of [{}, { writerThread: thread }]) {
      const dir = dataDir();
      const journal = await open(dir, newStart(), more);
      await Promise.all(bodies.map((body) => journal.append([draft({ body }), draft({ body: [body, body] })])));
      const told = bodies.flatMap((body) => [body, [body, body]]);
      expect(journal.read({ limit: 99 }).map(({ body }) => body)).toEqual(told);
      expect(journal.select('SELECT DISTINCT typeof(body) AS kind FROM entries')).toEqual([{ kind: 'text' }]);
      expect(verified(dir)).toMatchObject({ entries: told.length, broken: null });
    }
  });

  test('gives back what a later start reads', async () => {
    const dir = dataDir();
    const clock = newStart();
    clock.setState('unsynced');
    const first = await open(dir, clock);
    clock.advance(1_500);
    const [entry] = await first.append([
      draft({
        kind: 'alarm.raised',
        actor: 'device:按钮-1',
        subject: 'alarm-1',
        lane: 0,
        deviceTime: 1_780_000_000_123,
        key: contentKey('door-1', 'x'),
        body: { zh: '火警', list: [1, null, { deep: true }], text: '\u0000\u2028"' },
      }),
    ]);
    expect(entry).toMatchObject({ seq: 1, boot: clock.boot, mono: 1_500, clock: 'unsynced', lane: 0 });
    expect(first.entry(1)).toStrictEqual(entry);
    await first.close();

    const second = await open(dir);
    expect(second.entry(1)).toStrictEqual(entry);
    expect(second.head()).toBe(1);
    expect(second.opened).toMatchObject({ setAside: null, unclean: false, fromVersion: second.opened.toVersion });
    expect(verified(dir)).toMatchObject({ entries: 1, broken: null });
  });

  test('keeps the id its appender chose', async () => {
    const journal = await open(dataDir());
    const id = '01890a5d-ac96-774b-bcce-b302099a8057';
    expect((await journal.append([draft({ id })]))[0]?.id).toBe(id);
    expect(journal.entry(1)?.id).toBe(id);
  });

  test('of nothing stores nothing', async () => {
    const journal = await open(dataDir());
    expect(await journal.append([])).toEqual([]);
    expect(journal.state().commits).toBe(0);
  });

  test('refuses a body of more than 256 KiB, and one that is no JSON', async () => {
    const journal = await open(dataDir());
    await expect(journal.append([draft({ body: 'x'.repeat(256 * 1024) })])).rejects.toMatchObject({
      code: 'BAD_REQUEST',
    });
    await expect(journal.append([draft({ body: 10n })])).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    expect((await journal.append([draft({ body: 'x'.repeat(256 * 1024 - 2) })])).length).toBe(1);
  });

  test('commits what arrives in one turn of the event loop together', async () => {
    const journal = await open(dataDir());
    const all = await Promise.all(Array.from({ length: 500 }, (_, n) => journal.append([draft({ body: n })])));
    expect(journal.state().commits).toBeLessThan(10);
    expect(all.map(([entry]) => entry?.seq)).toEqual(Array.from({ length: 500 }, (_, n) => n + 1));
  });

  test('from many at once keeps one order: of resolving, of seq and of following', async () => {
    const dir = dataDir();
    const journal = await open(dir);
    const followed: number[] = [];
    const resolved: number[] = [];
    journal.follow((entries) => followed.push(...entries.map(({ seq }) => seq)));
    await Promise.all(
      Array.from({ length: 32 }, async (_, who) => {
        let before = 0;
        for (let i = 0; i < 40; i += 1) {
          const entries = await journal.append(
            Array.from({ length: 1 + ((who + i) % 3) }, () => draft({ body: [who, i] })),
          );
          resolved.push(...entries.map(({ seq }) => seq));
          expect(entries[0]?.seq).toBeGreaterThan(before);
          before = entries.at(-1)?.seq ?? 0;
        }
      }),
    );
    await until(() => followed.length === journal.head(), 'all entries at the follower');
    const dense = Array.from({ length: journal.head() }, (_, n) => n + 1);
    expect(followed).toEqual(dense);
    expect(resolved).toEqual(dense);
    expect(verified(dir)).toMatchObject({ entries: dense.length, broken: null });
  });

  test('after close is refused, and close waits for what is under way', async () => {
    const dir = dataDir();
    const journal = await open(dir);
    const underWay = journal.append([draft()]);
    await journal.close();
    expect((await underWay)[0]?.seq).toBe(1);
    await expect(journal.append([draft()])).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  });
});

describe('changes', () => {
  const put = (name: string, seq: number | null) => ({
    sql: 'INSERT INTO cursors VALUES (?, ?)',
    params: [name, seq],
  });

  test('belong to the entries they come with', async () => {
    const journal = await open(dataDir());
    await journal.append([draft()], [put('a', 7)]);
    expect(journal.select('SELECT seq FROM cursors WHERE name = ?', 'a')).toEqual([{ seq: 7 }]);
  });

  test('that fail take their own entries with them and harm no other request of the same commit', async () => {
    const dir = dataDir();
    const journal = await open(dir);
    await journal.write([put('taken', 1)]);
    const before = journal.state().commits;
    const outcomes = await Promise.allSettled([
      journal.append([draft({ body: 'first' })], [put('x', 1)]),
      journal.append([draft({ body: 'broken', key: contentKey('d', 'broken') })], [put('y', 1), put('taken', 2)]),
      journal.append([draft({ body: 'nonsense' })], [{ sql: 'INSERT INTO nowhere VALUES (1)', params: [] }]),
      journal.append([draft({ body: 'last' })], [put('z', 1)]),
    ]);
    expect(journal.state().commits).toBe(before + 1);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect(outcomes[1]).toMatchObject({ reason: { code: 'CONFLICT' } });
    expect(outcomes[2]).toMatchObject({ reason: { code: 'INVARIANT' } });
    expect(journal.read({ limit: 10 }).map(({ body }) => body)).toEqual(['first', 'last']);
    expect(journal.select('SELECT name FROM cursors ORDER BY name')).toEqual([
      { name: 'taken' },
      { name: 'x' },
      { name: 'z' },
    ]);
    expect(journal.seen(contentKey('d', 'broken'))).toBe(false);
    expect(journal.state().ok).toBe(true);
    expect(verified(dir)).toMatchObject({ entries: 2, broken: null });
  });

  test('carry bytes whole', async () => {
    const journal = await open(dataDir());
    await journal.write([{ sql: 'INSERT INTO key_runs VALUES (9, ?)', params: [Buffer.from([0, 255, 1])] }]);
    expect(journal.select('SELECT keys FROM key_runs WHERE last = 9')).toEqual([{ keys: Buffer.from([0, 255, 1]) }]);
  });
});

describe('follow', () => {
  test('hears only what is committed from then on, until it is cancelled', async () => {
    const journal = await open(dataDir());
    await journal.append([draft()]);
    const heard: Entry[] = [];
    const following = journal.follow((entries) => heard.push(...entries));
    const [entry] = await journal.append([draft({ body: 'news' })]);
    await until(() => heard.length > 0, 'the news');
    following.cancel();
    await journal.append([draft()]);
    await journal.close();
    expect(heard).toEqual([entry]);
  });

  test('goes on for the others when one throws', async () => {
    const journal = await open(dataDir());
    let heard = 0;
    journal.follow(() => {
      throw new Error('a broken follower');
    });
    journal.follow((entries) => {
      heard += entries.length;
    });
    await journal.append([draft(), draft()]);
    await until(() => heard === 2, 'both entries');
    expect(quiet.level).toBe('silent');
  });

  test('comes after the appender has heard', async () => {
    const journal = await open(dataDir());
    const order: string[] = [];
    journal.follow(() => order.push('follower'));
    await journal.append([draft()]);
    order.push('appender');
    await until(() => order.length === 2, 'the follower');
    expect(order).toEqual(['appender', 'follower']);
  });
});

test('a cursor outlives the process', async () => {
  const dir = dataDir();
  const first = await open(dir);
  expect(first.cursor('bridge')).toBe(0);
  await first.moveCursor('bridge', 41);
  await first.moveCursor('bridge', 42);
  expect(first.cursor('bridge')).toBe(42);
  await first.close();
  expect((await open(dir)).cursor('bridge')).toBe(42);
});

test('content keys are seen once committed, and after a restart', async () => {
  const dir = dataDir();
  const key = contentKey('door-1', 'record 17');
  const first = await open(dir);
  expect(first.seen(key)).toBe(false);
  const storing = first.append([draft({ key })]);
  expect(first.seen(key)).toBe(false);
  await storing;
  expect(first.seen(key)).toBe(true);
  await first.close();
  const second = await open(dir);
  expect(second.seen(key)).toBe(true);
  expect(second.seen(contentKey('door-2', 'record 17'))).toBe(false);
});

test('two journals never share a data directory, and a freed one can be taken', async () => {
  const dir = dataDir();
  const first = await open(dir);
  await expect(open(dir)).rejects.toMatchObject({ code: 'STORAGE_LOCKED' });
  await first.append([draft()]);
  await first.close();
  expect((await open(dir)).head()).toBe(1);
});

test('one process start is told from the next', async () => {
  const dir = dataDir();
  const first = await open(dir);
  await first.append([draft()]);
  await first.close();
  const second = await open(dir);
  await second.append([draft()]);
  const [a, b] = second.read({ limit: 2 });
  expect(a?.boot).not.toBe(b?.boot);
  expect(verified(dir).broken).toBeNull();
});

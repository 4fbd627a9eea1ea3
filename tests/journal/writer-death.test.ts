import { expect, test } from 'vitest';
import { contentKey } from '../../src/journal/journal.ts';
import { dataDir } from '../support/data-dir.ts';
import { program } from '../support/programs.ts';
import { draft, newStart, open, until, verified } from './support.ts';

const DYING = program('journal/fixtures/dying-writer');

test('a writer that dies before the commit: refused, told, started again', async () => {
  const dir = dataDir();
  const clock = newStart();
  const journal = await open(dir, clock, { writerThread: DYING });
  const states: boolean[] = [];
  journal.onState(({ ok }) => states.push(ok));
  await journal.append([draft()]);
  await expect(journal.append([draft({ subject: 'before' })])).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  expect(journal.state()).toMatchObject({ ok: false, error: { code: 'STORAGE_UNAVAILABLE' }, queue: 0 });
  await expect(journal.append([draft()])).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });

  clock.advance(100); // the first back-off: the thread starts
  await until(() => {
    clock.advance(1_000); // the probe, which finds out that storing works again
    return journal.state().ok;
  }, 'a writer that works');
  expect((await journal.append([draft({ body: 'again' })]))[0]?.body).toBe('again');
  expect(states).toEqual([false, true]);
  await until(() => journal.read({ limit: 9, kinds: ['system.storage'] }).length > 0, 'the entry about it');
  expect(journal.read({ limit: 9, kinds: ['system.storage'] })[0]?.body).toMatchObject({ what: 'recovered' });
  await journal.close();
  expect(verified(dir)).toMatchObject({ entries: 3, broken: null });
});

test('a writer that dies between commit and answer: what it stored is acknowledged, followed and not stored twice', async () => {
  const dir = dataDir();
  const journal = await open(dir, newStart(), { writerThread: DYING });
  const followed: number[] = [];
  journal.follow((entries) => followed.push(...entries.map(({ seq }) => seq)));
  const key = contentKey('door-1', 'the one');
  const [lost, other] = await Promise.all([
    journal.append([draft({ subject: 'after', key }), draft({ body: 'second' })]),
    journal.append([draft({ body: 'third' })]),
  ]);
  expect(lost.map(({ seq }) => seq)).toEqual([1, 2]);
  expect(other.map(({ seq }) => seq)).toEqual([3]);
  expect(journal.seen(key)).toBe(true);
  expect(journal.head()).toBe(3);
  await until(() => followed.length === 3, 'all three at the follower');
  expect(journal.state().ok).toBe(false);
  await journal.close();
  expect(verified(dir)).toMatchObject({ entries: 3, broken: null });
});

import { describe, expect, test } from 'vitest';
import { Pace } from '../../src/journal/pace.ts';
import { dataDir } from '../support/data-dir.ts';
import { draft, open, until, verified } from './support.ts';

/** Notes commits `every` ms for `ms`; gives the place after them and the time. */
function played(pace: Pace, from: number, ms: number, every: number, took: number, entries = 1): number {
  let at = from;
  for (; at < from + ms; at += every) pace.note(at, took, entries);
  return at;
}

describe('where to commit', () => {
  test('a fast disk and little traffic: in the event loop’s own thread, also at 1,200 messages a second', () => {
    const pace = new Pace();
    played(pace, 0, 5_000, 5, 0.4);
    expect(pace.place).toBe('here');
    played(pace, 5_000, 5_000, 1, 0.45, 2);
    expect(pace.place).toBe('here');
  });

  test('one commit that holds the event loop up is enough to leave it', () => {
    const pace = new Pace();
    played(pace, 0, 1_000, 10, 0.4);
    expect(pace.note(1_000, 60, 1)).toBe('there');
    expect(pace.stuck, 'the thread is there sooner than such a commit').toBe(false);
  });

  test('a disk that hangs is not asked again here, whatever is still being started', () => {
    const pace = new Pace();
    expect(pace.note(0, 60, 1)).toBe('there');
    pace.note(100, 400, 1);
    expect(pace.stuck).toBe(true);
  });

  test('a hitch now and then, as any disk has it, is no reason to leave', () => {
    const pace = new Pace();
    let at = 0;
    for (let i = 0; i < 20; i += 1) {
      at = played(pace, at, 500, 5, 0.5);
      pace.note(at, 25, 1);
    }
    expect(pace.place).toBe('here');
  });

  test('at a start such a hitch is enough: it is all that is known of the disk', () => {
    expect(new Pace().begin(0, 20)).toBe('there');
    expect(new Pace().begin(0, 2)).toBe('here');
  });

  test('a disk that is always a little slow is found out', () => {
    const pace = new Pace();
    played(pace, 0, 1_000, 50, 6);
    expect(pace.place).toBe('there');
  });

  test('more than the event loop can deal with goes to the thread; back when it has been calm for some seconds', () => {
    const pace = new Pace();
    let at = played(pace, 0, 500, 10, 2, 60);
    expect(pace.place).toBe('there');
    at = played(pace, at, 2_500, 5, 0.5);
    expect(pace.place, 'not yet').toBe('there');
    played(pace, at, 2_000, 5, 0.5);
    expect(pace.place).toBe('here');
  });

  test('a compound that is first registered, thousands in one commit, says nothing against the disk', () => {
    const pace = new Pace();
    expect(pace.note(0, 115, 3_021)).toBe('here');
    played(pace, 5, 1_000, 5, 0.8, 3);
    expect(pace.place).toBe('here');
    // On a box a third as fast it takes most of the time for a while, and the disk is trusted all the same.
    pace.note(1_100, 350, 3_021);
    expect(pace.place).toBe('there');
    played(pace, 1_105, 5_000, 5, 0.8, 3);
    expect(pace.place).toBe('here');
  });

  test('commits that take most of the time go to the thread', () => {
    const pace = new Pace();
    played(pace, 0, 3_000, 3, 2.5);
    expect(pace.place).toBe('there');
  });

  test('a disk that was slow is not trusted at once, and for longer when it is slow again', () => {
    const pace = new Pace();
    const slowAgain = (from: number): number => {
      pace.note(from, 60, 1);
      let at = from;
      while (pace.place === 'there') {
        at += 10;
        pace.note(at, 0.4, 1);
      }
      return at - from;
    };
    const first = slowAgain(0);
    expect(first).toBeGreaterThanOrEqual(10_000);
    const second = slowAgain(first + 1_000);
    expect(second).toBeGreaterThan(first + 5_000);
  });
});

test('handed over under load and handed back: nothing is lost, doubled or out of order, and the chain verifies', async () => {
  const dir = dataDir();
  const threads = () => process.getActiveResourcesInfo().filter((what) => what === 'MessagePort').length;
  const before = threads();
  const journal = await open(dir);
  const seqs: number[] = [];
  journal.follow((entries) => seqs.push(...entries.map(({ seq }) => seq)));
  let n = 0;
  const flood = async (): Promise<void> => {
    for (let i = 0; i < 150; i += 1) {
      n += 1;
      await journal.append([draft({ body: n })]);
    }
  };
  await journal.append([draft({ body: 'first' })]);
  await Promise.all(Array.from({ length: 64 }, flood));
  expect(threads(), 'the thread was started').toBeGreaterThan(before);
  for (let i = 0; i < 400; i += 1) {
    await journal.append([draft({ body: `calm ${i}` })]);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await until(() => seqs.length === 64 * 150 + 401, 'every entry');
  expect(seqs).toEqual(seqs.map((_, i) => i + 1));
  const bodies = journal.read({ limit: 20_000 }).map(({ body }) => JSON.stringify(body));
  expect(new Set(bodies).size).toBe(bodies.length);
  await journal.close();
  expect(verified(dir)).toMatchObject({ entries: 64 * 150 + 401, broken: null });
});

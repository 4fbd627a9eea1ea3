import { expect, test } from 'vitest';
import { Turns } from '../../../src/vision/evidence/turns.ts';

test('so much at a time, the rest in the order in which it came, and what would wait behind too many is left', async () => {
  const turns = new Turns(2, 3);
  const begun: number[] = [];
  const ends: ((failed?: Error) => void)[] = [];
  const work = (n: number) => () => {
    begun.push(n);
    return new Promise<number>((resolve, reject) => {
      ends[n] = (failed) => (failed === undefined ? resolve(n) : reject(failed));
    });
  };
  const all = Promise.allSettled(Array.from({ length: 7 }, (_, n) => turns.take(work(n))));
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  await settled();
  expect(begun).toEqual([0, 1]);
  ends[1]?.(new Error('broken'));
  await settled();
  expect(begun).toEqual([0, 1, 2]);
  for (const n of [0, 2, 3, 4]) {
    ends[n]?.();
    await settled();
  }
  expect(begun).toEqual([0, 1, 2, 3, 4]);
  expect((await all).map((one) => (one.status === 'fulfilled' ? one.value : 'failed'))).toEqual(
    // Five and six found three waiting.
    [0, 'failed', 2, 3, 4, null, null],
  );
});

import { expect, test } from 'vitest';
import { WaitingPictures } from '../../../src/vision/inference/waiting.ts';

const picture = (source: string, n: number) => ({ source, n });
const names = (pictures: readonly { source: string; n: number }[]) => pictures.map(({ source, n }) => `${source}${n}`);

test('sources take turns, each in the order of its pictures', () => {
  const waiting = new WaitingPictures<{ source: string; n: number }>({ perSource: 9, total: 99 });
  for (let n = 1; n <= 5; n++) waiting.add(picture('a', n));
  for (let n = 1; n <= 2; n++) waiting.add(picture('b', n));
  waiting.add(picture('c', 1));
  expect(names(waiting.take(5))).toEqual(['a1', 'b1', 'c1', 'a2', 'b2']);
  expect(names(waiting.take(99))).toEqual(['a3', 'a4', 'a5']);
  expect(waiting.size).toBe(0);
  expect(waiting.take(1)).toEqual([]);
});

test('turns go on from one taking to the next', () => {
  const waiting = new WaitingPictures<{ source: string; n: number }>({ perSource: 9, total: 99 });
  for (let n = 1; n <= 3; n++) for (const source of ['a', 'b', 'c']) waiting.add(picture(source, n));
  const taken = Array.from({ length: 9 }, () => waiting.take(1)).flat();
  expect(names(taken)).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'c2', 'a3', 'b3', 'c3']);
});

test('too many of one source: its oldest goes', () => {
  const waiting = new WaitingPictures<{ source: string; n: number }>({ perSource: 2, total: 99 });
  expect(waiting.add(picture('a', 1))).toBeNull();
  expect(waiting.add(picture('b', 1))).toBeNull();
  expect(waiting.add(picture('a', 2))).toBeNull();
  expect(waiting.add(picture('a', 3))).toEqual(picture('a', 1));
  expect(names(waiting.take(9))).toEqual(['a2', 'b1', 'a3']);
});

test('too many in all: the oldest of the source with the most goes, whoever came last', () => {
  const waiting = new WaitingPictures<{ source: string; n: number }>({ perSource: 9, total: 4 });
  for (let n = 1; n <= 3; n++) waiting.add(picture('greedy', n));
  expect(waiting.add(picture('b', 1))).toBeNull();
  expect(waiting.add(picture('c', 1))).toEqual(picture('greedy', 1));
  expect(waiting.add(picture('d', 1))).toEqual(picture('greedy', 2));
  expect(waiting.size).toBe(4);
});

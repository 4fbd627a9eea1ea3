import { expect, test } from 'vitest';
import { SimulatedClock } from '../../src/kernel/clock.ts';
import { idSource } from '../../src/kernel/ids.ts';

test('ids are unique, sort in the order they were made, and end in words nobody can foretell', () => {
  const newId = idSource(new SimulatedClock());
  // Several times as many as random words are drawn at once.
  const ids = Array.from({ length: 10_000 }, () => newId());
  expect(new Set(ids).size).toBe(ids.length);
  expect([...ids].sort()).toEqual(ids);
  const tails = new Set(ids.map((id) => id.slice(-8)));
  // Of 10,000 words of 32 bits a pair is the same once in 86 times; words drawn once and used again would be 1,024.
  expect(tails.size).toBeGreaterThan(ids.length - 5);
});

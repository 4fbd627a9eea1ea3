import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assign } from '../../../src/vision/tracking/assignment.ts';

const worthOf = (worth: readonly (readonly number[])[], pairs: readonly number[]): number =>
  pairs.reduce((sum, column, row) => sum + (column < 0 ? 0 : (worth[row]?.[column] ?? 0)), 0);

/** The greatest sum there is, by trying everything. */
function best(worth: readonly (readonly number[])[], row = 0, taken: readonly number[] = []): number {
  if (row === worth.length) return 0;
  let most = best(worth, row + 1, taken);
  worth[row]?.forEach((value, column) => {
    if (value > 0 && !taken.includes(column)) most = Math.max(most, value + best(worth, row + 1, [...taken, column]));
  });
  return most;
}

const table = fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 })).chain(([rows, columns]) =>
  fc.array(
    fc.array(fc.oneof(fc.constant(0), fc.double({ min: 0, max: 2, noNaN: true })), {
      minLength: columns,
      maxLength: columns,
    }),
    { minLength: rows, maxLength: rows },
  ),
);

test('pairs are worth as much as any can be, each row and column once, and nothing worthless is paired', () => {
  fc.assert(
    fc.property(table, (worth) => {
      const pairs = assign(worth);
      const made = pairs.filter((column) => column >= 0);
      expect(new Set(made).size).toBe(made.length);
      pairs.forEach((column, row) => {
        if (column >= 0) expect(worth[row]?.[column]).toBeGreaterThan(0);
      });
      expect(worthOf(worth, pairs)).toBeCloseTo(best(worth), 9);
    }),
    { numRuns: 300 },
  );
});

test('the best sum wins over the best single pair', () => {
  expect(
    assign([
      [1.0, 0.9],
      [0.9, 0],
    ]),
  ).toEqual([1, 0]);
});

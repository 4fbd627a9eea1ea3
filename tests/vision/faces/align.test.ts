import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  ALIGNED,
  apply,
  fivePoints,
  invert,
  mirrored,
  PLACES,
  scaleOf,
  similarity,
  warp,
} from '../../../src/vision/faces/align.ts';
import type { Picture } from '../../../src/vision/picture.ts';

/** Each channel a plane of its own, so that any place can be told by its colour. */
function slopes(width: number, height: number): Picture {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i += 1) data.set([i % width, Math.floor(i / width), 77], i * 3);
  return { width, height, data };
}

test('finds the turn, scale and move that were applied, and its inverse undoes it', () => {
  fc.assert(
    fc.property(
      fc.double({ min: -3, max: 3, noNaN: true }),
      fc.double({ min: 0.1, max: 20, noNaN: true }),
      fc.double({ min: -500, max: 500, noNaN: true }),
      fc.double({ min: -500, max: 500, noNaN: true }),
      (angle, scale, tx, ty) => {
        const given = { a: scale * Math.cos(angle), b: scale * Math.sin(angle), tx, ty };
        const found = similarity(
          PLACES,
          PLACES.map((point) => apply(given, point)),
        );
        expect(found.a).toBeCloseTo(given.a, 6);
        expect(found.b).toBeCloseTo(given.b, 6);
        expect(scaleOf(found)).toBeCloseTo(scale, 6);
        const back = apply(invert(found), apply(found, { x: 31, y: 7 }));
        expect(back.x).toBeCloseTo(31, 6);
        expect(back.y).toBeCloseTo(7, 6);
      },
    ),
    { numRuns: 100 },
  );
});

test('no turn, scale or move near it has a smaller squared error', () => {
  const [across, down] = [
    [3, -4, 1, 5, -2],
    [-1, 2, 6, -3, 0],
  ];
  const messy = PLACES.map(({ x, y }, i) => ({ x: 2 * x + (across[i] ?? 0), y: 2 * y + (down[i] ?? 0) }));
  const error = (t: ReturnType<typeof similarity>): number =>
    messy.reduce((sum, point, i) => {
      const { x, y } = apply(t, point);
      const goal = PLACES[i] ?? { x: 0, y: 0 };
      return sum + (x - goal.x) ** 2 + (y - goal.y) ** 2;
    }, 0);
  const best = similarity(messy, PLACES);
  for (const key of ['a', 'b', 'tx', 'ty'] as const) {
    for (const by of [-1e-3, 1e-3]) expect(error({ ...best, [key]: best[key] + by })).toBeGreaterThan(error(best));
  }
});

test('five points are taken from the right of the 68', () => {
  const points = Array.from({ length: 68 }, (_, i) => ({ x: i, y: 100 + i }));
  expect(fivePoints(points).map(({ x }) => x)).toEqual([39, 45, 30, 54, 59]);
  expect(fivePoints(points).map(({ y }) => y)).toEqual([139, 145, 130, 154, 159]);
});

test('a warp shows what lies where it points, and black outside', () => {
  const picture = slopes(200, 160);
  const here = warp(picture, { a: 1, b: 0, tx: 20.5, ty: 30 }, ALIGNED);
  // Half-way between two pixels: their mean.
  expect([...here.subarray(0, 3)]).toEqual([21, 30, 77]);
  expect([...here.subarray((5 * ALIGNED + 9) * 3, (5 * ALIGNED + 9) * 3 + 3)]).toEqual([30, 35, 77]);
  const outside = warp(picture, { a: 1, b: 0, tx: -50, ty: 0 }, ALIGNED);
  expect([...outside.subarray(0, 3)]).toEqual([0, 0, 0]);
  expect(outside[50 * 3 + 2]).toBe(77);
});

test('what is made smaller is averaged, not sampled: a fine grid becomes grey', () => {
  const data = new Uint8Array(448 * 448 * 3);
  for (let i = 0; i < 448 * 448; i += 1) data.fill((i % 448) % 2 === 0 ? 255 : 0, i * 3, i * 3 + 3);
  const small = warp({ width: 448, height: 448, data }, { a: 4, b: 0, tx: 1.5, ty: 1.5 }, ALIGNED);
  const inner = small.subarray(ALIGNED * 3 * 3, ALIGNED * 3 * 100);
  expect(Math.max(...inner)).toBeLessThanOrEqual(130);
  expect(Math.min(...inner.filter((_, i) => i % (ALIGNED * 3) < (ALIGNED - 3) * 3))).toBeGreaterThanOrEqual(125);
});

test('a mirror swaps left and right and nothing else', () => {
  const square = warp(slopes(112, 112), { a: 1, b: 0, tx: 0, ty: 0 }, ALIGNED);
  const mirror = mirrored(square, ALIGNED);
  expect([...mirror.subarray(0, 3)]).toEqual([111, 0, 77]);
  expect(mirrored(mirror, ALIGNED)).toEqual(square);
});

test('a square inside is the same whether or not its picture ends at it', () => {
  const size = 160;
  const [lone, framed] = [new Uint8Array(size * size * 3), new Uint8Array((size + 40) * (size + 40) * 3)];
  for (let y = 0; y < size; y += 1) {
    for (let x = 0; x < size; x += 1) {
      for (let c = 0; c < 3; c += 1) {
        const value = (x * 37 + y * 91 + c * 53 + ((x * y) % 17) * 11) & 255;
        lone[3 * (y * size + x) + c] = value;
        framed[3 * ((y + 20) * (size + 40) + x + 20) + c] = value;
      }
    }
  }
  for (const scale of [0.8, 1.2, 2.2, 2.6]) {
    const [a, b] = [scale * Math.cos(0.1), scale * Math.sin(0.1)];
    const side = Math.floor(130 / (a + b));
    // One corner reaches a tenth of a pixel out of the smaller picture: the careful way; the larger one takes the quick way.
    const place = { a, b, tx: 0.5 * a + b * (side - 0.5) - 0.1, ty: 0.5 * (a + b) + 0.1 };
    const careful = warp({ width: size, height: size, data: lone }, place, side);
    const moved = { ...place, tx: place.tx + 20, ty: place.ty + 20 };
    const quick = warp({ width: size + 40, height: size + 40, data: framed }, moved, side);
    const off = careful.map((value, n) => (Math.floor(n / 3) % side === 0 ? 0 : Math.abs(value - (quick[n] ?? 0))));
    expect(Math.max(...off)).toBeLessThanOrEqual(1);
    expect(quick.some((value) => value > 0)).toBe(true);
  }
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { crop, squareAround, uncrop } from '../../src/vision/crop.ts';
import type { Picture } from '../../src/vision/picture.ts';

function picture(width: number, height: number, at: (x: number, y: number) => number[]): Picture {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data.set(at(x, y), (y * width + x) * 3);
  return { width, height, data };
}

const pixel = ({ width, data }: Picture, x: number, y: number) => [
  ...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
];

describe('the same size', () => {
  const marked = picture(40, 30, (x, y) => [x, y, x + y]);

  test('is a copy', () => {
    const got = crop(marked, { x: 7, y: 5, side: 16 }, 16);
    expect(pixel(got, 0, 0)).toEqual([7, 5, 12]);
    expect(pixel(got, 15, 15)).toEqual([22, 20, 42]);
  });

  test('what is outside of the picture is black', () => {
    const got = crop(marked, { x: -4, y: 20, side: 16 }, 16);
    expect(pixel(got, 3, 0)).toEqual([0, 0, 0]);
    expect(pixel(got, 4, 0)).toEqual([0, 20, 20]);
    expect(pixel(got, 5, 9)).toEqual([1, 29, 30]);
    expect(pixel(got, 5, 10)).toEqual([0, 0, 0]);
  });

  test.each([
    ['left', -100, 0],
    ['right', 100, 0],
    ['above', 0, -100],
    ['below', 0, 100],
  ])('a square wholly outside on the %s is black', (_side, x, y) => {
    expect(crop(marked, { x, y, side: 16 }, 16).data.every((byte) => byte === 0)).toBe(true);
  });
});

describe('other sizes', () => {
  const slope = picture(200, 200, (x, y) => [x, y, 100]);

  test.each([
    [2, 40],
    [0.5, 160],
    [0.73, 110],
  ])('scaled by %f a slope stays where it was', (scale, side) => {
    const size = Math.round(side * scale);
    const got = crop(slope, { x: 20, y: 30, side }, size);
    for (const [u, v] of [
      [4, 4],
      [size / 2, size / 3],
      [size - 5, size - 5],
    ].map((both) => both.map(Math.floor))) {
      const at = uncrop({ x: (u as number) + 0.5, y: (v as number) + 0.5 }, { x: 20, y: 30, side }, size);
      const [red, green, blue] = pixel(got, u as number, v as number);
      expect(Math.abs((red as number) - (at.x - 0.5))).toBeLessThanOrEqual(0.51);
      expect(Math.abs((green as number) - (at.y - 0.5))).toBeLessThanOrEqual(0.51);
      expect(blue).toBe(100);
    }
  });

  test('made smaller, every pixel counts: a fine pattern becomes its mean', () => {
    const stripes = picture(256, 256, (x) => (x % 2 === 0 ? [255, 0, 0] : [0, 255, 0]));
    const got = crop(stripes, { x: 0, y: 0, side: 256 }, 32);
    for (const [red, green] of [pixel(got, 8, 8), pixel(got, 20, 9)]) {
      expect(Math.abs((red as number) - 127.5)).toBeLessThan(4);
      expect(Math.abs((green as number) - 127.5)).toBeLessThan(4);
    }
  });

  test('the middle of two pixels is their mean', () => {
    const two = picture(2, 1, (x) => (x === 0 ? [100, 100, 100] : [200, 200, 200]));
    expect(pixel(crop(two, { x: 0.5, y: 0, side: 1 }, 1), 0, 0)).toEqual([150, 150, 150]);
  });
});

test('whatever the square, it is a picture of the size asked for, never brighter than what it is of', () => {
  const bright = picture(50, 37, (x, y) => [(x * 5) % 201, (y * 7) % 201, 200]);
  const place = fc.double({ min: -500, max: 500, noNaN: true });
  fc.assert(
    fc.property(
      place,
      place,
      fc.double({ min: 0.01, max: 20_000, noNaN: true }),
      fc.integer({ min: 1, max: 40 }),
      (x, y, side, size) => {
        const got = crop(bright, { x, y, side }, size);
        expect([got.width, got.height, got.data.length]).toEqual([size, size, size * size * 3]);
        expect(got.data.every((byte) => byte <= 201)).toBe(true);
      },
    ),
    { numRuns: 200 },
  );
});

test('a picture of one pixel', () => {
  const one = picture(1, 1, () => [9, 8, 7]);
  expect(pixel(crop(one, { x: 0, y: 0, side: 1 }, 3), 1, 1)).toEqual([9, 8, 7]);
});

test('a square without a size is our own mistake', () => {
  const one = picture(1, 1, () => [9, 8, 7]);
  for (const side of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => crop(one, { x: 0, y: 0, side }, 3)).toThrow();
});

test('the square around a box has its centre and a share of its longer side', () => {
  expect(squareAround({ x1: 10, y1: 20, x2: 30, y2: 60 }, 1.25)).toEqual({ x: -5, y: 15, side: 50 });
});

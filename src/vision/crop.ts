import { invariant } from '../kernel/errors.ts';
import type { Box, Picture } from './picture.ts';

/** Pixels of the picture, upper left corner; may lie partly or wholly outside. */
export interface Square {
  readonly x: number;
  readonly y: number;
  readonly side: number;
}

/** The square around a box: `factor` times its longer side, the same centre. */
export function squareAround({ x1, y1, x2, y2 }: Box, factor = 1): Square {
  const side = Math.max(x2 - x1, y2 - y1) * factor;
  return { x: (x1 + x2 - side) / 2, y: (y1 + y2 - side) / 2, side };
}

/** A point of the crop back in the picture. */
export function uncrop<P extends { readonly x: number; readonly y: number }>(
  point: P,
  square: Square,
  size: number,
): P {
  const scale = square.side / size;
  return { ...point, x: square.x + point.x * scale, y: square.y + point.y * scale };
}

/**
 * A square of a picture as `size` × `size` pixels; what is outside of the picture is black. Bilinear where it is made
 * larger; where it is made smaller each pixel is the mean, weighted by a triangle, of all it covers (the `BILINEAR` of
 * Pillow): plain bilinear sampling would skip pixels there, and a face 400 px high would come out as noise.
 */
export function crop(picture: Picture, { x, y, side }: Square, size: number): Picture {
  invariant(side > 0 && Number.isFinite(x + y + side), `a square of side ${side} at ${x}, ${y}`);
  const across = tapsOf(x, side, size, picture.width);
  const down = tapsOf(y, side, size, picture.height);
  const rows = squeeze(picture, across, down, size);
  const data = new Uint8Array(size * size * 3);
  const width = size * 3;
  const sums = new Float32Array(width);
  for (let row = 0; row < size; row++) {
    sums.fill(0.5);
    for (let tap = 0; tap < (down.counts[row] as number); tap++) {
      const weight = down.weights[row * down.most + tap] as number;
      const from = ((down.first[row] as number) + tap - down.low) * width;
      for (let i = 0; i < width; i++) sums[i] = (sums[i] as number) + weight * (rows[from + i] as number);
    }
    data.set(sums, row * width);
  }
  return { width: size, height: size, data };
}

/** Which pixels of a line make each new pixel, and how much each counts; those outside of the picture are left out. */
interface Taps {
  readonly most: number;
  readonly first: Int32Array;
  readonly counts: Int32Array;
  /** [size × most] */
  readonly weights: Float32Array;
  /** All of them lie in low … high - 1. */
  readonly low: number;
  readonly high: number;
}

function tapsOf(start: number, side: number, size: number, length: number): Taps {
  const scale = side / size;
  const reach = Math.max(1, scale);
  const most = Math.min(length, Math.ceil(reach * 2) + 1);
  const first = new Int32Array(size);
  const counts = new Int32Array(size);
  const weights = new Float32Array(size * most);
  let low = length;
  let high = 0;
  for (let i = 0; i < size; i++) {
    const centre = start + (i + 0.5) * scale;
    const from = Math.ceil(centre - reach - 0.5);
    const to = Math.floor(centre + reach - 0.5);
    const weightAt = (k: number): number => 1 - Math.abs(k + 0.5 - centre) / reach;
    const begin = Math.max(0, from);
    const end = Math.min(length - 1, to);
    if (begin > end) continue;
    // Of very large squares the sum is known well enough: the triangle's area.
    const all = to - from > 4_096 ? reach : sumOf(from, to, weightAt);
    first[i] = begin;
    counts[i] = Math.min(most, end - begin + 1);
    for (let k = 0; k < (counts[i] as number); k++) weights[i * most + k] = weightAt(begin + k) / all;
    low = Math.min(low, begin);
    high = Math.max(high, begin + (counts[i] as number));
  }
  return { most, first, counts, weights, low, high: Math.max(low, high) };
}

function sumOf(from: number, to: number, weightAt: (k: number) => number): number {
  let sum = 0;
  for (let k = from; k <= to; k++) sum += weightAt(k);
  return sum;
}

/** The rows that are needed, each brought to `size` pixels: [rows × size × 3]. */
function squeeze({ width, data }: Picture, across: Taps, down: Taps, size: number): Float32Array {
  const rows = new Float32Array((down.high - down.low) * size * 3);
  let into = 0;
  for (let row = down.low; row < down.high; row++) {
    for (let i = 0; i < size; i++) {
      let [red, green, blue] = [0, 0, 0];
      let from = (row * width + (across.first[i] as number)) * 3;
      const end = i * across.most + (across.counts[i] as number);
      for (let tap = i * across.most; tap < end; tap++, from += 3) {
        const weight = across.weights[tap] as number;
        red += weight * (data[from] as number);
        green += weight * (data[from + 1] as number);
        blue += weight * (data[from + 2] as number);
      }
      rows[into] = red;
      rows[into + 1] = green;
      rows[into + 2] = blue;
      into += 3;
    }
  }
  return rows;
}

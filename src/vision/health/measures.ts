import type { Grey } from '../picture.ts';

/** What one grey plane says about itself. */
export interface Measures {
  /** 0–255 */
  readonly mean: number;
  /** 1 % and 99 % of the pixels are darker. */
  readonly darkest: number;
  readonly brightest: number;
  /** Standard deviation. */
  readonly contrast: number;
  /**
   * How much of the contrast is between neighbours: mean |Laplacian| over contrast. Falls when the picture is out of
   * focus, whatever its brightness and contrast.
   */
  readonly sharpness: number;
  /** Strength of the edge at each pixel, smoothed, weak ones left out as noise. */
  readonly edges: Float32Array;
}

/** Below this a difference between neighbours is noise, 0–255. */
const NOISE = 8;

/** @param data one byte a pixel, or the mean of several planes */
export function measure({ width, height, data }: { width: number; height: number; data: Float32Array }): Measures {
  const histogram = new Uint32Array(256);
  let sum = 0;
  let squares = 0;
  for (const value of data) {
    const bin = Math.min(255, Math.round(value));
    histogram[bin] = (histogram[bin] as number) + 1;
    sum += value;
    squares += value * value;
  }
  const mean = sum / data.length;
  const contrast = Math.sqrt(Math.max(0, squares / data.length - mean * mean));
  const edges = new Float32Array(data.length);
  let laplacian = 0;
  for (let y = 1; y < height - 1; y += 1) {
    for (let x = 1, n = y * width + 1; x < width - 1; x += 1, n += 1) {
      const [left, right] = [data[n - 1] as number, data[n + 1] as number];
      const [up, down] = [data[n - width] as number, data[n + width] as number];
      laplacian += Math.abs(4 * (data[n] as number) - left - right - up - down);
      edges[n] = Math.max(0, Math.abs(right - left) + Math.abs(down - up) - NOISE);
    }
  }
  return {
    mean,
    contrast,
    darkest: percentile(histogram, data.length * 0.01),
    brightest: percentile(histogram, data.length * 0.99),
    sharpness: laplacian / data.length / (contrast + 2),
    edges: smooth(edges, width, height),
  };
}

function percentile(histogram: Uint32Array, count: number): number {
  let passed = 0;
  for (let value = 0; value < histogram.length; value += 1) {
    passed += histogram[value] as number;
    if (passed >= count) return value;
  }
  return 255;
}

/** Each pixel the sum of its neighbourhood of 3×3: an edge that trembles stays the same edge. */
function smooth(edges: Float32Array, width: number, height: number): Float32Array {
  const rows = new Float32Array(edges.length);
  for (let n = 1; n < edges.length - 1; n += 1) {
    rows[n] = (edges[n - 1] as number) + (edges[n] as number) + (edges[n + 1] as number);
  }
  const both = new Float32Array(edges.length);
  for (let n = width; n < width * (height - 1); n += 1) {
    both[n] = (rows[n - width] as number) + (rows[n] as number) + (rows[n + width] as number);
  }
  return both;
}

/** Correlation of two edge planes, one moved by (dx, dy): 1 the same structure, 0 nothing in common. */
export function correlation(
  a: Float32Array,
  b: Float32Array,
  { width, height }: Pick<Grey, 'width' | 'height'>,
  dx = 0,
  dy = 0,
): number {
  let [sa, sb, saa, sbb, sab, count] = [0, 0, 0, 0, 0, 0];
  const [x0, x1] = [Math.max(0, -dx), Math.min(width, width - dx)];
  const [y0, y1] = [Math.max(0, -dy), Math.min(height, height - dy)];
  for (let y = y0; y < y1; y += 1) {
    for (let x = x0, n = y * width + x0, m = (y + dy) * width + x0 + dx; x < x1; x += 1, n += 1, m += 1) {
      const [va, vb] = [a[n] as number, b[m] as number];
      sa += va;
      sb += vb;
      saa += va * va;
      sbb += vb * vb;
      sab += va * vb;
      count += 1;
    }
  }
  const [da, db] = [saa - (sa * sa) / count, sbb - (sb * sb) / count];
  return da <= 0 || db <= 0 ? 0 : (sab - (sa * sb) / count) / Math.sqrt(da * db);
}

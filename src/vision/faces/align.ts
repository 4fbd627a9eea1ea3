import type { Picture, Point } from '../picture.ts';

/** Side of an aligned face, pixels. */
export const ALIGNED = 112;

/** Where the five points of a face lie in an aligned one: the places the embedding was trained with (ArcFace). */
export const PLACES: readonly Point[] = [
  { x: 38.2946, y: 51.6963 },
  { x: 73.5318, y: 51.5014 },
  { x: 56.0252, y: 71.7366 },
  { x: 41.5493, y: 92.3655 },
  { x: 70.7299, y: 92.2041 },
];

/** A similarity: `x' = a·x − b·y + tx`, `y' = b·x + a·y + ty` (turning, one scale, moving; no mirroring, no shear). */
export interface Similarity {
  readonly a: number;
  readonly b: number;
  readonly tx: number;
  readonly ty: number;
}

/** How much a length grows. */
export const scaleOf = ({ a, b }: Similarity): number => Math.hypot(a, b);

export const apply = ({ a, b, tx, ty }: Similarity, { x, y }: Point): Point => ({
  x: a * x - b * y + tx,
  y: b * x + a * y + ty,
});

export function invert({ a, b, tx, ty }: Similarity): Similarity {
  const norm = a * a + b * b;
  const [ia, ib] = [a / norm, -b / norm];
  return { a: ia, b: ib, tx: -(ia * tx - ib * ty), ty: -(ib * tx + ia * ty) };
}

/**
 * Five points of a face: left eye, right eye (as they lie in the picture), tip of the nose, corners of the mouth.
 * @param points 68 points in the order of iBUG 300-W
 */
export function fivePoints(points: readonly Point[]): Point[] {
  const mean = (...which: number[]): Point => {
    const chosen = which.map((i) => points[i] as Point);
    return {
      x: chosen.reduce((sum, { x }) => sum + x, 0) / chosen.length,
      y: chosen.reduce((sum, { y }) => sum + y, 0) / chosen.length,
    };
  };
  return [mean(37, 38, 40, 41), mean(43, 44, 46, 47), mean(30), mean(48, 60), mean(54, 64)];
}

/** The similarity with the least squared error. S. Umeyama, IEEE PAMI 13(4), 1991; in two dimensions it has a closed form. */
export function similarity(from: readonly Point[], to: readonly Point[]): Similarity {
  const centre = (points: readonly Point[]): Point => ({
    x: points.reduce((sum, { x }) => sum + x, 0) / points.length,
    y: points.reduce((sum, { y }) => sum + y, 0) / points.length,
  });
  const [f, t] = [centre(from), centre(to)];
  let along = 0;
  let across = 0;
  let spread = 0;
  from.forEach(({ x, y }, i) => {
    const goal = to[i] as Point;
    const [fx, fy, gx, gy] = [x - f.x, y - f.y, goal.x - t.x, goal.y - t.y];
    along += fx * gx + fy * gy;
    across += fx * gy - fy * gx;
    spread += fx * fx + fy * fy;
  });
  const [a, b] = spread === 0 ? [1, 0] : [along / spread, across / spread];
  return { a, b, tx: t.x - (a * f.x - b * f.y), ty: t.y - (b * f.x + a * f.y) };
}

/**
 * A square of `side` × `side` pixels (rgb24) of a picture, bilinear; black where it reaches outside. What is made smaller is
 * averaged over the pixels it covers, so that a large face does not become a grid of chance samples.
 * @param place from pixels of the square to pixels of the picture
 */
export function warp(picture: Picture, place: Similarity, side: number): Uint8Array {
  const { width, height, data } = picture;
  const out = new Uint8Array(side * side * 3);
  const taps = Math.min(4, Math.max(1, Math.round(scaleOf(place))));
  if (liesInside(picture, place, side)) {
    warpInside(picture, place, side, taps, out);
    return out;
  }
  const share = 1 / (taps * taps);
  const { a, b, tx, ty } = place;
  let at = 0;
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let tap = 0; tap < taps * taps; tap += 1) {
        const u = taps === 1 ? x : x + ((tap % taps) + 0.5) / taps - 0.5;
        const v = taps === 1 ? y : y + (Math.floor(tap / taps) + 0.5) / taps - 0.5;
        const sx = a * u - b * v + tx;
        const sy = b * u + a * v + ty;
        const x0 = Math.floor(sx);
        const y0 = Math.floor(sy);
        const wx = sx - x0;
        const wy = sy - y0;
        const left = x0 >= 0 && x0 < width;
        const right = x0 + 1 >= 0 && x0 + 1 < width;
        const i = (y0 * width + x0) * 3;
        if (y0 >= 0 && y0 < height) {
          if (left) {
            const w = (1 - wx) * (1 - wy);
            red += w * (data[i] as number);
            green += w * (data[i + 1] as number);
            blue += w * (data[i + 2] as number);
          }
          if (right) {
            const w = wx * (1 - wy);
            red += w * (data[i + 3] as number);
            green += w * (data[i + 4] as number);
            blue += w * (data[i + 5] as number);
          }
        }
        if (y0 + 1 >= 0 && y0 + 1 < height) {
          const j = i + width * 3;
          if (left) {
            const w = (1 - wx) * wy;
            red += w * (data[j] as number);
            green += w * (data[j + 1] as number);
            blue += w * (data[j + 2] as number);
          }
          if (right) {
            const w = wx * wy;
            red += w * (data[j + 3] as number);
            green += w * (data[j + 4] as number);
            blue += w * (data[j + 5] as number);
          }
        }
      }
      out[at] = red * share + 0.5;
      out[at + 1] = green * share + 0.5;
      out[at + 2] = blue * share + 0.5;
      at += 3;
    }
  }
  return out;
}

/** Whether every sample, and its neighbour to the right and below, is in the picture. */
function liesInside({ width, height }: Picture, place: Similarity, side: number): boolean {
  const ends = [-0.5, side - 0.5];
  return ends.every((x) =>
    ends.every((y) => {
      const corner = apply(place, { x, y });
      return corner.x >= 0 && corner.y >= 0 && corner.x < width - 1 && corner.y < height - 1;
    }),
  );
}

/** The same without a look at the edges; a third of the time. */
function warpInside({ width, data }: Picture, place: Similarity, side: number, taps: number, out: Uint8Array): void {
  const { a, b, tx, ty } = place;
  const count = taps * taps;
  const [across, down] = [new Float64Array(count), new Float64Array(count)];
  for (let tap = 0; tap < count; tap += 1) {
    const u = ((tap % taps) + 0.5) / taps - 0.5;
    const v = (Math.floor(tap / taps) + 0.5) / taps - 0.5;
    across[tap] = a * u - b * v;
    down[tap] = b * u + a * v;
  }
  const row = width * 3;
  for (let y = 0, at = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1, at += 3) {
      const left = a * x - b * y + tx;
      const top = b * x + a * y + ty;
      let [red, green, blue] = [0, 0, 0];
      for (let tap = 0; tap < count; tap += 1) {
        const sx = left + (across[tap] as number);
        const sy = top + (down[tap] as number);
        const x0 = sx | 0;
        const y0 = sy | 0;
        const right = sx - x0;
        const below = sy - y0;
        const w11 = right * below;
        const w01 = right - w11;
        const w10 = below - w11;
        const w00 = 1 - right - w10;
        const i = y0 * row + x0 * 3;
        const j = i + row;
        red += w00 * (data[i] as number) + w01 * (data[i + 3] as number);
        red += w10 * (data[j] as number) + w11 * (data[j + 3] as number);
        green += w00 * (data[i + 1] as number) + w01 * (data[i + 4] as number);
        green += w10 * (data[j + 1] as number) + w11 * (data[j + 4] as number);
        blue += w00 * (data[i + 2] as number) + w01 * (data[i + 5] as number);
        blue += w10 * (data[j + 2] as number) + w11 * (data[j + 5] as number);
      }
      out[at] = red / count + 0.5;
      out[at + 1] = green / count + 0.5;
      out[at + 2] = blue / count + 0.5;
    }
  }
}

/** The same square as a mirror shows it. */
export function mirrored(square: Uint8Array, side: number): Uint8Array {
  const out = new Uint8Array(square.length);
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      const from = (y * side + x) * 3;
      const to = (y * side + side - 1 - x) * 3;
      out[to] = square[from] as number;
      out[to + 1] = square[from + 1] as number;
      out[to + 2] = square[from + 2] as number;
    }
  }
  return out;
}

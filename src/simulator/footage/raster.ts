import { type Placed, SEGMENTS, type Segment } from './body.ts';
import type { Figure, Surface } from './figure.ts';
import { unit, type Vec } from './geometry.ts';
import type { View } from './view.ts';

/** Samples a pixel, each way. */
export const SAMPLES = 3;
const SUN: Vec = unit([0.45, 0.8, 0.55]);

/** What is drawn of the people in one frame: samples of colour and distance within a box of whole pixels. */
export interface Drawn {
  /** Pixels; the right and lower edges are outside. */
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  /** [samples of the box], rows of (right - left) · SAMPLES; rgb packed, and 1/distance; 0 where nobody is */
  readonly colours: Uint32Array;
  readonly nearness: Float32Array;
  /** z of the surface, metres from the wall towards the camera */
  readonly depths: Float32Array;
}

/** A painter with a depth buffer: linear blend skinning, one light, nearest texel. */
export function draw(view: View, figure: Figure, parts: Record<Segment, Placed>, shade: number): Drawn | null {
  const meshes = figure.surfaces.map((surface) => projected(view, surface, parts));
  const box = boxOf(meshes, view);
  if (box === null) return null;
  const samples = (box.right - box.left) * (box.bottom - box.top) * SAMPLES * SAMPLES;
  const drawn: Drawn = {
    ...box,
    colours: new Uint32Array(samples),
    nearness: new Float32Array(samples),
    depths: new Float32Array(samples),
  };
  meshes.forEach((mesh, nth) => {
    const surface = figure.surfaces[nth];
    if (surface !== undefined) fill(drawn, mesh, surface, shade);
  });
  return drawn;
}

interface Projected {
  /** [3 · vertices] world */
  readonly world: Float32Array;
  /** [3 · vertices] x, y in samples of the whole picture, 1/distance */
  readonly seen: Float32Array;
}

function projected(view: View, surface: Surface, parts: Record<Segment, Placed>): Projected {
  const placed = SEGMENTS.flatMap((name) => {
    const { turn, shift } = parts[name];
    return [...turn, ...shift];
  });
  const all = Float64Array.from(placed);
  const { points, weights, parts: which } = surface;
  const world = new Float32Array(points.length);
  const seen = new Float32Array(points.length);
  const sum = new Float64Array(12);
  for (let vertex = 0; vertex * 3 < points.length; vertex += 1) {
    sum.fill(0);
    for (let nth = vertex * 4; nth < vertex * 4 + 4; nth += 1) {
      const weight = weights[nth] as number;
      if (weight === 0) continue;
      const from = (which[nth] as number) * 12;
      for (let term = 0; term < 12; term += 1)
        sum[term] = (sum[term] as number) + weight * (all[from + term] as number);
    }
    const [x, y, z] = [
      points[vertex * 3] as number,
      points[vertex * 3 + 1] as number,
      points[vertex * 3 + 2] as number,
    ];
    for (let axis = 0; axis < 3; axis += 1) {
      world[vertex * 3 + axis] =
        (sum[axis * 3] as number) * x +
        (sum[axis * 3 + 1] as number) * y +
        (sum[axis * 3 + 2] as number) * z +
        (sum[9 + axis] as number);
    }
    view.see(world, seen, vertex * 3, SAMPLES);
  }
  return { world, seen };
}

function boxOf(meshes: readonly Projected[], view: View): Pick<Drawn, 'left' | 'top' | 'right' | 'bottom'> | null {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { seen } of meshes) {
    for (let at = 0; at < seen.length; at += 3) {
      if ((seen[at + 2] as number) <= 0) continue;
      left = Math.min(left, seen[at] as number);
      right = Math.max(right, seen[at] as number);
      top = Math.min(top, seen[at + 1] as number);
      bottom = Math.max(bottom, seen[at + 1] as number);
    }
  }
  const box = {
    left: Math.max(0, Math.floor(left / SAMPLES)),
    top: Math.max(0, Math.floor(top / SAMPLES)),
    right: Math.min(view.width, Math.ceil(right / SAMPLES) + 1),
    bottom: Math.min(view.height, Math.ceil(bottom / SAMPLES) + 1),
  };
  return box.left < box.right && box.top < box.bottom ? box : null;
}

function fill(drawn: Drawn, { world, seen }: Projected, surface: Surface, shade: number): void {
  const { corners, places, texture } = surface;
  const { colours, nearness, depths } = drawn;
  const columns = (drawn.right - drawn.left) * SAMPLES;
  const rows = (drawn.bottom - drawn.top) * SAMPLES;
  const [offsetX, offsetY] = [drawn.left * SAMPLES, drawn.top * SAMPLES];
  for (let corner = 0; corner < corners.length; corner += 3) {
    const [a, b, c] = [
      (corners[corner] as number) * 3,
      (corners[corner + 1] as number) * 3,
      (corners[corner + 2] as number) * 3,
    ];
    const [na, nb, nc] = [seen[a + 2] as number, seen[b + 2] as number, seen[c + 2] as number];
    if (na <= 0 || nb <= 0 || nc <= 0) continue;
    const [ax, ay] = [(seen[a] as number) - offsetX, (seen[a + 1] as number) - offsetY];
    const [bx, by] = [(seen[b] as number) - offsetX, (seen[b + 1] as number) - offsetY];
    const [cx, cy] = [(seen[c] as number) - offsetX, (seen[c + 1] as number) - offsetY];
    const area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay);
    if (area === 0) continue;
    const firstX = Math.max(0, Math.ceil(Math.min(ax, bx, cx) - 0.5));
    const lastX = Math.min(columns - 1, Math.floor(Math.max(ax, bx, cx) - 0.5));
    const firstY = Math.max(0, Math.ceil(Math.min(ay, by, cy) - 0.5));
    const lastY = Math.min(rows - 1, Math.floor(Math.max(ay, by, cy) - 0.5));
    if (firstX > lastX || firstY > lastY) continue;
    const light = shade * lightOn(world, a, b, c, area);
    const uv = corner * 2;
    for (let y = firstY; y <= lastY; y += 1) {
      for (let x = firstX; x <= lastX; x += 1) {
        const [px, py] = [x + 0.5, y + 0.5];
        const wb = ((px - ax) * (cy - ay) - (cx - ax) * (py - ay)) / area;
        const wc = ((bx - ax) * (py - ay) - (px - ax) * (by - ay)) / area;
        const wa = 1 - wb - wc;
        if (wa < 0 || wb < 0 || wc < 0) continue;
        const near = wa * na + wb * nb + wc * nc;
        const at = y * columns + x;
        if (near <= (nearness[at] as number)) continue;
        const u = wa * (places[uv] as number) + wb * (places[uv + 2] as number) + wc * (places[uv + 4] as number);
        const v = wa * (places[uv + 1] as number) + wb * (places[uv + 3] as number) + wc * (places[uv + 5] as number);
        const texel = (((v | 0) & 511) * texture.width + ((u | 0) & 511)) * 4;
        if ((texture.data[texel + 3] as number) < 110) continue;
        nearness[at] = near;
        depths[at] = wa * (world[a + 2] as number) + wb * (world[b + 2] as number) + wc * (world[c + 2] as number);
        const red = Math.min(255, (texture.data[texel] as number) * light) | 0;
        const green = Math.min(255, (texture.data[texel + 1] as number) * light) | 0;
        const blue = Math.min(255, (texture.data[texel + 2] as number) * light) | 0;
        colours[at] = (red << 16) | (green << 8) | blue;
      }
    }
  }
}

/** Sky from above and sun from one side; the side of a triangle that is seen is the outer one. */
function lightOn(world: Float32Array, a: number, b: number, c: number, area: number): number {
  const [ux, uy, uz] = [
    (world[b] as number) - (world[a] as number),
    (world[b + 1] as number) - (world[a + 1] as number),
    (world[b + 2] as number) - (world[a + 2] as number),
  ];
  const [vx, vy, vz] = [
    (world[c] as number) - (world[a] as number),
    (world[c + 1] as number) - (world[a + 1] as number),
    (world[c + 2] as number) - (world[a + 2] as number),
  ];
  const side = area < 0 ? 1 : -1;
  const [x, y, z] = [(uy * vz - uz * vy) * side, (uz * vx - ux * vz) * side, (ux * vy - uy * vx) * side];
  const size = Math.hypot(x, y, z) || 1;
  const sun = Math.max(0, (x * SUN[0] + y * SUN[1] + z * SUN[2]) / size);
  return 0.5 + 0.22 * (y / size + 1) * 0.5 + 0.55 * sun;
}

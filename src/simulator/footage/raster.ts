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

/** Of each surface, written over frame after frame: fresh ones cost more to be collected than to be filled. */
const memory = new WeakMap<Surface, Projected>();

function projected(view: View, surface: Surface, parts: Record<Segment, Placed>): Projected {
  const placed = SEGMENTS.flatMap((name) => {
    const { turn, shift } = parts[name];
    return [...turn, ...shift];
  });
  const all = Float64Array.from(placed);
  const { points, weights, parts: which } = surface;
  const into = memory.get(surface) ?? {
    world: new Float32Array(points.length),
    seen: new Float32Array(points.length),
  };
  memory.set(surface, into);
  const { world, seen } = into;
  for (let vertex = 0; vertex * 3 < points.length; vertex += 1) {
    const x = points[vertex * 3] as number;
    const y = points[vertex * 3 + 1] as number;
    const z = points[vertex * 3 + 2] as number;
    let wx = 0;
    let wy = 0;
    let wz = 0;
    for (let nth = vertex * 4; nth < vertex * 4 + 4; nth += 1) {
      const weight = weights[nth] as number;
      if (weight === 0) continue;
      const m = (which[nth] as number) * 12;
      wx +=
        weight *
        ((all[m] as number) * x + (all[m + 1] as number) * y + (all[m + 2] as number) * z + (all[m + 9] as number));
      wy +=
        weight *
        ((all[m + 3] as number) * x +
          (all[m + 4] as number) * y +
          (all[m + 5] as number) * z +
          (all[m + 10] as number));
      wz +=
        weight *
        ((all[m + 6] as number) * x +
          (all[m + 7] as number) * y +
          (all[m + 8] as number) * z +
          (all[m + 11] as number));
    }
    world[vertex * 3] = wx;
    world[vertex * 3 + 1] = wy;
    world[vertex * 3 + 2] = wz;
    view.see(world, seen, vertex * 3, SAMPLES);
  }
  return into;
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
  const { corners, places, texture, open } = surface;
  const { colours, nearness, depths } = drawn;
  const columns = (drawn.right - drawn.left) * SAMPLES;
  const rows = (drawn.bottom - drawn.top) * SAMPLES;
  const offsetX = drawn.left * SAMPLES + 0.5;
  const offsetY = drawn.top * SAMPLES + 0.5;
  for (let corner = 0; corner < corners.length; corner += 3) {
    const a = (corners[corner] as number) * 3;
    const b = (corners[corner + 1] as number) * 3;
    const c = (corners[corner + 2] as number) * 3;
    const ax = (seen[a] as number) - offsetX;
    const ay = (seen[a + 1] as number) - offsetY;
    const bx = (seen[b] as number) - offsetX;
    const by = (seen[b + 1] as number) - offsetY;
    const cx = (seen[c] as number) - offsetX;
    const cy = (seen[c + 1] as number) - offsetY;
    // Negative: its outer side is seen. The inner side of what is closed never is.
    const area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay);
    if (area === 0 || (area > 0 && !open)) continue;
    const firstX = Math.max(0, Math.ceil(Math.min(ax, bx, cx)));
    const lastX = Math.min(columns - 1, Math.floor(Math.max(ax, bx, cx)));
    const firstY = Math.max(0, Math.ceil(Math.min(ay, by, cy)));
    const lastY = Math.min(rows - 1, Math.floor(Math.max(ay, by, cy)));
    if (firstX > lastX || firstY > lastY) continue;
    const na = seen[a + 2] as number;
    const nb = seen[b + 2] as number;
    const nc = seen[c + 2] as number;
    if (na <= 0 || nb <= 0 || nc <= 0) continue;
    let light = 0;
    const uv = corner * 2;
    for (let y = firstY; y <= lastY; y += 1) {
      for (let x = firstX; x <= lastX; x += 1) {
        const wb = ((x - ax) * (cy - ay) - (cx - ax) * (y - ay)) / area;
        const wc = ((bx - ax) * (y - ay) - (x - ax) * (by - ay)) / area;
        const wa = 1 - wb - wc;
        if (wa < 0 || wb < 0 || wc < 0) continue;
        const near = wa * na + wb * nb + wc * nc;
        const at = y * columns + x;
        if (near <= (nearness[at] as number)) continue;
        const u = wa * (places[uv] as number) + wb * (places[uv + 2] as number) + wc * (places[uv + 4] as number);
        const v = wa * (places[uv + 1] as number) + wb * (places[uv + 3] as number) + wc * (places[uv + 5] as number);
        const texel = (((v | 0) & (texture.height - 1)) * texture.width + ((u | 0) & (texture.width - 1))) * 4;
        if ((texture.data[texel + 3] as number) < 110) continue;
        if (light === 0) light = shade * lightOn(world, a, b, c, area);
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
  const ux = (world[b] as number) - (world[a] as number);
  const uy = (world[b + 1] as number) - (world[a + 1] as number);
  const uz = (world[b + 2] as number) - (world[a + 2] as number);
  const vx = (world[c] as number) - (world[a] as number);
  const vy = (world[c + 1] as number) - (world[a + 1] as number);
  const vz = (world[c + 2] as number) - (world[a + 2] as number);
  const side = area < 0 ? 1 : -1;
  const x = (uy * vz - uz * vy) * side;
  const y = (uz * vx - ux * vz) * side;
  const z = (ux * vy - uy * vx) * side;
  const size = Math.sqrt(x * x + y * y + z * z) || 1;
  const sun = Math.max(0, (x * SUN[0] + y * SUN[1] + z * SUN[2]) / size);
  return 0.5 + 0.11 * (y / size + 1) + 0.55 * sun;
}

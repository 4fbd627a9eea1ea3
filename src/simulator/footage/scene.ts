import { seeded, seedOf } from '../random.ts';
import type { Vec } from './geometry.ts';
import { SAMPLES } from './raster.ts';
import type { View } from './view.ts';

export interface Wall {
  readonly kind: 'brick' | 'wire';
  /** Metres */
  readonly height: number;
  /** From where to where along x. */
  readonly from: number;
  readonly to: number;
}

/** The place without people, and what of it stands in front of whoever is behind the wall. */
export interface Scene {
  /** rgb24, [height · width] */
  readonly picture: Uint8Array;
  /** [samples], 1 where the wall covers what is behind it */
  readonly covers: Uint8Array;
  /** Colour of the wall where it is thinner than a pixel; `null`: the picture has it. */
  readonly wire: Vec | null;
}

type Rgb = [number, number, number];

/** Bricks, wires, paving, grass, houses, trees and sky, by a ray for each sample. The same seed gives the same picture. */
export function paint(view: View, wall: Wall, seed: number): Scene {
  const look = new Look(wall, seed);
  const { width, height } = view;
  const picture = new Uint8Array(width * height * 3);
  const covers = new Uint8Array(width * height * SAMPLES * SAMPLES);
  const sum: Rgb = [0, 0, 0];
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      sum.fill(0);
      for (let sample = 0; sample < SAMPLES * SAMPLES; sample += 1) {
        const [sx, sy] = [sample % SAMPLES, Math.floor(sample / SAMPLES)];
        const ray = view.ray(x + (sx + 0.5) / SAMPLES, y + (sy + 0.5) / SAMPLES);
        const { colour, covered } = look.along(view.from, ray);
        if (covered) covers[(y * SAMPLES + sy) * width * SAMPLES + x * SAMPLES + sx] = 1;
        for (const channel of [0, 1, 2] as const) sum[channel] += colour[channel];
      }
      for (const channel of [0, 1, 2] as const) {
        picture[(y * width + x) * 3 + channel] = Math.min(255, Math.max(0, sum[channel] / SAMPLES / SAMPLES));
      }
    }
  }
  return { picture, covers, wire: wall.kind === 'wire' ? look.wire : null };
}

const HOUSES_Z = -26;
const TREES_Z = -13;

class Look {
  readonly #wall: Wall;
  readonly #lattice: Float32Array;
  readonly wire: Rgb;
  readonly #brick: Rgb;
  readonly #paving: Rgb;

  constructor(wall: Wall, seed: number) {
    const random = seeded(seedOf(seed, 'scene'));
    this.#wall = wall;
    this.#lattice = Float32Array.from({ length: 65_536 }, random);
    this.wire = [52 + random() * 60, 88 + random() * 40, 74 + random() * 40];
    this.#brick = [140 + random() * 35, 78 + random() * 30, 60 + random() * 25];
    this.#paving = [118 + random() * 30, 116 + random() * 28, 112 + random() * 24];
  }

  along(from: Vec, ray: Vec): { colour: Rgb; covered: boolean } {
    const toWall = -from[2] / ray[2];
    if (toWall > 0) {
      const [x, y] = [from[0] + ray[0] * toWall, from[1] + ray[1] * toWall];
      const { from: left, to: right, height, kind } = this.#wall;
      if (x >= left && x <= right && y >= 0 && y <= height + 0.02) {
        const colour = kind === 'brick' ? this.#bricks(x, y) : this.#wires(x, y);
        if (colour !== null) return { colour, covered: true };
      }
    }
    if (ray[1] < 0) {
      const far = -from[1] / ray[1];
      const [x, z] = [from[0] + ray[0] * far, from[2] + ray[2] * far];
      if (z > HOUSES_Z) return { colour: this.#ground(x, z), covered: false };
    }
    return { colour: this.#distance(from, ray), covered: false };
  }

  #bricks(x: number, y: number): Rgb | null {
    const { height } = this.#wall;
    const stain = this.#noise(x * 0.7, y * 0.9, 3) * 0.3 + 0.8;
    if (y > height - 0.12) return shaded([168, 165, 158], stain * (y > height - 0.02 ? 1.1 : 0.95));
    const row = Math.floor(y / 0.075);
    const along = x / 0.25 + (row % 2) * 0.5;
    const mortar = y / 0.075 - row < 0.15 || along - Math.floor(along) < 0.05;
    if (mortar) return shaded([158, 150, 140], stain);
    return shaded(this.#brick, stain * (0.8 + 0.4 * this.#at(Math.floor(along), row)));
  }

  #wires(x: number, y: number): Rgb | null {
    const { height, from } = this.#wall;
    const near = (value: number, every: number) => Math.abs(value / every - Math.round(value / every)) * every;
    const post = near(x - from, 2.5) < 0.035;
    const rail = Math.abs(y - height + 0.02) < 0.025 || Math.abs(y - 0.15) < 0.02;
    const mesh = near(x, 0.075) < 0.0035 || near(y, 0.15) < 0.0035;
    if (post) return shaded(this.wire, 0.85);
    return rail || (mesh && y > 0.15) ? shaded(this.wire, 1) : null;
  }

  #ground(x: number, z: number): Rgb {
    const rough = this.#noise(x * 2.3, z * 2.3, 4);
    // A strip of grass on either side of the wall, paving before it, a street behind it.
    const edge = 0.9 + 0.25 * this.#noise(x * 0.8, 5, 2);
    if (z < edge && z > -2.5) return shaded([86, 104, 58], 0.6 + 0.7 * rough);
    if (z <= -2.5) return shaded([98, 99, 101], 0.85 + 0.25 * rough);
    const slab = Math.abs(x / 0.6 - Math.round(x / 0.6)) < 0.025 || Math.abs(z / 0.6 - Math.round(z / 0.6)) < 0.025;
    const tone = 0.88 + 0.16 * this.#at(Math.round(x / 0.6 - 0.5), Math.round(z / 0.6 - 0.5)) + 0.15 * (rough - 0.5);
    return shaded(this.#paving, slab ? tone * 0.75 : tone);
  }

  #distance(from: Vec, ray: Vec): Rgb {
    const trees = (TREES_Z - from[2]) / ray[2];
    const [tx, ty] = [from[0] + ray[0] * trees, from[1] + ray[1] * trees];
    const crown = 1.5 + 2.6 * this.#noise(tx * 0.35, 1, 3);
    if (trees > 0 && ty < crown - 0.6 * this.#noise(tx * 3, ty * 3, 2)) {
      return shaded([64, 84, 48], 0.45 + 0.9 * this.#noise(tx * 2.2, ty * 2.2, 4));
    }
    const houses = (HOUSES_Z - from[2]) / ray[2];
    const [hx, hy] = [from[0] + ray[0] * houses, from[1] + ray[1] * houses];
    const block = Math.floor(hx / 17);
    if (houses > 0 && hx / 17 - block > 0.16 && hy < 12 + 8 * this.#at(block, 77)) {
      const window =
        fraction(hx / 2.6) > 0.3 && fraction(hx / 2.6) < 0.75 && fraction(hy / 2.9) > 0.35 && fraction(hy / 2.9) < 0.85;
      const tone = 0.9 + 0.15 * this.#at(block, 3);
      if (!window) return shaded([186, 176, 160], tone);
      return shaded([84, 92, 104], 0.7 + 0.7 * this.#at(Math.floor(hx / 2.6), Math.floor(hy / 2.9)));
    }
    return shaded([196, 204, 212], 1 + Math.min(0.15, Math.max(0, ray[1]) * 0.4));
  }

  #at(x: number, y: number): number {
    return this.#lattice[(Math.imul(x, 374_761) ^ Math.imul(y, 668_265)) & 65_535] as number;
  }

  /** Value noise of several octaves, about 0–1. */
  #noise(x: number, y: number, octaves: number): number {
    let [sum, weight, total] = [0, 1, 0];
    for (let octave = 0; octave < octaves; octave += 1) {
      const [ix, iy] = [Math.floor(x), Math.floor(y)];
      const [fx, fy] = [x - ix, y - iy];
      const [u, v] = [fx * fx * (3 - 2 * fx), fy * fy * (3 - 2 * fy)];
      const upper = this.#at(ix, iy) * (1 - u) + this.#at(ix + 1, iy) * u;
      const lower = this.#at(ix, iy + 1) * (1 - u) + this.#at(ix + 1, iy + 1) * u;
      sum += weight * (upper * (1 - v) + lower * v);
      total += weight;
      weight *= 0.5;
      x = x * 2 + 17.3;
      y = y * 2 + 9.1;
    }
    return sum / total;
  }
}

const fraction = (value: number): number => value - Math.floor(value);
const shaded = ([r, g, b]: Readonly<Rgb>, by: number): Rgb => [r * by, g * by, b * by];

import type { Box, Grey } from './picture.ts';
import { type Fractions, insidePolygon, toPixels } from './rules/geometry.ts';

/** Side of a cell, pixels of the grey plane. */
const CELL = 8;
/** A pixel that differs more than this from what it was is hot; 0–255. */
const HOT = 14;
/** Hot pixels that make a cell move. */
const ENOUGH = 6;
/** How much of a frame goes into the running mean, at five frames a second. */
const LEARNING = 0.05;
const NORMAL_STEP = 200;
/** More of the picture than this moving at once is light, a switch to infrared, a camera that is turned: not a person. */
const EVERYWHERE = 0.6;
/** Frames in a row that such a change is let through, in case it hides something, before it is taken as the new picture. */
const LET_THROUGH = 3;

export interface Motion {
  readonly moving: boolean;
  /** Nearly all of the picture changed at once. */
  readonly everywhere: boolean;
  /** Moving cells, row by row, 1 where it moves. `columns × rows`, each 8×8 pixels of the grey plane. */
  readonly cells: Uint8Array;
  readonly columns: number;
  readonly rows: number;
  readonly count: number;
}

/**
 * Whether anything moves: each pixel against its own running mean, made equal in brightness first, so that a cloud or the
 * camera's own exposure moves nothing. 0.05 ms a frame. What stays where it is becomes part of the scene within seconds:
 * who has been found is followed by the tracker, not by this.
 */
export class MotionGate {
  readonly #masks: readonly Fractions[];
  #mean = new Float32Array(0);
  #looked = new Uint8Array(0);
  #width = 0;
  #lookedAt = 0;
  #allMoving = 0;
  #last: Motion | null = null;

  /** @param masks polygons in 0–1 of the picture that are not looked at */
  constructor(masks: readonly Fractions[] = []) {
    this.#masks = masks;
  }

  /** Of the newest frame; `null` before the first. */
  get last(): Motion | null {
    return this.#last;
  }

  /** @param at ms, of any clock that does not step back */
  moves(grey: Grey, at: number): boolean {
    return this.look(grey, at).moving;
  }

  /** @param at ms, of any clock that does not step back */
  look(grey: Grey, at: number): Motion {
    const { width, height, data } = grey;
    const columns = Math.ceil(width / CELL);
    const rows = Math.ceil(height / CELL);
    const cells = new Uint8Array(columns * rows);
    const still: Motion = { moving: false, everywhere: false, cells, columns, rows, count: 0 };
    if (this.#mean.length !== data.length || this.#width !== width) {
      this.#begin(grey, at);
      this.#last = still;
      return still;
    }
    const learning = Math.min(0.5, (LEARNING * Math.max(1, at - this.#lookedAt)) / NORMAL_STEP);
    this.#lookedAt = at;
    const hot = this.#difference(grey, learning, columns, rows);
    let count = 0;
    let seen = 0;
    for (let cell = 0; cell < cells.length; cell += 1) {
      if ((this.#cellSizes[cell] ?? 0) === 0) continue;
      seen += 1;
      if ((hot[cell] ?? 0) < ENOUGH) continue;
      cells[cell] = 1;
      count += 1;
    }
    const everywhere = count > seen * EVERYWHERE;
    this.#allMoving = everywhere ? this.#allMoving + 1 : 0;
    if (this.#allMoving >= LET_THROUGH) {
      this.#begin(grey, at);
      this.#allMoving = 0;
    }
    this.#last = { moving: count > 0, everywhere, cells, columns, rows, count };
    return this.#last;
  }

  /** Pixels of each cell that are looked at. */
  #cellSizes = new Uint8Array(0);

  #begin(grey: Grey, at: number): void {
    const { width, height, data } = grey;
    if (this.#width !== width || this.#looked.length !== data.length) {
      const polygons = this.#masks.map((mask) => toPixels(mask, grey));
      const columns = Math.ceil(width / CELL);
      this.#looked = new Uint8Array(data.length);
      this.#cellSizes = new Uint8Array(columns * Math.ceil(height / CELL));
      for (let n = 0; n < data.length; n += 1) {
        const x = n % width;
        const y = Math.floor(n / width);
        if (polygons.some((polygon) => insidePolygon(polygon, { x: x + 0.5, y: y + 0.5 }))) continue;
        this.#looked[n] = 1;
        const cell = Math.floor(y / CELL) * columns + Math.floor(x / CELL);
        this.#cellSizes[cell] = (this.#cellSizes[cell] ?? 0) + 1;
      }
    }
    this.#width = width;
    this.#lookedAt = at;
    this.#mean = Float32Array.from(data);
  }

  /** Hot pixels of each cell; the running mean goes on. The two loops are all that a frame costs. */
  #difference({ width, height, data }: Grey, learning: number, columns: number, rows: number): Uint8Array {
    const mean = this.#mean;
    const looked = this.#looked;
    let now = 0;
    let before = 0;
    for (let n = 0; n < data.length; n += 1) {
      if (looked[n] === 0) continue;
      now += data[n] as number;
      before += mean[n] as number;
    }
    // Black or white all over: there is no brightness to be made equal.
    const gain = now > 0 && before > 0 ? Math.min(4, Math.max(0.25, before / now)) : 1;
    const hot = new Uint8Array(columns * rows);
    for (let y = 0; y < height; y += 1) {
      const row = (y >> 3) * columns;
      for (let x = 0, n = y * width; x < width; x += 1, n += 1) {
        const value = data[n] as number;
        const was = mean[n] as number;
        mean[n] = was + learning * (value - was);
        const off = value * gain - was;
        if ((off > HOT || off < -HOT) && looked[n] === 1) {
          const cell = row + (x >> 3);
          hot[cell] = (hot[cell] as number) + 1;
        }
      }
    }
    return hot;
  }
}

/** Boxes around groups of moving cells that touch, in 0–1 of the picture, the largest first. */
export function movingRegions({ cells, columns, rows }: Motion): Box[] {
  const left = Uint8Array.from(cells);
  const regions: { box: Box; size: number }[] = [];
  for (let start = 0; start < left.length; start += 1) {
    if (left[start] === 0) continue;
    left[start] = 0;
    const open = [start];
    let [x1, y1, x2, y2, size] = [columns, rows, 0, 0, 0];
    for (let cell = open.pop(); cell !== undefined; cell = open.pop()) {
      const [x, y] = [cell % columns, Math.floor(cell / columns)];
      size += 1;
      [x1, y1, x2, y2] = [Math.min(x1, x), Math.min(y1, y), Math.max(x2, x + 1), Math.max(y2, y + 1)];
      for (let ny = Math.max(0, y - 1); ny <= Math.min(rows - 1, y + 1); ny += 1) {
        for (let nx = Math.max(0, x - 1); nx <= Math.min(columns - 1, x + 1); nx += 1) {
          const neighbour = ny * columns + nx;
          if (left[neighbour] === 0) continue;
          left[neighbour] = 0;
          open.push(neighbour);
        }
      }
    }
    regions.push({ box: { x1: x1 / columns, y1: y1 / rows, x2: x2 / columns, y2: y2 / rows }, size });
  }
  return regions.sort((a, b) => b.size - a.size).map(({ box }) => box);
}

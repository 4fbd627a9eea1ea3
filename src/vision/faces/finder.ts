import type { Inference } from '../inference/inference.ts';
import { type Box, type Detection, heightOf, overlap, type Picture, widthOf } from '../picture.ts';
import { cut } from './region.ts';

/** Pixels of a tile of a large picture; a face of 64 px is 21 px high in a detector's input of 320×240. */
const TILE = { width: 960, height: 720 };
/** Neighbouring tiles share this part: a face that one cuts is whole in the other, or large enough for the whole picture. */
const SHARED = 0.25;
/** Two boxes with more in common than this are one face. */
const SAME = 0.4;
/** Width of the margin that is added around a tight photo, as part of its size. */
const MARGIN = 0.5;
/** A face found with this score needs no second look. */
const SURE = 0.9;
/** Photos not larger than this may be nothing but a face. */
const TIGHT = 400;

/**
 * Finds faces of every size in a picture with a detector of one small input: first the whole picture; a tight photo again
 * with a margin (a face that fills its picture is not found without); a large one also tile by tile.
 */
export class FaceFinder {
  readonly #inference: Inference;
  readonly #model: string;
  readonly #threshold: number;

  constructor(inference: Inference, model: string, threshold: number) {
    this.#inference = inference;
    this.#model = model;
    this.#threshold = threshold;
  }

  /**
   * @param source whose picture it is, for the queue
   * @param thorough whether a large picture is looked at in parts as well, and a tight one with a margin
   * @returns largest first, pixels of the picture, may reach outside; `null` when inference had no time for it
   */
  async find(picture: Picture, source: string, thorough = true): Promise<Detection[] | null> {
    const whole = { x1: 0, y1: 0, x2: picture.width, y2: picture.height };
    const found = await this.look(picture, whole, source);
    if (found === null) return null;
    if (!thorough) return merged(found);
    const sure = found.some(({ score }) => score >= SURE);
    if (found.length === 0 || (!sure && Math.max(picture.width, picture.height) <= TIGHT)) {
      const wide = await this.look(picture, grown(whole, MARGIN), source);
      if (wide === null) return null;
      found.push(...wide);
    }
    for (const tile of tilesOf(picture)) {
      const inside = await this.look(picture, tile, source);
      if (inside === null) return null;
      found.push(...inside.filter((face) => isWhole(face, tile, picture)));
    }
    return merged(found);
  }

  /** Looks at one part of the picture, which may reach outside. */
  async look(picture: Picture, part: Box, source: string): Promise<Detection[] | null> {
    const { width, height } = this.#inference.size(this.#model);
    const cutting = await cut(picture, shaped(part, width / height), width, height);
    const found = await this.#inference.run('faces', this.#model, cutting.picture.data, source);
    if (found === null) return null;
    const { x1, y1 } = cutting.region;
    const across = widthOf(cutting.region) / width;
    const down = heightOf(cutting.region) / height;
    return found
      .filter(({ score }) => score >= this.#threshold)
      .map((face) => ({
        score: face.score,
        x1: x1 + face.x1 * across,
        y1: y1 + face.y1 * down,
        x2: x1 + face.x2 * across,
        y2: y1 + face.y2 * down,
      }));
  }
}

/** The smallest box of this shape around a box. */
function shaped({ x1, y1, x2, y2 }: Box, aspect: number): Box {
  const width = Math.max(x2 - x1, (y2 - y1) * aspect);
  const height = width / aspect;
  const [x, y] = [(x1 + x2 - width) / 2, (y1 + y2 - height) / 2];
  return { x1: x, y1: y, x2: x + width, y2: y + height };
}

const grown = (box: Box, by: number): Box => ({
  x1: box.x1 - widthOf(box) * by,
  y1: box.y1 - heightOf(box) * by,
  x2: box.x2 + widthOf(box) * by,
  y2: box.y2 + heightOf(box) * by,
});

function* tilesOf({ width, height }: Picture): Iterable<Box> {
  if (width <= TILE.width * 1.25 && height <= TILE.height * 1.25) return;
  for (const y1 of starts(height, TILE.height)) {
    for (const x1 of starts(width, TILE.width)) yield { x1, y1, x2: x1 + TILE.width, y2: y1 + TILE.height };
  }
}

/** Where tiles of a length begin, so that they cover the whole with at least {@link SHARED} in common. */
function starts(whole: number, tile: number): number[] {
  if (whole <= tile) return [(whole - tile) / 2];
  const count = Math.ceil((whole - tile) / (tile * (1 - SHARED))) + 1;
  return Array.from({ length: count }, (_, i) => Math.round((i * (whole - tile)) / (count - 1)));
}

/** Not cut by an edge of the tile that is no edge of the picture. */
function isWhole(face: Box, tile: Box, picture: Picture): boolean {
  const near = heightOf(face) * 0.1;
  return !(
    (tile.x1 > 0 && face.x1 < tile.x1 + near) ||
    (tile.y1 > 0 && face.y1 < tile.y1 + near) ||
    (tile.x2 < picture.width && face.x2 > tile.x2 - near) ||
    (tile.y2 < picture.height && face.y2 > tile.y2 - near)
  );
}

/** One box a face, the surest; a box inside another (nose and mouth, seen close up) is the same face. Largest first. */
function merged(found: readonly Detection[]): Detection[] {
  const kept: Detection[] = [];
  for (const face of [...found].sort((a, b) => b.score - a.score)) {
    if (kept.every((other) => overlap(face, other) < SAME && inside(face, other) < 0.8)) kept.push(face);
  }
  return kept.sort((a, b) => areaOf(b) - areaOf(a));
}

export const areaOf = (box: Box): number => widthOf(box) * heightOf(box);

/** Part of the smaller box that lies in the larger one. */
function inside(a: Box, b: Box): number {
  const w = Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1);
  const h = Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1);
  return w <= 0 || h <= 0 ? 0 : (w * h) / Math.min(areaOf(a), areaOf(b));
}

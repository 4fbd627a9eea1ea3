import { QuanweiError } from '../../kernel/errors.ts';
import type { Inference } from '../inference/inference.ts';
import type { ModelFile } from '../models/entry.ts';
import { type Box, type Detection, heightOf, type Picture, type Point, widthOf } from '../picture.ts';
import { ALIGNED, apply, fivePoints, invert, PLACES, type Similarity, scaleOf, similarity, warp } from './align.ts';
import { FaceFinder } from './finder.ts';
import { measure, type Quality } from './quality.ts';
import { cut } from './region.ts';

/** A face that was looked at, in pixels of its picture. */
export interface FoundFace {
  readonly box: Box;
  /** Of the detector, 0–1 */
  readonly score: number;
  /** Left eye, right eye (as they lie in the picture), nose, corners of the mouth. */
  readonly points: readonly Point[];
  readonly quality: Quality;
  /** rgb24, 112 × 112; what the embedding is made of. */
  readonly aligned: Uint8Array;
}

/** A face as it is compared. */
export interface Face extends FoundFace {
  /** [512], of length 1 */
  readonly embedding: Float32Array;
  /** Probability of a live person, 0–1; only where it was asked for. */
  readonly live: number | null;
}

export interface FaceModels {
  readonly faces: ModelFile;
  readonly landmarks: ModelFile;
  readonly embedding: ModelFile;
  /** Absent: liveness cannot be asked for. */
  readonly liveness?: ModelFile;
}

/** Side of a picture below which nobody can be told from anybody, pixels. */
const LEAST_SIDE = 16;
/** Least score of a face when its model's entry does not say. */
const SCORE = 0.65;
/** Side of the first crop for the landmarks, as part of the box's height. */
const FIRST = 1.15;
/** The second crop, placed by the first landmarks: its side and its centre in pixels of the aligned face. */
const SECOND = { side: 115, centre: { x: 55.5, y: 62 } };
/** Faces higher than this are first made smaller, natively; pixels. */
const LARGE = 260;
/** Of the box; what the liveness model was made for. */
const AROUND = 2.7;

/**
 * The steps from a picture to an embedding: find, 68 points (twice: the second time on a crop that the first points turned
 * upright), five of them, similarity, 112 × 112, embedding. Steps and numbers: docs/decisions/105-reading-a-face.md.
 */
export class FaceReader {
  readonly finder: FaceFinder;
  /** Names the embedding: templates of another one cannot be compared with it. */
  readonly model: string;
  readonly #inference: Inference;
  readonly #models: FaceModels;

  constructor(inference: Inference, models: FaceModels) {
    this.#inference = inference;
    this.#models = models;
    this.finder = new FaceFinder(inference, models.faces.id, models.faces.entry.thresholds['start'] ?? SCORE);
    this.model = `${models.embedding.id}:${(models.embedding.entry.files[0]?.sha256 ?? '').slice(0, 12)}`;
  }

  /**
   * Every face of a picture, the largest first.
   * @param source whose picture it is, for the queue
   * @param most faces looked at further
   * @returns `null` when inference had no time for it
   * @throws QuanweiError BAD_PICTURE too small to show a face
   */
  async read(picture: Picture, source: string, { live = false, most = 64 } = {}): Promise<Face[] | null> {
    const { width, height } = picture;
    if (Math.min(width, height) < LEAST_SIDE) {
      throw new QuanweiError('BAD_PICTURE', `a picture of ${width}×${height} pixels shows no face`, {
        hint: `at least ${LEAST_SIDE}×${LEAST_SIDE}; a face needs 64`,
      });
    }
    const found = await this.finder.find(picture, source);
    if (found === null) return null;
    const faces: Face[] = [];
    for (const detection of found.slice(0, most)) {
      const face = await this.face(picture, detection, source);
      const full = face === null ? null : await this.complete(picture, face, source, live);
      if (full === null) return null;
      faces.push(full);
    }
    return faces;
  }

  /** Points, alignment and quality of a face that was found: cheap beside the embedding. */
  async face(picture: Picture, detection: Detection, source: string): Promise<FoundFace | null> {
    const { score, ...box } = detection;
    const near = await this.#nearer(picture, box);
    const middle = { x: (near.box.x1 + near.box.x2) / 2, y: (near.box.y1 + near.box.y2) / 2 };
    const first = await this.#landmarks(near.picture, squareAt(middle, heightOf(near.box) * FIRST, 0), source);
    if (first === null) return null;
    const place = invert(similarity(fivePoints(first), PLACES));
    const centre = apply(place, SECOND.centre);
    const side = SECOND.side * scaleOf(place);
    const angle = Math.atan2(place.b, place.a);
    // Pixel centres lie at whole numbers here; the corner of the picture at -0.5.
    const again = { x: centre.x + 0.5, y: centre.y + 0.5 };
    const second = await this.#landmarks(near.picture, squareAt(again, side, angle), source);
    if (second === null) return null;
    const five = fivePoints(second);
    const aligned = warp(near.picture, invert(similarity(five, PLACES)), ALIGNED);
    const points = five.map(({ x, y }) => ({ x: near.x + (x + 0.5) * near.scale, y: near.y + (y + 0.5) * near.scale }));
    return { box, score, points, aligned, quality: measure(picture, box, points, aligned) };
  }

  /** The embedding, and liveness where it is asked for. */
  async complete(picture: Picture, face: FoundFace, source: string, live: boolean): Promise<Face | null> {
    const embedding = await this.#inference.run('embedding', this.#models.embedding.id, face.aligned, source);
    if (embedding === null) return null;
    if (!live || this.#models.liveness === undefined) return { ...face, embedding, live: null };
    const alive = await this.#liveness(picture, face.box, this.#models.liveness.id, source);
    return alive === null ? null : { ...face, embedding, live: alive };
  }

  get knowsLiveness(): boolean {
    return this.#models.liveness !== undefined;
  }

  /** The surroundings of a large face at a size at which sampling them is cheap; a small one where it is. */
  async #nearer(
    picture: Picture,
    box: Box,
  ): Promise<{ picture: Picture; box: Box; x: number; y: number; scale: number }> {
    const scale = heightOf(box) / LARGE;
    if (scale <= 1) return { picture, box, x: 0, y: 0, scale: 1 };
    const reach = Math.max(widthOf(box), heightOf(box));
    const [cx, cy] = [(box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2];
    const size = Math.round((reach * 2) / scale);
    const around = { x1: cx - reach, y1: cy - reach, x2: cx - reach + size * scale, y2: cy - reach + size * scale };
    const { picture: near, region } = await cut(picture, around, size, size);
    const exact = widthOf(region) / size;
    const moved = (value: number, from: number): number => (value - from) / exact;
    return {
      picture: near,
      x: region.x1,
      y: region.y1,
      scale: exact,
      box: {
        x1: moved(box.x1, region.x1),
        y1: moved(box.y1, region.y1),
        x2: moved(box.x2, region.x1),
        y2: moved(box.y2, region.y1),
      },
    };
  }

  async #landmarks(picture: Picture, square: (size: number) => Similarity, source: string): Promise<Point[] | null> {
    const { id } = this.#models.landmarks;
    const { width } = this.#inference.size(id);
    const place = square(width);
    const points = await this.#inference.run('landmarks', id, warp(picture, place, width), source);
    return points === null ? null : points.map(({ x, y }) => apply(place, { x: x - 0.5, y: y - 0.5 }));
  }

  async #liveness(picture: Picture, box: Box, model: string, source: string): Promise<number | null> {
    const { width, height } = this.#inference.size(model);
    const { picture: crop } = await cut(picture, surroundings(picture, box), width, height);
    return this.#inference.run('liveness', model, crop.data, source);
  }
}

/** A turned square of a picture as a map from pixels of `size` × `size` to pixels of the picture. */
const squareAt =
  (centre: Point, side: number, angle: number) =>
  (size: number): Similarity => {
    const a = (Math.cos(angle) * side) / size;
    const b = (Math.sin(angle) * side) / size;
    const half = (size - 1) / 2;
    return { a, b, tx: centre.x - 0.5 - (a * half - b * half), ty: centre.y - 0.5 - (b * half + a * half) };
  };

/** The box 2.7 times as large, moved into the picture, smaller only where the picture is. */
export function surroundings({ width, height }: Picture, box: Box): Box {
  const grow = Math.min(AROUND, width / widthOf(box), height / heightOf(box));
  const [w, h] = [widthOf(box) * grow, heightOf(box) * grow];
  const x1 = Math.max(0, Math.min(width - w, (box.x1 + box.x2 - w) / 2));
  const y1 = Math.max(0, Math.min(height - h, (box.y1 + box.y2 - h) / 2));
  return { x1, y1, x2: x1 + w, y2: y1 + h };
}

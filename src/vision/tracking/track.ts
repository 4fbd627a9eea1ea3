import type { MonoMs } from '../../kernel/clock.ts';
import type { Box, Detection, Keypoint, Point } from '../picture.ts';
import { MotionModel } from './motion-model.ts';

/** One person in one frame. */
export interface Sighting {
  readonly at: MonoMs;
  readonly box: Box;
  /** Of this frame alone. */
  readonly score: number;
  /** 17 points (COCO order), where the pose was looked at. */
  readonly pose: readonly Keypoint[] | null;
}

/** Somebody who is followed from frame to frame. */
export interface Track {
  /** Counts up from 1 for each camera; never used again. */
  readonly id: number;
  /** Oldest first, of the last seconds only; never empty. */
  readonly sightings: readonly Sighting[];
  readonly first: Sighting;
  readonly last: Sighting;
  /** Median score of the last sightings: one doubtful frame neither makes nor unmakes a person. */
  readonly score: number;
  /** Seen more than once. */
  readonly confirmed: boolean;
}

/** How long sightings are kept, ms. */
const HISTORY_MS = 10_000;
/** And how many at most, whatever the frame rate. */
const HISTORY = 160;
const RECENT = 7;

export class LiveTrack implements Track {
  readonly id: number;
  readonly first: Sighting;
  readonly #sightings: Sighting[];
  readonly #motion: MotionModel;
  #seen = 1;

  constructor(id: number, at: MonoMs, { score, ...box }: Detection) {
    this.id = id;
    this.first = { at, box, score, pose: null };
    this.#sightings = [this.first];
    this.#motion = new MotionModel(box);
  }

  get sightings(): readonly Sighting[] {
    return this.#sightings;
  }

  get last(): Sighting {
    return this.#sightings[this.#sightings.length - 1] ?? this.first;
  }

  get score(): number {
    return median(this.#sightings.slice(-RECENT).map(({ score }) => score));
  }

  get confirmed(): boolean {
    return this.#seen > 1;
  }

  get height(): number {
    return this.#motion.height;
  }

  predict(at: MonoMs): Box {
    return this.#motion.predict(Math.max(0, at - this.last.at) / 1_000);
  }

  see(at: MonoMs, { score, ...box }: Detection): void {
    this.#motion.correct(box, Math.max(1, at - this.last.at) / 1_000);
    this.#sightings.push({ at, box, score, pose: null });
    this.#seen++;
    while (this.#sightings.length > HISTORY || at - (this.#sightings[0] ?? this.first).at > HISTORY_MS) {
      this.#sightings.shift();
    }
  }

  /** The pose of the last sighting, once it is known. */
  pose(points: readonly Keypoint[]): void {
    this.#sightings[this.#sightings.length - 1] = { ...this.last, pose: points };
  }
}

/** Where a person stands: the middle of the box's lower edge. */
export const footOf = (box: Box): Point => ({ x: (box.x1 + box.x2) / 2, y: box.y2 });

/** @param values not empty */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

import { onTestFinished } from 'vitest';
import { createLog } from '../../../src/kernel/log.ts';
import type { Quality } from '../../../src/vision/faces/quality.ts';
import type { Face } from '../../../src/vision/faces/reader.ts';
import { LENGTH, unit } from '../../../src/vision/faces/roster.ts';

export const quiet = createLog('test', 'silent');

/** Numbers from 0 to 1 that are the same each time. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A direction that is nobody's. */
export function direction(seed: number): Float32Array {
  const random = seeded(seed * 2_654_435 + 17);
  return unit(Float32Array.from({ length: LENGTH }, () => random() + random() + random() - 1.5));
}

/** Another photo of the same one: a cosine of about `likeness`. */
export function photoOf(person: number, photo: number, likeness = 0.8): Float32Array {
  const [a, b] = [direction(person), direction(100_000 + person * 97 + photo)];
  const rest = Math.sqrt(1 / likeness ** 2 - 1);
  return unit(a.map((value, i) => value + rest * (b[i] as number)));
}

export const GOOD: Quality = {
  height: 200,
  yaw: 0,
  pitch: 0,
  roll: 0,
  sharpness: 200,
  brightness: 130,
  contrast: 45,
  cut: 0,
};

export function faceOf(embedding: Float32Array, more: Partial<Face> = {}): Face {
  return {
    box: { x1: 100, y1: 100, x2: 250, y2: 300 },
    score: 0.99,
    points: [],
    quality: GOOD,
    aligned: new Uint8Array(0),
    live: null,
    embedding,
    ...more,
  };
}

/** Closed when the test ends. */
export function closing<T extends { close(): void }>(one: T): T {
  onTestFinished(() => one.close());
  return one;
}

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { monoMs } from '../../../src/kernel/clock.ts';
import type { Detection } from '../../../src/vision/picture.ts';
import { Tracker } from '../../../src/vision/tracking/tracker.ts';

const settings = { start: 0.4, continue: 0.2, minHeight: 20 };
const tracker = (): Tracker => new Tracker(() => settings);

/** Somebody 100 px tall whose foot is at (x, y). */
const person = (x: number, y = 200, score = 0.8, h = 100): Detection => ({
  x1: x - 0.2 * h,
  x2: x + 0.2 * h,
  y1: y - h,
  y2: y,
  score,
});

/** What the tracker says of each frame: the id of every box, in the order of the boxes. */
function follow(
  frames: readonly { at: number; boxes: readonly Detection[] }[],
  one = tracker(),
): (number | undefined)[][] {
  return frames.map(({ at, boxes }) => {
    const { seen } = one.update(boxes, monoMs(at));
    return boxes.map((box) => seen.find(({ last }) => last.at === at && last.box.x1 === box.x1)?.id);
  });
}

/** A small generator that always gives the same numbers for one seed. */
function noise(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 0) / 2 ** 32 - 0.5;
  };
}

const walk = fc.record({
  seed: fc.integer({ min: 1, max: 1e9 }),
  /** Heights a second; a runner does 3. */
  speed: fc.double({ min: 0.1, max: 2.2, noNaN: true }),
  height: fc.integer({ min: 40, max: 300 }),
  jitter: fc.double({ min: 0, max: 0.05, noNaN: true }),
  missed: fc.double({ min: 0, max: 0.35, noNaN: true }),
});

describe('one person', () => {
  test('keeps one number over jitter, missed and doubtful detections and irregular frames, but for one walk in a hundred', () => {
    // A runner who is missed often enough at the wrong moments is, for every tracker, somebody else after the gap.
    const lost = fc.sample(walk, 1_000).filter(({ seed, speed, height, jitter, missed }) => {
      const random = noise(seed);
      const one = tracker();
      const ids = new Set<number>();
      let at = 0;
      for (let i = 0; i < 60; i++) {
        at += 200 + random() * 200;
        const x = 50 + (speed * height * at) / 1_000 + random() * 2 * jitter * height;
        const y = 400 + random() * 2 * jitter * height;
        const there = i < 2 || random() + 0.5 >= missed;
        const score = i < 2 ? 0.8 : 0.55 + random() * 0.6;
        for (const { id } of one.update(there ? [person(x, y, score, height)] : [], monoMs(at)).seen) ids.add(id);
      }
      return ids.size !== 1;
    });
    expect(lost.length).toBeLessThanOrEqual(10);
  });

  test('is the same behind a tree for 1.8 s, walking on or stopping, and somebody else after 3 s', () => {
    const before = [0, 1, 2, 3, 4].map((i) => ({ at: i * 200, boxes: [person(100 + i * 20)] }));
    for (const x of [100 + 4 * 20 + 180, 200]) {
      expect(follow([...before, { at: 2_600, boxes: [person(x)] }]).at(-1)).toEqual([1]);
    }
    expect(follow([...before, { at: 3_800, boxes: [person(200)] }]).at(-1)).toEqual([2]);
  });

  test('is given up once, 2 s after having been seen', () => {
    const one = tracker();
    one.update([person(100)], monoMs(0));
    one.update([person(105)], monoMs(200));
    expect(one.update([], monoMs(2_200)).gone).toEqual([]);
    expect(one.skip(monoMs(2_201)).gone.map(({ id }) => id)).toEqual([1]);
    expect(one.skip(monoMs(2_400)).gone).toEqual([]);
    expect(one.tracks).toEqual([]);
  });

  test('who was seen in a single frame is forgotten soon', () => {
    const one = tracker();
    one.update([person(100)], monoMs(0));
    expect(one.update([], monoMs(800)).gone.map(({ id, confirmed }) => [id, confirmed])).toEqual([[1, false]]);
  });

  test('no doubtful or small box starts a track; a crouching person keeps hers', () => {
    expect(follow([{ at: 0, boxes: [person(100, 200, 0.39)] }])).toEqual([[undefined]]);
    expect(follow([{ at: 0, boxes: [person(100, 200, 0.9, 19)] }])).toEqual([[undefined]]);
    const crouching = { ...person(100, 200, 0.25, 55) };
    expect(
      follow([
        { at: 0, boxes: [person(100)] },
        { at: 200, boxes: [crouching] },
      ]).at(-1),
    ).toEqual([1]);
  });

  test('a second box on the upper half of the same body is nobody else', () => {
    const whole = person(100, 200, 0.8);
    const torso = { ...whole, y2: 150, score: 0.6 };
    expect(
      follow([
        { at: 0, boxes: [whole] },
        { at: 200, boxes: [whole, torso] },
      ]),
    ).toHaveLength(2);
    const one = tracker();
    one.update([whole], monoMs(0));
    one.update([torso, whole], monoMs(200));
    expect(one.tracks.map(({ id }) => id)).toEqual([1]);
    expect(one.tracks[0]?.last.box.y2).toBe(200);
  });

  test('the score is the median of the last ones', () => {
    const one = tracker();
    [0.8, 0.7, 0.2, 0.9, 0.75].forEach((score, i) => {
      one.update([person(100, 200, score)], monoMs(i * 200));
    });
    expect(one.tracks[0]?.score).toBe(0.75);
  });
});

describe('several people', () => {
  test('who cross each other keep their numbers, but for one pair in a hundred at most', () => {
    // Where two boxes fall on the same place in the same frame nobody can tell them apart for that frame.
    const scenes = fc.sample(
      fc.record({
        seed: fc.integer({ min: 1, max: 1e9 }),
        left: fc.double({ min: 0.4, max: 1.6, noNaN: true }),
        right: fc.double({ min: 0.4, max: 1.6, noNaN: true }),
        apart: fc.integer({ min: 0, max: 30 }),
      }),
      1_000,
    );
    const swapped = scenes.filter(({ seed, left, right, apart }) => {
      const random = noise(seed);
      const frames = Array.from({ length: 40 }, (_, i) => ({
        at: i * 200,
        boxes: [
          person(100 + left * 20 * i + random() * 4, 300 + random() * 4),
          person(600 - right * 20 * i + random() * 4, 300 + apart + random() * 4),
        ],
      }));
      const ids = follow(frames);
      return ids.at(-1)?.join() !== ids[0]?.join();
    });
    expect(swapped.length).toBeLessThanOrEqual(10);
  });

  test('of two who cross, one hidden by the other for a second, both keep their numbers', () => {
    const frames = Array.from({ length: 40 }, (_, i) => {
      const [a, b] = [100 + 16 * i, 700 - 16 * i];
      return { at: i * 200, boxes: Math.abs(a - b) < 40 ? [person(a, 310)] : [person(a, 310), person(b, 300)] };
    });
    const ids = follow(frames);
    expect(ids[0]).toEqual([1, 2]);
    expect(ids.at(-1)).toEqual([1, 2]);
  });

  test('a number is never given to two boxes, nor one box to two people', () => {
    const box = fc.record({
      x: fc.integer({ min: 0, max: 600 }),
      y: fc.integer({ min: 50, max: 360 }),
      h: fc.integer({ min: 5, max: 200 }),
      score: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    const frame = fc.record({ dt: fc.integer({ min: 0, max: 4_000 }), boxes: fc.array(box, { maxLength: 8 }) });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 25 }), (frames) => {
        const [one, again] = [tracker(), tracker()];
        const gone = new Set<number>();
        let at = 0;
        for (const { dt, boxes } of frames) {
          at += dt;
          const found = boxes.map(({ x, y, h, score }) => person(x, y, score, h));
          const update = one.update(found, monoMs(at));
          expect(new Set(update.seen.map(({ id }) => id)).size).toBe(update.seen.length);
          expect(new Set(update.seen.map(({ last }) => JSON.stringify(last.box))).size).toBeLessThanOrEqual(
            found.length,
          );
          for (const { id, last, score, sightings } of update.seen) {
            expect(gone.has(id)).toBe(false);
            expect(last.at).toBe(at);
            expect(Number.isFinite(score)).toBe(true);
            expect(sightings.length).toBeGreaterThan(0);
          }
          for (const { id } of update.gone) gone.add(id);
          // Nothing but what comes in decides: the same frames give the same numbers.
          expect(again.update(found, monoMs(at)).seen.map(({ id }) => id)).toEqual(update.seen.map(({ id }) => id));
        }
      }),
      { numRuns: 150 },
    );
  });

  test('boxes that are no boxes are passed over', () => {
    const one = tracker();
    const broken = [
      { ...person(100), x1: Number.NaN },
      { ...person(100), y2: Number.POSITIVE_INFINITY },
      { ...person(100), x2: -50 },
      { ...person(100), score: Number.NaN },
    ];
    expect(one.update(broken, monoMs(0)).seen).toEqual([]);
  });

  test('a crowd is bounded, and the work with it', () => {
    const one = tracker();
    const crowd = Array.from({ length: 500 }, (_, i) => person((i % 50) * 60, 150 + Math.floor(i / 50) * 120));
    one.update(crowd, monoMs(0));
    expect(one.tracks.length).toBe(64);
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MotionGate, movingRegions } from '../../src/vision/motion.ts';
import type { Grey } from '../../src/vision/picture.ts';
import { pedestrians } from '../support/vision-material.ts';
import { greyFilm, still as standing } from './grey-film.ts';

const plane = (value: (x: number, y: number) => number): Grey => ({
  width: 160,
  height: 90,
  data: Uint8Array.from({ length: 160 * 90 }, (_, n) => value(n % 160, Math.floor(n / 160))),
});
const texture = (x: number, y: number) => 90 + ((x * 7 + y * 13) % 40);
const scene = plane(texture);
const withBlock = (x0: number, y0: number, size = 16, value = 220): Grey =>
  plane((x, y) => (x >= x0 && x < x0 + size && y >= y0 && y < y0 + size ? value : texture(x, y)));

/** A gate that has seen the scene. */
function used(masks: ConstructorParameters<typeof MotionGate>[0] = []): MotionGate {
  const gate = new MotionGate(masks);
  for (let n = 0; n < 5; n += 1) expect(gate.moves(scene, n * 200)).toBe(false);
  return gate;
}

describe('motion', () => {
  test('something the size of a person moves the cells where it is, and only these', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 144 }), fc.integer({ min: 0, max: 74 }), (x, y) => {
        const gate = used();
        const motion = gate.look(withBlock(x, y), 1_000);
        expect(motion.moving).toBe(true);
        const [region, ...more] = movingRegions(motion);
        expect(more).toEqual([]);
        expect(region?.x1).toBeGreaterThanOrEqual((x - 8) / 160);
        expect(region?.x2).toBeLessThanOrEqual((x + 24) / 160);
        expect(region?.y1).toBeGreaterThanOrEqual((y - 8) / 96);
        expect(region?.y2).toBeLessThanOrEqual((y + 24) / 90);
      }),
      { numRuns: 40 },
    );
  });

  test('a change of brightness all over moves nothing', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.6, max: 1.6, noNaN: true }), (gain) => {
        expect(
          used().moves(
            plane((x, y) => Math.min(255, Math.round(texture(x, y) * gain))),
            1_000,
          ),
        ).toBe(false);
      }),
      { numRuns: 40 },
    );
  });

  test('noise of a sensor moves nothing, whatever it looks like', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.integer({ min: -5, max: 5 })), (noise) => {
        expect(
          used().moves(
            plane((x, y) => texture(x, y) + (noise.next().value as number)),
            1_000,
          ),
        ).toBe(false);
      }),
      { numRuns: 10 },
    );
  });

  test('what is masked is not looked at', () => {
    const left = [
      [0, 0],
      [0.5, 0],
      [0.5, 1],
      [0, 1],
    ] as const;
    expect(used([left]).moves(withBlock(30, 40), 1_000)).toBe(false);
    expect(used([left]).moves(withBlock(100, 40), 1_000)).toBe(true);
  });

  test('a switch to infrared is let through for a moment, then it is the new picture; a person is seen in it', () => {
    const infrared = (x: number, y: number) => 60 + ((x * 11 + y * 29) % 120);
    const gate = used();
    const seen = Array.from({ length: 10 }, (_, n) => gate.look(plane(infrared), 1_000 + n * 200));
    expect(seen[0]).toMatchObject({ moving: true, everywhere: true });
    expect(seen.slice(3).every(({ moving }) => !moving)).toBe(true);
    const person = plane((x, y) => (x > 80 && x < 92 && y > 30 && y < 60 ? 250 : infrared(x, y)));
    expect(gate.look(person, 3_200)).toMatchObject({ moving: true, everywhere: false });
  });

  test('what stays where it is becomes part of the scene within half a minute, at any rate of frames', () => {
    for (const step of [100, 200, 1_000]) {
      const gate = used();
      let at = 1_000;
      expect(gate.moves(withBlock(60, 40), at)).toBe(true);
      for (; at < 31_000; at += step) gate.moves(withBlock(60, 40), at);
      expect(gate.moves(withBlock(60, 40), at)).toBe(false);
    }
  });

  test('a plane of another size begins anew; black and white planes are no trouble', () => {
    const gate = used();
    expect(gate.moves({ width: 8, height: 8, data: new Uint8Array(64) }, 1_000)).toBe(false);
    expect(gate.moves({ width: 8, height: 8, data: new Uint8Array(64).fill(255) }, 1_200)).toBe(true);
  });
});

test('real pedestrians move the picture nearly always, a photograph of the same place with a sensor’s noise never', async () => {
  const film = await pedestrians();
  const walking = greyFilm('pedestrians', ['-t', '20', '-i', film], 'null', 5);
  const still = greyFilm('no-pedestrians', ['-t', '20', '-i', film], standing(100, 5), 5);
  const count = (planes: readonly Grey[]) => {
    const gate = new MotionGate();
    return planes.filter((grey, n) => gate.moves(grey, n * 200)).length;
  };
  expect(walking.length).toBeGreaterThan(90);
  expect(count(walking)).toBeGreaterThan(0.9 * walking.length);
  expect(still.length).toBeGreaterThan(90);
  expect(count(still)).toBe(0);
});

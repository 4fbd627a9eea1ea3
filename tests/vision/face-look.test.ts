import { pino } from 'pino';
import { expect, test } from 'vitest';
import { Camera } from '../../src/config/cameras.ts';
import { monoMs, wallMs } from '../../src/kernel/clock.ts';
import type { Frame } from '../../src/vision/capture/source.ts';
import type { FaceEngine } from '../../src/vision/engines.ts';
import { faceLook } from '../../src/vision/face-look.ts';
import type { Detection, Picture } from '../../src/vision/picture.ts';

/** A finder that takes as long as the test wants. */
function engine() {
  const looked: Picture[] = [];
  const waiting: ((found: Detection[]) => void)[] = [];
  const finder = {
    find: (picture: Picture) => {
      looked.push(picture);
      return new Promise<Detection[]>((resolve) => waiting.push(resolve));
    },
    look: async () => [],
  };
  const reader = { finder, face: async () => null };
  const made = { reader, roster: { roster: null }, inference: null } as unknown as FaceEngine;
  const answer = async (...found: Detection[]) => {
    waiting.shift()?.(found);
    await new Promise(setImmediate);
  };
  return { made, looked, answer };
}

/** @param seed another picture for another seed */
function frame(n: number, seed = 0): Frame {
  const plane = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 7 + seed * 90) & 255);
  return {
    ...{ n, mono: monoMs(n * 200), wall: wallMs(n * 200), t: n / 5 },
    picture: { width: 64, height: 36, data: plane(64 * 36 * 3) },
    input: { width: 32, height: 32, data: plane(32 * 32 * 3) },
    grey: { width: 160, height: 90, data: plane(160 * 90) },
  };
}

const camera = Camera.parse({ id: 'cam-gate', url: 'rtsp://nowhere/1', faces: true });
const log = pino({ level: 'silent' });

function lookAt({ made }: ReturnType<typeof engine>) {
  const look = faceLook(camera, made, { tell: () => undefined, log });
  if (look === null) throw new Error('the camera asks for faces');
  return look;
}

test('reading a face keeps nobody waiting: the frame is given back at once, and those that come meanwhile are passed over', async () => {
  const slow = engine();
  const look = lookAt(slow);
  const first = frame(0);
  expect(look.step.look(first, [])).toBe(undefined);
  const before = first.picture.data.slice();
  first.picture.data.fill(0);
  look.step.look(frame(1, 1), []);
  expect(slow.looked).toHaveLength(1);
  expect(slow.looked[0]?.data).toEqual(before);
  await slow.answer();
  look.step.look(frame(2, 1), []);
  expect(slow.looked).toHaveLength(2);
});

test('a camera that only looks for faces rests while nothing moves and nobody is in sight', async () => {
  const eyes = engine();
  const look = lookAt(eyes);
  const see = async (n: number, seed: number, ...found: Detection[]) => {
    const before = eyes.looked.length;
    void look.frame(frame(n, seed));
    await eyes.answer(...found);
    return eyes.looked.length > before;
  };
  // Somebody may stand there from the beginning.
  expect(await see(0, 0)).toBe(true);
  expect(await see(1, 0)).toBe(false);
  const face = { x1: 4, y1: -40, x2: 60, y2: 40, score: 0.9 };
  expect(await see(2, 1, face)).toBe(true);
  expect(await see(3, 1, face)).toBe(true);
  // Nothing moves any more, but the face is in sight as long as it is found there, and three seconds more.
  for (let n = 30; n < 40; n += 1) expect(await see(n, 1, face)).toBe(true);
  expect(await see(60, 1)).toBe(true);
  expect(await see(61, 1)).toBe(false);
});

test('what cannot be looked at costs that frame', async () => {
  const eyes = engine();
  const look = lookAt(eyes);
  Object.assign(eyes.made.reader.finder, { find: () => Promise.reject(new Error('no memory')) });
  look.step.look(frame(0), []);
  await new Promise(setImmediate);
  Object.assign(eyes.made.reader.finder, { find: async () => [] });
  expect(() => look.step.look(frame(1, 1), [])).not.toThrow();
});

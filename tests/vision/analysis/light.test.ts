import { expect, test } from 'vitest';
import { monoMs } from '../../../src/kernel/clock.ts';
import { Light } from '../../../src/vision/analysis/light.ts';

const picture = (r: number, g: number, b: number) => {
  const data = new Uint8Array(64 * 36 * 3);
  for (let i = 0; i < data.length; i += 3) data.set([r, g, b], i);
  return { width: 64, height: 36, data };
};
const day = picture(120, 130, 90);
const dark = picture(20, 24, 30);
const infrared = picture(110, 110, 110);
/** Colourful enough to stay day, not to become it. */
const dusk = picture(52, 58, 48);

test('night is a dark picture, or one without colour', () => {
  for (const [seen, night] of [
    [day, false],
    [dark, true],
    [infrared, true],
  ] as const) {
    const light = new Light();
    light.look(seen, monoMs(0));
    expect(light.night).toBe(night);
  }
});

test('it changes after three seconds only, and not to and fro at dusk', () => {
  const light = new Light();
  const looks = (seen: typeof day, from: number, to: number) => {
    for (let at = from; at <= to; at += 200) light.look(seen, monoMs(at));
    return light.night;
  };
  expect(looks(day, 0, 1_000)).toBe(false);
  expect(looks(dark, 1_200, 3_000)).toBe(false);
  expect(looks(day, 3_200, 3_400)).toBe(false);
  expect(looks(dark, 3_600, 6_600)).toBe(true);
  expect(looks(dusk, 6_800, 20_000)).toBe(true);
  expect(looks(day, 20_200, 23_200)).toBe(false);
  expect(looks(dusk, 23_400, 40_000)).toBe(false);
});

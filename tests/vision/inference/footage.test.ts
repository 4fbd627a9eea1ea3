import { expect, test } from 'vitest';
import { SystemClock } from '../../../src/kernel/clock.ts';
import { openFootage } from '../../../src/vision/inference/footage.ts';
import { made } from '../capture/clips.ts';

/** What a model is shown of a video. */

const SIZE = { width: 416, height: 256 };

const still = (name: string, size: string, colour: string, ...args: string[]): string =>
  made(name, '-f', 'lavfi', '-i', `color=0x${colour}:s=${size}:d=0.2:r=5,format=rgb24`, ...args);

const limited = (matrix: 'bt601' | 'bt709', tag: string): string[] => [
  ...['-vf', `scale=out_color_matrix=${matrix}:out_range=tv,format=yuv420p`],
  ...['-colorspace', tag, '-color_range', 'tv', '-c:v', 'libx264', '-preset', 'ultrafast'],
];

async function shown(path: string) {
  const { frames, place } = await openFootage(path, SIZE, 1, { clock: new SystemClock() });
  const first = await frames.next();
  await frames.return();
  if (first.done === true) throw new Error('no frame');
  const at = (x: number, y: number) => [...first.value.input.subarray((y * 416 + x) * 3, (y * 416 + x) * 3 + 3)];
  return { at, place };
}

// Red and blue are what two matrices disagree about; white and black are what two ranges disagree about.
test.each([
  ['limited range, BT.601, 4:3', '640x480', limited('bt601', 'smpte170m'), 'mp4'],
  ['limited range, BT.709, 16:9', '1280x720', limited('bt709', 'bt709'), 'mp4'],
  ['full range, Motion JPEG', '640x480', ['-vf', 'format=yuvj420p', '-c:v', 'mjpeg', '-q:v', '2'], 'avi'],
])('colours are those of the scene, and padding is exactly black: %s', async (_, size, args, suffix) => {
  for (const [colour, wanted] of [
    ['c83c28', [200, 60, 40]],
    ['2848c8', [40, 72, 200]],
    ['ffffff', [255, 255, 255]],
    ['000000', [0, 0, 0]],
  ] as const) {
    const { at, place } = await shown(still(`still-${colour}.${suffix}`, size, colour, ...args));
    const seen = at(208, 128);
    expect(Math.max(...seen.map((value, k) => Math.abs(value - (wanted[k] ?? 0)))), `${colour}: ${seen}`).toBeLessThan(
      4,
    );
    const padding =
      place.left > 0 ? [at(0, 128), at(place.left - 1, 5), at(415, 250)] : [at(208, 0), at(5, place.top - 1)];
    for (const pixel of padding) expect(pixel).toEqual([0, 0, 0]);
  }
});

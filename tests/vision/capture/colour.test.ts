import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { bytesOf, copied, i420Length, type Matrix, YuvPicture } from '../../../src/vision/capture/colour.ts';

/** A picture in all colours, as ffmpeg makes it I420, and rgb24 of that. */
function known(width: number, height: number, matrix: Matrix): { yuv: Buffer; rgb: Buffer } {
  const raw = (pixels: string) => ['-f', 'rawvideo', '-pix_fmt', pixels, '-s', `${width}x${height}`];
  const run = (args: string[], input?: Buffer) =>
    spawnSync('ffmpeg', ['-v', 'error', ...args, 'pipe:1'], { ...(input && { input }), maxBuffer: 1e8 }).stdout;
  const picture = 'testsrc2=s=416x234:r=1:d=1';
  const yuv = run([
    ...['-f', 'lavfi', '-i', picture, '-vf', `scale=${width}:${height}:out_color_matrix=${matrix},format=yuv420p`],
    ...['-f', 'rawvideo', '-pix_fmt', 'yuv420p'],
  ]);
  const scale = `scale=in_color_matrix=${matrix}:flags=accurate_rnd+neighbor,format=rgb24`;
  return { yuv, rgb: run([...raw('yuv420p'), '-i', 'pipe:0', '-vf', scale, '-f', 'rawvideo'], yuv) };
}

describe('rgb of I420', () => {
  test.each(['bt601', 'bt709'] as const)('is ffmpeg’s own within three of 255: %s', (matrix) => {
    const [width, height] = [416, 234];
    const { yuv, rgb } = known(width, height, matrix);
    const { data } = new YuvPicture(yuv, { width, height }, matrix);
    expect(data.length).toBe(rgb.length);
    const off = data.reduce((most, value, n) => Math.max(most, Math.abs(value - (rgb[n] as number))), 0);
    expect(off).toBeLessThanOrEqual(3);
  });

  // Not beside ffmpeg: at odd sizes it takes some colours from the neighbour on the other side.
  test('of an odd size is that of the even one without its last column and row', () => {
    const [width, height] = [416, 234];
    const { yuv } = known(width, height, 'bt601');
    const odd = { width: width - 1, height: height - 1 };
    const planes = new Uint8Array(i420Length(odd));
    for (let y = 0; y < odd.height; y += 1) planes.set(yuv.subarray(y * width, y * width + odd.width), y * odd.width);
    planes.set(yuv.subarray(width * height), odd.width * odd.height);
    const whole = new YuvPicture(yuv, { width, height }, 'bt601').data;
    const { data } = new YuvPicture(planes, odd, 'bt601');
    for (let y = 0; y < odd.height; y += 1) {
      const row = data.subarray(3 * y * odd.width, 3 * (y + 1) * odd.width);
      expect(Buffer.compare(row, whole.subarray(3 * y * width, 3 * (y * width + odd.width)))).toBe(0);
    }
  });

  test('lies where it is placed, and black is around it', () => {
    const size = { width: 3, height: 2 };
    const white = new Uint8Array(i420Length(size)).fill(128);
    white.fill(235, 0, 6);
    const place = { left: 1, top: 2, of: { width: 5, height: 6 } };
    const picture = new YuvPicture(white, size, 'bt601', { place });
    expect([picture.width, picture.height]).toEqual([5, 6]);
    const rows = Array.from({ length: 6 }, (_, y) =>
      Array.from({ length: 5 }, (_, x) => (picture.data[3 * (5 * y + x)] === 255 ? '#' : '.')).join(''),
    );
    expect(rows).toEqual(['.....', '.....', '.###.', '.###.', '.....', '.....']);
    expect(copied(picture).data).toEqual(picture.data);
  });

  test('is made when it is asked for, once, and a copy outlives the planes', () => {
    const planes = new Uint8Array(i420Length({ width: 4, height: 4 })).fill(128);
    let made = 0;
    const room = (length: number) => {
      made += 1;
      return new Uint8Array(length);
    };
    const picture = new YuvPicture(planes, { width: 4, height: 4 }, 'bt601', { room });
    const kept = copied(picture);
    expect(made).toBe(0);
    expect(picture.data).toBe(picture.data);
    expect(made).toBe(1);
    planes.fill(16);
    expect(kept.data[0]).toBe(Math.round(((128 - 16) * 255) / 219));
    expect(bytesOf(kept)).not.toBe(planes);
  });

  test('a sample of it has the colours of the whole', () => {
    const { yuv } = known(320, 180, 'bt601');
    const picture = new YuvPicture(yuv, { width: 320, height: 180 }, 'bt601');
    const small = picture.sampled(16);
    expect([small.width, small.height]).toEqual([20, 11]);
    const at = (from: { width: number; data: Uint8Array }, x: number, y: number) =>
      [...from.data.subarray(3 * (y * from.width + x), 3 * (y * from.width + x) + 3)].map(Math.round);
    // In the middle of a bar of one colour.
    expect(at(small, 10, 5)).toEqual(at(picture, 168, 88));
  });
});

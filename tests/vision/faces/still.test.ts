import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { readStill } from '../../../src/vision/faces/still.ts';
import type { Picture } from '../../../src/vision/picture.ts';
import { dataDir } from '../../support/data-dir.ts';

/** Red, green, blue and white quarters, in reading order. */
const QUARTERS = Buffer.from(
  Array.from({ length: 64 * 48 }, (_, i) => {
    const [x, y] = [i % 64 < 32 ? 0 : 1, Math.floor(i / 64) < 24 ? 0 : 2];
    return [
      [200, 30, 30],
      [30, 200, 30],
      [30, 30, 200],
      [230, 230, 230],
    ][x + y] as number[];
  }).flat(),
);
const source = () => sharp(QUARTERS, { raw: { width: 64, height: 48, channels: 3 } });

/** Which of the four colours a place has. */
function colour({ width, data }: Picture, x: number, y: number): string {
  const [r = 0, g = 0, b = 0] = data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3);
  if (Math.min(r, g, b) > 180) return 'white';
  return r > g && r > b ? 'red' : g > b ? 'green' : 'blue';
}
const corners = (picture: Picture): string[] => [
  colour(picture, 4, 4),
  colour(picture, picture.width - 5, 4),
  colour(picture, 4, picture.height - 5),
  colour(picture, picture.width - 5, picture.height - 5),
];
const UPRIGHT = ['red', 'green', 'blue', 'white'];

describe('a picture is read as people see it', () => {
  test.each([
    ['turned by its EXIF to the right', 6, [48, 64], ['blue', 'red', 'white', 'green']],
    ['turned by its EXIF upside down', 3, [64, 48], ['white', 'blue', 'green', 'red']],
    ['mirrored by its EXIF', 2, [64, 48], ['green', 'red', 'white', 'blue']],
    ['not turned', 1, [64, 48], UPRIGHT],
  ])('%s', async (_, orientation, size, expected) => {
    const picture = await readStill(await source().withMetadata({ orientation }).jpeg({ quality: 95 }).toBuffer());
    expect([picture.width, picture.height]).toEqual(size);
    expect(corners(picture)).toEqual(expected);
  });

  test.each([
    ['CMYK', () => source().toColourspace('cmyk').jpeg({ quality: 95 })],
    ['16 bits', () => source().toColourspace('rgb16').png()],
    ['a palette', () => source().png({ palette: true })],
    ['WebP', () => source().webp({ quality: 95 })],
    ['TIFF', () => source().tiff()],
  ])('of %s as 8 bits of red, green and blue', async (_, made) => {
    const picture = await readStill(await made().toBuffer());
    expect(picture.data.length).toBe(64 * 48 * 3);
    expect(corners(picture)).toEqual(UPRIGHT);
  });

  test('grey as three equal channels', async () => {
    const picture = await readStill(await source().greyscale().png().toBuffer());
    expect(picture.data.length).toBe(64 * 48 * 3);
    expect(new Set(picture.data.subarray(0, 3)).size).toBe(1);
  });

  test('transparent on white', async () => {
    const clear = await sharp({ create: { width: 32, height: 32, channels: 4, background: '#ff000000' } })
      .png()
      .toBuffer();
    expect(new Set((await readStill(clear)).data)).toEqual(new Set([255]));
  });

  test('the first of an animation', async () => {
    const pages = Buffer.concat([QUARTERS, Buffer.alloc(QUARTERS.length, 10)]);
    const gif = await sharp(pages, { raw: { width: 64, height: 96, channels: 3, pageHeight: 48 } })
      .gif({ delay: [100, 100] })
      .toBuffer();
    expect((await sharp(gif, { animated: true }).metadata()).pages).toBe(2);
    const picture = await readStill(gif);
    expect([picture.height, corners(picture)]).toEqual([48, UPRIGHT]);
  });
});

describe('what cannot be used is said', () => {
  const bad = (expected: string) =>
    expect.objectContaining({ code: 'BAD_PICTURE', message: expect.stringContaining(expected) });

  test('cut off in the middle', async () => {
    const jpeg = await sharp({
      create: {
        width: 400,
        height: 300,
        channels: 3,
        noise: { type: 'gaussian', mean: 128, sigma: 60 },
        background: '#000',
      },
    })
      .jpeg()
      .toBuffer();
    await expect(readStill(jpeg.subarray(0, jpeg.length >> 1))).rejects.toThrow(bad('damaged'));
  });

  test('no picture at all, empty, or not there', async () => {
    await expect(readStill(Buffer.from('hello, I am a text'))).rejects.toThrow(bad('no picture'));
    const empty = join(dataDir(), 'empty.jpg');
    writeFileSync(empty, '');
    await expect(readStill(empty)).rejects.toThrow(bad(''));
    await expect(readStill(join(dataDir(), 'none.jpg'))).rejects.toThrow(bad('no such file'));
    await expect(readStill(dataDir())).rejects.toThrow(bad(''));
  });

  test('one pixel', async () => {
    const one = await sharp({ create: { width: 1, height: 1, channels: 3, background: '#000' } })
      .png()
      .toBuffer();
    await expect(readStill(one)).rejects.toThrow(bad('1×1'));
  });

  test('a header that promises more pixels than memory holds, without decoding it', async () => {
    const png = Buffer.from(
      await sharp({ create: { width: 32, height: 32, channels: 3, background: '#000' } })
        .png()
        .toBuffer(),
    );
    png.writeUInt32BE(60_000, 16);
    png.writeUInt32BE(60_000, 20);
    await expect(readStill(png)).rejects.toThrow(bad(''));
  });
});

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { fitPicture, isPicture, loadFitted, loadPicture } from '../../src/vision/images.ts';
import type { Picture } from '../../src/vision/picture.ts';
import { dataDir } from '../support/data-dir.ts';

const pixel = ({ width, data }: Picture, x: number, y: number) => [
  ...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
];
const near = (wanted: number[], by = 6) =>
  wanted.map((value) => expect.toSatisfy((seen: number) => Math.abs(seen - value) <= by));

const RED = [200, 30, 30];
const BLUE = [30, 30, 200];

/** The left half red, the right half blue. */
const halves = (width = 64, height = 32) => {
  const data = Buffer.alloc(width * height * 3);
  for (let i = 0; i < width * height; i++) data.set(i % width < width / 2 ? RED : BLUE, i * 3);
  return sharp(data, { raw: { width, height, channels: 3 } });
};

describe('what a picture file may be', () => {
  test.each(['png', 'jpeg', 'webp', 'gif', 'tiff', 'avif'] as const)('%s', async (format) => {
    const picture = await loadPicture(await halves().toFormat(format, { quality: 95 }).toBuffer());
    expect([picture.width, picture.height, picture.data.length]).toEqual([64, 32, 64 * 32 * 3]);
    expect(pixel(picture, 5, 16)).toEqual(near(RED, 12));
    expect(pixel(picture, 60, 16)).toEqual(near(BLUE, 12));
    expect(picture.notes).toEqual([]);
  });

  test.each(['bmp', 'pgm', 'ppm'])('%s, by way of ffmpeg', async (format) => {
    const file = join(dataDir(), `x.${format}`);
    const from = join(file, '..', 'x.png');
    writeFileSync(from, await halves().png().toBuffer());
    execFileSync('ffmpeg', ['-v', 'error', '-i', from, file]);
    const picture = await loadPicture(file);
    expect([picture.width, picture.height]).toEqual([64, 32]);
    if (format === 'pgm') expect(new Set(pixel(picture, 5, 16)).size).toBe(1);
    else expect(pixel(picture, 5, 16)).toEqual(near(RED));
    expect(isPicture(readFileSync(file))).toBe(true);
  });

  test('turned by EXIF: it is seen upright, and said', async () => {
    // 6: the camera was held on its side; what is stored at the left is shown at the top.
    const picture = await loadPicture(await halves().jpeg({ quality: 95 }).withMetadata({ orientation: 6 }).toBuffer());
    expect([picture.width, picture.height]).toEqual([32, 64]);
    expect(pixel(picture, 16, 5)).toEqual(near(RED));
    expect(pixel(picture, 16, 60)).toEqual(near(BLUE));
    expect(picture.notes).toEqual([expect.stringContaining('EXIF')]);
  });

  test('mirrored or turned by half: the size does not tell', async () => {
    const picture = await loadPicture(await halves().jpeg({ quality: 95 }).withMetadata({ orientation: 3 }).toBuffer());
    expect(pixel(picture, 5, 16)).toEqual(near(BLUE));
    expect(picture.notes).toEqual([expect.stringContaining('EXIF')]);
    const mirrored = await loadPicture(
      await halves().jpeg({ quality: 95 }).withMetadata({ orientation: 2 }).toBuffer(),
    );
    expect(pixel(mirrored, 5, 16)).toEqual(near(BLUE));
  });

  test('CMYK', async () => {
    const bytes = await halves().toColourspace('cmyk').jpeg({ quality: 95 }).toBuffer();
    expect((await sharp(bytes).metadata()).space).toBe('cmyk');
    const [red = 0, green = 0, blue = 0] = pixel(await loadPicture(bytes), 5, 16);
    expect(red).toBeGreaterThan(2 * Math.max(green, blue));
  });

  test('16 bits a channel', async () => {
    const bytes = await halves().toColourspace('rgb16').png().toBuffer();
    expect((await sharp(bytes).metadata()).depth).toBe('ushort');
    expect(pixel(await loadPicture(bytes), 5, 16)).toEqual(near(RED, 2));
  });

  test('grey, and grey of one bit', async () => {
    for (const image of [halves().greyscale().png(), halves().greyscale().png({ palette: true, colours: 2 })]) {
      const [red, green, blue] = pixel(await loadPicture(await image.toBuffer()), 5, 16);
      expect([green, blue]).toEqual([red, red]);
    }
  });

  test('transparent: on white', async () => {
    const bytes = await sharp({
      create: { width: 8, height: 8, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } },
    })
      .png()
      .toBuffer();
    expect(pixel(await loadPicture(bytes), 4, 4)).toEqual([255, 255, 255]);
  });

  test.each(['gif', 'webp'] as const)('animated %s: the first frame, and said', async (format) => {
    const frames = await Promise.all(
      [RED, BLUE].map(([r, g, b]) =>
        sharp({ create: { width: 16, height: 16, channels: 3, background: { r: r ?? 0, g: g ?? 0, b: b ?? 0 } } })
          .png()
          .toBuffer(),
      ),
    );
    const bytes = await sharp(frames, { join: { animated: true } })
      .toFormat(format)
      .toBuffer();
    const picture = await loadPicture(bytes);
    expect([picture.width, picture.height]).toEqual([16, 16]);
    expect(pixel(picture, 8, 8)).toEqual(near(RED, 12));
    expect(picture.notes).toEqual(['frame 1 of 2']);
  });

  test('one pixel, and 4K', async () => {
    const one = await loadPicture(await halves(1, 1).png().toBuffer());
    expect([one.width, one.height, one.data.length]).toEqual([1, 1, 3]);
    const large = await loadFitted(await halves(3840, 2160).jpeg().toBuffer(), { width: 416, height: 256 });
    expect([large.width, large.height]).toEqual([3840, 2160]);
    expect(large.input.data).toHaveLength(416 * 256 * 3);
  });
});

describe('what is refused, each with a reason and nothing else', () => {
  const refused = async (bytes: Uint8Array | string, why: RegExp) => {
    await expect(loadPicture(bytes)).rejects.toMatchObject({
      code: 'BAD_PICTURE',
      message: expect.stringMatching(why),
    });
    await expect(loadFitted(bytes, { width: 32, height: 32 })).rejects.toMatchObject({ code: 'BAD_PICTURE' });
  };

  test('cut short, at several places', async () => {
    for (const format of ['jpeg', 'png', 'webp', 'gif'] as const) {
      const noise = sharp({
        create: {
          width: 200,
          height: 200,
          channels: 3,
          background: '#888',
          noise: { type: 'gaussian', mean: 128, sigma: 40 },
        },
      });
      const bytes = await noise.toFormat(format).toBuffer();
      for (const share of [0.02, 0.4, 0.8])
        await refused(bytes.subarray(0, Math.ceil(bytes.length * share)), /cannot be read|no picture/);
    }
  });

  test('damaged inside', async () => {
    const bytes = Buffer.from(await halves(200, 200).png().toBuffer());
    bytes.fill(0xa5, 60, bytes.length - 30);
    await refused(bytes, /cannot be read/);
  });

  test('more pixels than may be, before any memory is given to them', async () => {
    // The header of a PNG of 60,000 × 60,000 with nothing behind it.
    const bytes = Buffer.from(await halves(8, 8).png().toBuffer());
    bytes.writeUInt32BE(60_000, 16);
    bytes.writeUInt32BE(60_000, 20);
    await refused(bytes, /cannot be read/);
  });

  test.each([
    ['SVG', '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'],
    ['PDF', '%PDF-1.4\n'],
    ['a page', '<html></html>'],
    ['nothing', ''],
    ['noise', 'x'.repeat(999)],
    ['a bitmap that is none', `BM${'x'.repeat(99)}`],
    ['a grey map cut short', 'P5 100 100 255\n12345'],
  ])('%s', (_name, text) => refused(Buffer.from(text), /no picture|the (bmp|pgm) cannot be read/));

  test('a picture of telephones that needs a licence to be read', async () => {
    const bytes = Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('ftypheic\0\0\0\0mif1heic')]);
    await refused(bytes, /no picture/);
    expect(isPicture(bytes)).toBe(true);
  });

  test('a file that is not there, and a directory, by name', async () => {
    const dir = dataDir();
    await expect(loadPicture(join(dir, 'none.jpg'))).rejects.toMatchObject({
      code: 'BAD_PICTURE',
      message: 'there is no such file',
      where: join(dir, 'none.jpg'),
    });
    await refused(dir, /no file|directory/);
    writeFileSync(join(dir, 'x.jpg'), 'no picture at all');
    await expect(loadPicture(join(dir, 'x.jpg'))).rejects.toMatchObject({ where: join(dir, 'x.jpg') });
  });
});

describe('made to fit a model', () => {
  test('the whole picture in the middle, black around it', async () => {
    const { input, place, width, height } = await loadFitted(await halves(64, 32).png().toBuffer(), {
      width: 32,
      height: 32,
    });
    expect([width, height]).toEqual([64, 32]);
    expect(place).toEqual({ scale: 0.5, width: 32, height: 16, left: 0, top: 8 });
    expect(pixel(input, 5, 7)).toEqual([0, 0, 0]);
    expect(pixel(input, 5, 8)).toEqual(near(RED));
    expect(pixel(input, 27, 23)).toEqual(near(BLUE));
    expect(pixel(input, 27, 24)).toEqual([0, 0, 0]);
  });

  test('of one that is turned by EXIF, the upright one', async () => {
    const bytes = await halves(64, 32).jpeg({ quality: 95 }).withMetadata({ orientation: 6 }).toBuffer();
    const { input, place, width, height } = await loadFitted(bytes, { width: 32, height: 32 });
    expect([width, height, place.left, place.width]).toEqual([32, 64, 8, 16]);
    expect(pixel(input, 16, 4)).toEqual(near(RED));
    expect(pixel(input, 16, 28)).toEqual(near(BLUE));
  });

  test('the same from a file and from memory', async () => {
    const bytes = await halves(100, 75).png().toBuffer();
    const size = { width: 48, height: 48 };
    const whole = await loadPicture(bytes);
    expect((await fitPicture(whole, size)).input.data).toEqual((await loadFitted(bytes, size)).input.data);
  });

  test('one pixel fills what it is made for', async () => {
    const { input, place } = await loadFitted(await halves(1, 1).png().toBuffer(), { width: 20, height: 10 });
    expect(place).toMatchObject({ width: 10, height: 10, left: 5, top: 0 });
    expect(pixel(input, 9, 5)).toEqual(near(BLUE, 200));
  });
});

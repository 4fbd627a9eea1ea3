import sharp from 'sharp';
import { MOST_BYTES, MOST_PIXELS, type PictureAnswer, STORED_BYTES } from './plan-picture.ts';

/**
 * Reads a picture from standard input and writes it anew to standard output: one line of JSON (`PictureAnswer`), then
 * the bytes. What comes out was drawn here from pixels; nothing of the file that came in is in it.
 */

/** The first bytes of what is taken (JFIF; PNG 1.2 §3.1; RFC 9649 §2.4). Nothing else reaches the decoders. */
const TAKEN: readonly ((bytes: Buffer) => boolean)[] = [
  (bytes) => bytes.subarray(0, 3).equals(Buffer.from([0xff, 0xd8, 0xff])),
  (bytes) => bytes.subarray(0, 8).equals(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])),
  (bytes) => bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP',
];
/** px; on less nobody could tell one door from the next */
const SMALLEST = 64;
/** Longest side in px and quality, tried in turn until it is small enough. */
const SIZES = [
  [4096, 86],
  [4096, 70],
  [3072, 60],
  [2048, 55],
] as const;

async function answer(input: Buffer): Promise<[PictureAnswer, Buffer?]> {
  if (!TAKEN.some((is) => is(input))) return [{ problem: 'kind' }];
  sharp.cache(false);
  sharp.concurrency(1);
  try {
    const reading = { limitInputPixels: MOST_PIXELS, failOn: 'error', sequentialRead: true } as const;
    const { width = 0, height = 0 } = await sharp(input, { ...reading, limitInputPixels: false }).metadata();
    if (width * height > MOST_PIXELS) return [{ problem: 'pixels' }];
    if (Math.min(width, height) < SMALLEST) return [{ problem: 'small' }];
    for (const [side, quality] of SIZES) {
      const { data, info } = await sharp(input, reading)
        .autoOrient()
        .resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true })
        // Black lines on nothing would be black lines on black at night.
        .flatten({ background: '#fff' })
        .webp({ quality, smartSubsample: true, effort: 3 })
        .toBuffer({ resolveWithObject: true });
      if (data.length <= STORED_BYTES) return [{ width: info.width, height: info.height }, data];
    }
    return [{ problem: 'pixels' }];
  } catch {
    return [{ problem: 'broken' }];
  }
}

const chunks: Buffer[] = [];
let size = 0;
for await (const chunk of process.stdin) {
  size += (chunk as Buffer).length;
  if (size <= MOST_BYTES) chunks.push(chunk as Buffer);
}
const [about, bytes] = size > MOST_BYTES ? [{ problem: 'bytes' } as const] : await answer(Buffer.concat(chunks));
process.stdout.write(`${JSON.stringify(about)}\n`);
if (bytes !== undefined) process.stdout.write(bytes);

import sharp, { type OutputInfo } from 'sharp';
import { messageOf, QuanweiError } from '../../kernel/errors.ts';
import type { Picture } from '../picture.ts';

/** Pixels of a picture that is still taken: twelve of 4K. What is larger is no photo of a face. */
const MOST_PIXELS = 100_000_000;
/** Side below which nobody can be told from anybody. */
const LEAST_SIDE = 16;

/**
 * A picture as people see it: turned as its EXIF says, any colour model (CMYK, grey, 16 bits, palette) as sRGB of 8 bits,
 * the first picture of an animation, white where it is transparent.
 * @param given path of a file, or its bytes
 * @throws QuanweiError BAD_PICTURE when it is no picture, is damaged, too small or too large
 */
export async function readStill(given: string | Uint8Array): Promise<Picture> {
  const where = typeof given === 'string' ? { where: given } : {};
  let read: { data: Buffer; info: OutputInfo };
  try {
    read = await sharp(given, { failOn: 'error', limitInputPixels: MOST_PIXELS, pages: 1 })
      .autoOrient()
      .toColourspace('srgb')
      .flatten({ background: '#fff' })
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
  } catch (cause) {
    throw new QuanweiError('BAD_PICTURE', reason(messageOf(cause)), {
      ...where,
      hint: 'JPEG, PNG, WebP, GIF, TIFF, AVIF',
      cause,
    });
  }
  const { width, height, channels } = read.info;
  if (Math.min(width, height) < LEAST_SIDE) {
    throw new QuanweiError('BAD_PICTURE', `a picture of ${width}×${height} pixels shows no face`, {
      ...where,
      hint: `at least ${LEAST_SIDE}×${LEAST_SIDE}; a face needs 64`,
    });
  }
  if (channels !== 3) throw new QuanweiError('BAD_PICTURE', `a picture of ${channels} colour channels`, where);
  return { width, height, data: read.data };
}

function reason(message: string): string {
  if (/missing/i.test(message)) return 'there is no such file';
  if (/pixel limit/i.test(message)) return `more than ${MOST_PIXELS / 1_000_000} million pixels`;
  if (/unsupported image format/i.test(message)) return 'this is no picture, or of a form that is not known';
  const [first = 'it cannot be read'] = message.split('\n');
  return `the picture is damaged or cannot be read: ${first.slice(0, 160)}`;
}

import { open } from 'node:fs/promises';
import sharp, { type Sharp } from 'sharp';
import { messageOf, QuanweiError } from '../kernel/errors.ts';
import { bitmapAsPng, bitmapOf } from './bitmaps.ts';
import { type Letterbox, letterbox, type Picture } from './picture.ts';

/** Pictures are looked at one at a time, each only once: no pool of threads, no memory kept for what will not come again. */
sharp.concurrency(1);
sharp.cache(false);

/** What is taken; all else is refused before a decoder sees it. SVG, PDF and the like are programs, not pictures. */
const FORMATS = ['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const;
type Format = (typeof FORMATS)[number];

const BOUND = {
  /** Bytes of a file */
  bytes: 64 * 1024 * 1024,
  /** Width × height: 8K and the largest phones */
  pixels: 50_000_000,
  /** Longest a picture may take, s */
  seconds: 20,
};

/** How it is scaled; the same for every model, as it decides what the models see. */
const SCALING = { fit: 'fill', kernel: 'cubic', fastShrinkOnLoad: false } as const;

export interface LoadedPicture extends Picture {
  /** What was done to it that is not plain, in English: `frame 1 of 12`. */
  readonly notes: readonly string[];
}

/** A picture as a model's input wants it, and where the whole picture lies in it. */
export interface Fitted {
  readonly input: Picture;
  readonly place: Letterbox;
  /** Size of the whole picture, upright. */
  readonly width: number;
  readonly height: number;
  readonly notes: readonly string[];
}

/**
 * A file or its bytes as rgb24: turned upright by its EXIF orientation, in sRGB, eight bits, on white where it is
 * transparent; of an animation the first frame.
 * @throws QuanweiError BAD_PICTURE missing, of another format, damaged, or too large
 */
export async function loadPicture(from: string | Uint8Array): Promise<LoadedPicture> {
  return speakingOf(from, async (bytes) => {
    const { image, notes } = await upright(bytes);
    return { ...(await pixelsOf(image)), notes };
  });
}

/**
 * The same, scaled and padded with black to a model's input.
 * @throws QuanweiError BAD_PICTURE
 */
export async function loadFitted(
  from: string | Uint8Array,
  size: { readonly width: number; readonly height: number },
): Promise<Fitted> {
  return speakingOf(from, async (bytes) => {
    const { image, width, height, notes } = await upright(bytes);
    const place = letterbox({ width, height }, size);
    return { input: await placed(image, place, size), place, width, height, notes };
  });
}

/** A picture in memory, scaled and padded with black to a model's input. */
export async function fitPicture(
  picture: Picture,
  size: { readonly width: number; readonly height: number },
): Promise<{ readonly input: Picture; readonly place: Letterbox }> {
  const { width, height, data } = picture;
  const place = letterbox(picture, size);
  return { input: await placed(sharp(data, { raw: { width, height, channels: 3 } }), place, size), place };
}

/** Whether these first bytes are of a picture (and not of a video). */
export const isPicture = (head: Uint8Array): boolean =>
  formatOf(head) !== null || bitmapOf(head) !== null || isRefused(head);

async function placed(
  image: Sharp,
  { width, height, left, top }: Letterbox,
  size: { readonly width: number; readonly height: number },
): Promise<Picture> {
  const right = size.width - width - left;
  const bottom = size.height - height - top;
  return pixelsOf(image.resize(width, height, SCALING).extend({ left, top, right, bottom, background: '#000' }));
}

async function pixelsOf(image: Sharp): Promise<Picture> {
  const { data, info } = await image
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new Error(`${info.channels} channels`);
  return { width: info.width, height: info.height, data };
}

/** Decoding begins only when pixels are asked for. */
async function upright(given: Uint8Array) {
  const bitmap = bitmapOf(given);
  const bytes = bitmap === null ? given : await bitmapAsPng(given, bitmap, BOUND.pixels, BOUND.seconds);
  const format = formatOf(bytes);
  if (format === null)
    throw new QuanweiError('BAD_PICTURE', 'this is no picture', {
      hint: `what is taken: ${FORMATS.join(', ')}, bmp, pgm, ppm`,
    });
  const image = sharp(bytes, { limitInputPixels: BOUND.pixels, failOn: 'error', pages: 1, sequentialRead: true });
  const { autoOrient, orientation = 1, pages = 1, format: seen } = await image.metadata();
  if (seen !== (format === 'avif' ? 'heif' : format))
    throw new QuanweiError('BAD_PICTURE', `it begins as ${format} and goes on as ${seen}`);
  return {
    image: image.timeout({ seconds: BOUND.seconds }).autoOrient().flatten({ background: '#fff' }),
    width: autoOrient.width,
    height: autoOrient.height,
    notes: [
      ...(pages > 1 ? [`frame 1 of ${pages}`] : []),
      ...(orientation > 1 ? ['turned upright by its EXIF orientation'] : []),
    ],
  };
}

/** Says of which file it was, and in our own words that the picture is at fault. */
async function speakingOf<T>(from: string | Uint8Array, work: (bytes: Uint8Array) => Promise<T>): Promise<T> {
  const where = typeof from === 'string' ? { where: from } : {};
  try {
    return await work(typeof from === 'string' ? await bytesOf(from) : from);
  } catch (thrown) {
    if (thrown instanceof QuanweiError) {
      const { code, message, hint } = thrown;
      throw new QuanweiError(code, message, { ...where, ...(hint === undefined ? {} : { hint }), cause: thrown.cause });
    }
    throw new QuanweiError('BAD_PICTURE', `the picture cannot be read: ${plain(messageOf(thrown))}`, {
      ...where,
      hint: 'it is damaged or cut short, or larger than 50 megapixels',
      cause: thrown,
    });
  }
}

/** The first line of what the library says. */
const plain = (message: string): string => (message.split('\n')[0] ?? message).slice(0, 200);

async function bytesOf(file: string): Promise<Uint8Array> {
  const handle = await open(file, 'r').catch((cause: NodeJS.ErrnoException) => {
    const what = cause.code === 'ENOENT' ? 'there is no such file' : messageOf(cause);
    throw new QuanweiError('BAD_PICTURE', what, { cause });
  });
  try {
    const about = await handle.stat();
    if (!about.isFile()) throw new QuanweiError('BAD_PICTURE', 'this is no file');
    if (about.size > BOUND.bytes)
      throw new QuanweiError('BAD_PICTURE', `${about.size} bytes are too many for a picture`);
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

const text = (bytes: Uint8Array, from: number, to: number): string =>
  Buffer.from(bytes.subarray(from, to)).toString('latin1');

function formatOf(bytes: Uint8Array): Format | null {
  if (text(bytes, 0, 3) === '\xff\xd8\xff') return 'jpeg';
  if (text(bytes, 0, 8) === '\x89PNG\r\n\x1a\n') return 'png';
  if (text(bytes, 0, 4) === 'RIFF' && text(bytes, 8, 12) === 'WEBP') return 'webp';
  if (/^GIF8[79]a/.test(text(bytes, 0, 6))) return 'gif';
  if (/^(II\*\0|MM\0\*)/.test(text(bytes, 0, 4))) return 'tiff';
  if (/^....ftypavi[fs]/s.test(text(bytes, 0, 12))) return 'avif';
  return null;
}

/** Pictures that are not taken, known by their beginnings, so that they are not tried as videos. */
function isRefused(head: Uint8Array): boolean {
  return (
    /^(%PDF|%!PS|8BPS)/.test(text(head, 0, 4)) ||
    /^....ftyp(heic|heix|mif1)/s.test(text(head, 0, 12)) ||
    /^\s*(<\?xml|<svg|<!DOCTYPE svg)/i.test(text(head, 0, 64))
  );
}

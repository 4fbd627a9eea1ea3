import { createReadStream, realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import type { Readable } from 'node:stream';

/**
 * References to evidence, `media/2026/06/01/NAME.jpg`: what may be asked for, and how it is read. Nothing else below the
 * data directory has such a name.
 */
const REFERENCE = /^media\/\d{4}\/\d{2}\/\d{2}\/[A-Za-z0-9][A-Za-z0-9._-]{0,150}\.(jpg|mp4)$/;
const TYPES: Readonly<Record<string, string>> = { jpg: 'image/jpeg', mp4: 'video/mp4' };

export const isMediaReference = (ref: string): boolean => REFERENCE.test(ref) && !ref.includes('..');

export interface MediaPart {
  /** 200 whole · 206 a part · 416 there is no such part */
  readonly status: 200 | 206 | 416;
  readonly headers: Readonly<Record<string, string | number>>;
  /** Absent with 416. */
  readonly open?: () => Readable;
}

/**
 * A piece of evidence as HTTP tells it (RFC 9110 §14: one range of bytes, as browsers ask for when a clip is played).
 * @param data directory that `media/` lies in
 * @param range the request’s `Range` header
 * @returns `null` when there is no such piece
 */
export function mediaPart(data: string, ref: string, range: string | undefined): MediaPart | null {
  const [, ending = ''] = REFERENCE.exec(ref) ?? [];
  const type = TYPES[ending];
  if (type === undefined || !isMediaReference(ref)) return null;
  const found = fileOf(data, ref);
  if (found === null) return null;
  const { file, size } = found;
  const headers = {
    'content-type': type,
    'accept-ranges': 'bytes',
    'x-content-type-options': 'nosniff',
    // A name is given once and what it names never changes.
    'cache-control': 'private, max-age=3600, immutable',
  };
  const asked = range === undefined ? null : partOf(range, size);
  if (asked === null) {
    return { status: 200, headers: { ...headers, 'content-length': size }, open: () => createReadStream(file) };
  }
  if (asked === 'none') return { status: 416, headers: { ...headers, 'content-range': `bytes */${size}` } };
  const { start, end } = asked;
  return {
    status: 206,
    headers: { ...headers, 'content-length': end - start + 1, 'content-range': `bytes ${start}-${end}/${size}` },
    open: () => createReadStream(file, { start, end }),
  };
}

/** Where a piece of evidence lies; `null` when there is no such piece. */
export const mediaFile = (data: string, ref: string): string | null =>
  isMediaReference(ref) ? (fileOf(data, ref)?.file ?? null) : null;

/** Links are followed first: whoever writes the evidence must not be able to name other files by it. */
function fileOf(data: string, ref: string): { file: string; size: number } | null {
  try {
    const file = realpathSync(join(data, ref));
    const found = statSync(file);
    return found.isFile() && file.startsWith(realpathSync(join(data, 'media')) + sep)
      ? { file, size: found.size }
      : null;
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown) return null;
    throw thrown;
  }
}

/** @returns `null`: not a range that is understood, so the whole; `none`: beyond the end */
function partOf(range: string, size: number): { start: number; end: number } | 'none' | null {
  const [, from = '', to = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range.trim()) ?? [];
  if (from === '' && to === '') return null;
  if (from === '') {
    const last = Number(to);
    return last === 0 || size === 0 ? 'none' : { start: Math.max(0, size - last), end: size - 1 };
  }
  const start = Number(from);
  const end = to === '' ? size - 1 : Math.min(Number(to), size - 1);
  return start >= size || end < start ? 'none' : { start, end };
}

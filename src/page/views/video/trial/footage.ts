import { request } from '../../../api/request.ts';
import type { Clip } from '../types.ts';

/** What settings are tried on: the clip of an alarm, or a video of one's own. */
export type Chosen =
  | { readonly kind: 'clip'; readonly clip: Clip; readonly url: string }
  | { readonly kind: 'file'; readonly file: File; readonly url: string; upload: string | null };

export const clipOf = (clip: Clip): Chosen => ({ kind: 'clip', clip, url: `/api/${clip.ref}` });

/** @param let go of by `forget` */
export const fileOf = (file: File): Chosen => ({ kind: 'file', file, url: URL.createObjectURL(file), upload: null });

export function forget(chosen: Chosen | null): void {
  if (chosen?.kind === 'file') URL.revokeObjectURL(chosen.url);
}

/**
 * Sends a video piece by piece.
 * @param told of each piece that arrived, 0–1
 * @returns what the gateway calls it @throws Refused; what `signal` says
 */
export async function send(
  camera: string,
  file: File,
  piece: number,
  told: (part: number) => void,
  signal: AbortSignal,
): Promise<string> {
  let upload: string | null = null;
  for (let offset = 0; offset < file.size; offset += piece) {
    const search = new URLSearchParams({ offset: String(offset), total: String(file.size) });
    if (upload !== null) search.set('upload', upload);
    const answer: { upload: string } = await request(`/api/cameras/${encodeURIComponent(camera)}/footage?${search}`, {
      method: 'POST',
      bytes: file.slice(offset, offset + piece),
      signal,
    });
    upload = answer.upload;
    told(Math.min(1, (offset + piece) / file.size));
  }
  return upload ?? '';
}

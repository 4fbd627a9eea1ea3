import { createHash, randomUUID } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { iso } from '../kernel/clock.ts';
import { still } from '../vision/analysis/still.ts';
import type { KeepPictures } from '../vision/camera-parts.ts';
import type { EvidenceReference } from '../vision/event.ts';

/** Keeps what was seen, with the fence and the people drawn into it, below `data/media`. */
export const keepPictures = (data: string): KeepPictures => ({
  async pictures(event, { frame, people }, camera) {
    const jpeg = await still(frame.picture, { camera, people, about: event.track });
    return [await keep(data, nameOf(camera.id, event.type, frame.wall, 'jpg'), jpeg)];
  },
});

export function nameOf(camera: string, what: string, wall: number, ending: 'jpg' | 'mp4'): string {
  const [day = '', time = ''] = iso(wall).split('T');
  const clock = time.replaceAll(/[:.Z]/g, '').slice(0, 9);
  return `media/${day.replaceAll('-', '/')}/${camera.slice(0, 48)}-${clock}-${what}-${randomUUID().slice(0, 6)}.${ending}`;
}

/** Whole or not at all: it gets its name when it is written. */
export async function keep(data: string, ref: string, bytes: Buffer): Promise<EvidenceReference> {
  const file = join(data, ref);
  await mkdir(dirname(file), { recursive: true, mode: 0o750 });
  await writeFile(`${file}.part`, bytes, { mode: 0o640 });
  await rename(`${file}.part`, file);
  return { kind: 'picture', ref, sha256: createHash('sha256').update(bytes).digest('hex') };
}

import { execFileSync } from 'node:child_process';
import type { SimulatedClock } from '../../../src/kernel/clock.ts';
import { Ring } from '../../../src/vision/capture/ring.ts';
import { TransportCutter } from '../../../src/vision/capture/transport-stream.ts';

/** A film as a camera sends it, a picture at a time. */
export function asSent(file: string): Uint8Array[] {
  const args = [
    '-v',
    'error',
    '-i',
    file,
    '-c',
    'copy',
    '-an',
    '-mpegts_flags',
    '+pat_pmt_at_frames',
    '-f',
    'mpegts',
    'pipe:1',
  ];
  const all = execFileSync('ffmpeg', args, { maxBuffer: 1e9 });
  const pictures: Uint8Array[] = [];
  let from = 0;
  let to = 0;
  let seen = false;
  new TransportCutter(({ bytes }, first) => {
    if (first && seen) {
      pictures.push(all.subarray(from, to));
      from = to;
    }
    seen ||= first;
    to += bytes.length;
  }).push(all);
  pictures.push(all.subarray(from));
  return pictures;
}

/** Plays it into a ring, 25 pictures a second. */
export function play(ring: Ring, clock: SimulatedClock, pictures: readonly Uint8Array[]): void {
  for (const picture of pictures) {
    clock.advance(40);
    ring.push(picture);
  }
}

export const ringOf = (clock: SimulatedClock, limit = 64e6, keep = 5_000): Ring => new Ring({ clock, keep, limit });

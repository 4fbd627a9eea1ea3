import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const CACHE = join(tmpdir(), 'quanwei-test-clips');

/** A file that ffmpeg makes, once for all tests of this machine. @param args all but the name */
export function made(name: string, ...args: string[]): string {
  const mark = createHash('sha256').update(args.join('\0')).digest('hex').slice(0, 12);
  const file = join(CACHE, `${mark}-${name}`);
  if (existsSync(file)) return file;
  mkdirSync(CACHE, { recursive: true });
  // Under another name until it is whole: tests of other files may want it at the same time.
  const part = join(CACHE, `${mark}-${process.pid}-${name}`);
  execFileSync('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...args, part]);
  renameSync(part, file);
  return file;
}

/** As cameras encode: no B-frames, a key frame every `gop` frames, baseline of every decoder. */
const h264 = (gop: number) => [
  '-c:v',
  'libx264',
  '-preset',
  'ultrafast',
  '-bf',
  '0',
  '-g',
  `${gop}`,
  '-pix_fmt',
  'yuv420p',
];

/**
 * A clip whose every frame says which one it is: all its pixels have the brightness `16 + 2 * (n % 100)`. 25 frames a
 * second, a key frame a second.
 */
export const numbered = (size: string, seconds: number, codec: 'h264' | 'hevc' = 'h264'): string =>
  made(
    `numbered-${size}-${codec}.mp4`,
    ...[
      '-f',
      'lavfi',
      '-i',
      `color=black:s=16x16:r=25:d=${seconds},format=yuv420p,geq=lum=16+2*mod(N\\,100):cb=128:cr=128,scale=${size}:flags=neighbor`,
    ],
    ...(codec === 'h264'
      ? h264(25)
      : ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=error:keyint=25:bframes=0']),
    ...['-tag:v', codec === 'h264' ? 'avc1' : 'hvc1'],
  );

/** Which frame of a `numbered` clip a plane shows, by its middle. Full range: 255 / 219 for each step of luma. */
export function numberOf(data: Uint8Array, at = Math.floor(data.length / 2)): number {
  return Math.round(((data[at] ?? 0) * 219) / 255 / 2);
}

/** A moving picture with texture, as a busy scene. */
export const busy = (size: string, seconds: number): string =>
  made(`busy-${size}.mp4`, ...['-f', 'lavfi', '-i', `testsrc2=s=${size}:r=25:d=${seconds}`, ...h264(25)]);

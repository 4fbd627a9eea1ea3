import { execFileSync } from 'node:child_process';
import type { Grey } from '../../src/vision/picture.ts';
import { made } from './capture/clips.ts';

const PLANE = 160 * 90;

/** The first frame for `count` frames: a scene in which nothing moves. */
export const still = (count: number, fps: number): string =>
  `select='eq(n\\,0)',loop=loop=${count - 1}:size=1:start=0,setpts=N/${fps}/TB`;

/**
 * Grey planes of a film as the capture makes them, encoded as a camera does it first.
 * @param filter of ffmpeg, on 640×360 @param fps of the planes
 */
export function greyFilm(name: string, input: readonly string[], filter: string, fps: number): Grey[] {
  // What a sensor adds: without it nothing is ever still, and nothing ever frozen.
  const sensor = `fps=${fps},scale=640:360,${filter},noise=alls=5:allf=t`;
  const encoded = made(
    `${name}.mp4`,
    ...input,
    '-vf',
    sensor,
    '-an',
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-pix_fmt',
    'yuv420p',
  );
  const args = [
    '-v',
    'error',
    '-i',
    encoded,
    '-vf',
    'scale=160:90:flags=bilinear',
    '-f',
    'rawvideo',
    '-pix_fmt',
    'gray',
    'pipe:1',
  ];
  const bytes = execFileSync('ffmpeg', args, { maxBuffer: 1e8 });
  return Array.from({ length: Math.floor(bytes.length / PLANE) }, (_, n) => ({
    width: 160,
    height: 90,
    data: new Uint8Array(bytes.subarray(n * PLANE, (n + 1) * PLANE)),
  }));
}

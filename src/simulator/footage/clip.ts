import { spawn } from 'node:child_process';
import { QuanweiError } from '../../kernel/errors.ts';
import { pose } from './body.ts';
import type { Figure } from './figure.ts';
import type { Vec } from './geometry.ts';
import type { Motion } from './motion.ts';
import { type Drawn, draw, SAMPLES } from './raster.ts';
import type { Scene } from './scene.ts';
import type { View } from './view.ts';

export interface Actor {
  readonly figure: Figure;
  readonly motion: Motion;
  /** How bright the person is, 1 as the place. */
  readonly shade: number;
}

export const FPS = 25;

/** Frame after frame of people in a place, rgb24. Only where somebody is or was is drawn anew; one buffer serves all. */
export function* frames(view: View, scene: Scene, actors: readonly Actor[], seconds: number): Generator<Uint8Array> {
  const frame = scene.picture.slice();
  let dirty: Box[] = [];
  for (let n = 0; n < Math.round(seconds * FPS); n += 1) {
    for (const box of dirty) restore(frame, scene.picture, box, view.width);
    dirty = [];
    const here = actors.flatMap(({ figure, motion, shade }) => {
      const stance = motion(n / FPS);
      if (stance === null) return [];
      dirty.push(shadow(frame, scene, view, stance.hips, stance.feet.L, stance.feet.R));
      const drawn = draw(view, figure, pose(figure.joints, stance), shade);
      return drawn === null ? [] : [drawn];
    });
    // The farthest first.
    for (const drawn of here.sort((one, other) => nearest(one) - nearest(other))) {
      compose(frame, scene, view.width, drawn);
      dirty.push(drawn);
    }
    yield frame;
  }
}

type Box = Pick<Drawn, 'left' | 'top' | 'right' | 'bottom'>;

function restore(frame: Uint8Array, from: Uint8Array, box: Box, width: number): void {
  if (box.left >= box.right) return;
  for (let y = box.top; y < box.bottom; y += 1) {
    const [begin, end] = [(y * width + box.left) * 3, (y * width + box.right) * 3];
    frame.set(from.subarray(begin, end), begin);
  }
}

function nearest({ nearness }: Drawn): number {
  let most = 0;
  for (const near of nearness) if (near > most) most = near;
  return most;
}

/** Samples of the person over the picture; where the wall stands before the person, the wall. */
function compose(frame: Uint8Array, { covers, wire }: Scene, width: number, drawn: Drawn): void {
  const { left, top, right, bottom, colours, nearness, depths } = drawn;
  const columns = (right - left) * SAMPLES;
  const each = SAMPLES * SAMPLES;
  for (let y = top; y < bottom; y += 1) {
    for (let x = left; x < right; x += 1) {
      let [red, green, blue, wired, seen] = [0, 0, 0, 0, 0];
      for (let sy = 0; sy < SAMPLES; sy += 1) {
        const row = ((y - top) * SAMPLES + sy) * columns + (x - left) * SAMPLES;
        const cover = (y * SAMPLES + sy) * width * SAMPLES + x * SAMPLES;
        for (let sx = 0; sx < SAMPLES; sx += 1) {
          if (nearness[row + sx] === 0) continue;
          if ((depths[row + sx] as number) < 0 && covers[cover + sx] === 1) {
            if (wire !== null) wired += 1;
            continue;
          }
          const colour = colours[row + sx] as number;
          red += colour >> 16;
          green += (colour >> 8) & 255;
          blue += colour & 255;
          seen += 1;
        }
      }
      if (seen === 0) continue;
      const at = (y * width + x) * 3;
      const rest = each - seen - wired;
      frame[at] = (red + (frame[at] as number) * rest + (wire?.[0] ?? 0) * wired) / each;
      frame[at + 1] = (green + (frame[at + 1] as number) * rest + (wire?.[1] ?? 0) * wired) / each;
      frame[at + 2] = (blue + (frame[at + 2] as number) * rest + (wire?.[2] ?? 0) * wired) / each;
    }
  }
}

/** A soft dark patch on the ground under the feet. */
function shadow(frame: Uint8Array, { covers }: Scene, view: View, hips: Vec, left: Vec, right: Vec): Box {
  const height = Math.max(0, Math.min(left[1], right[1]) - 0.1);
  const strength = 0.42 / (1 + 2.5 * height);
  const [middle, reach]: [Vec, number] = [
    [(left[0] + right[0] + hips[0]) / 3, 0, (left[2] + right[2] + hips[2]) / 3],
    0.42,
  ];
  const [x, y] = view.point(middle);
  const [edge] = view.point([middle[0] + reach, 0, middle[2]]);
  const [, lower] = view.point([middle[0], 0, middle[2] + reach]);
  const [rx, ry] = [Math.max(1, Math.abs(edge - x)), Math.max(1, Math.abs(lower - y))];
  const box = {
    left: Math.max(0, Math.floor(x - rx)),
    top: Math.max(0, Math.floor(y - ry)),
    right: Math.min(view.width, Math.ceil(x + rx)),
    bottom: Math.min(view.height, Math.ceil(y + ry)),
  };
  for (let py = box.top; py < box.bottom; py += 1) {
    for (let px = box.left; px < box.right; px += 1) {
      const far = ((px - x) / rx) ** 2 + ((py - y) / ry) ** 2;
      if (far >= 1) continue;
      const sample = (py * SAMPLES + 1) * view.width * SAMPLES + px * SAMPLES + 1;
      if (middle[2] < 0 && covers[sample] === 1) continue;
      const keep = 1 - strength * (1 - far);
      const at = (py * view.width + px) * 3;
      for (let channel = at; channel < at + 3; channel += 1) frame[channel] = (frame[channel] as number) * keep;
    }
  }
  return box;
}

export interface Stream {
  readonly file: string;
  readonly width: number;
  readonly height: number;
  /** kbit/s */
  readonly rate: number;
  /** How hard libx264 tries. */
  readonly preset: 'veryfast' | 'ultrafast';
}

/**
 * Frames to H.264 as cameras send it: a key frame every two seconds, no B-frames, an even rate; with the noise of a
 * sensor and the slow breathing of its exposure.
 * @throws QuanweiError CAMERA_UNAVAILABLE ffmpeg is not there or did not manage
 */
export async function encode(
  view: View,
  from: Iterable<Uint8Array>,
  seed: number,
  streams: readonly Stream[],
): Promise<void> {
  const wear = `noise=alls=7:allf=t:all_seed=${seed % 100_000},eq=brightness='0.012*sin(2*PI*t/3.7)':eval=frame`;
  const split = `[0:v]${wear},split=${streams.length}${streams.map((_, nth) => `[s${nth}]`).join('')}`;
  const sized = streams.map(
    ({ width, height }, nth) => `[s${nth}]scale=${width}:${height}:flags=bicubic,format=yuv420p[v${nth}]`,
  );
  const outputs = streams.flatMap(({ file, rate, preset }, nth) => [
    ...['-map', `[v${nth}]`, '-c:v', 'libx264', '-preset', preset, '-profile:v', 'main', '-bf', '0'],
    ...['-g', String(2 * FPS), '-keyint_min', String(2 * FPS), '-sc_threshold', '0', '-threads', '1'],
    ...['-b:v', `${rate}k`, '-maxrate', `${rate}k`, '-bufsize', `${rate}k`, '-movflags', '+faststart', '-y', file],
  ]);
  const ffmpeg = spawn(
    'ffmpeg',
    [
      ...['-hide_banner', '-loglevel', 'error', '-nostdin', '-f', 'rawvideo', '-pix_fmt', 'rgb24'],
      ...['-s', `${view.width}x${view.height}`, '-r', String(FPS), '-i', 'pipe:0'],
      ...['-filter_complex', [split, ...sized].join(';'), ...outputs],
    ],
    { stdio: ['pipe', 'ignore', 'pipe'] },
  );
  let said = '';
  ffmpeg.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-2_000);
  });
  const ended = new Promise<number>((resolve) => {
    ffmpeg.once('error', (thrown) => {
      said += thrown.message;
      resolve(127);
    });
    ffmpeg.once('close', (code) => resolve(code ?? 1));
  });
  // Its end is told by its exit code, not by the pipe that breaks.
  ffmpeg.stdin.on('error', () => undefined);
  for (const frame of from) {
    if (ffmpeg.exitCode !== null || ffmpeg.stdin.destroyed) break;
    // Until it is taken: the generator draws the next frame into the same memory.
    const taken = new Promise((resolve) => ffmpeg.stdin.write(frame, resolve));
    await Promise.race([taken, ended]);
  }
  ffmpeg.stdin.end();
  if ((await ended) !== 0) {
    throw new QuanweiError('CAMERA_UNAVAILABLE', `ffmpeg could not encode the footage: ${said.trim()}`, {
      hint: 'is ffmpeg installed, with libx264?',
    });
  }
}

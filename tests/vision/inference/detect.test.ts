import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { overlap } from '../../../src/vision/picture.ts';
import { quanwei } from '../../support/command.ts';
import { faces, model, pedestrians } from '../../support/vision-material.ts';

type Line = { frame: number; boxes: [number, number, number, number, number][] };

const dir = mkdtempSync(join(tmpdir(), 'quanwei-detect-'));
let photo: string;
let video: string;
let short: string;

beforeAll(async () => {
  await Promise.all(['nanodet', 'centernet', 'nanodet@640x480'].map(model));
  photo = (await faces())[0] as string;
  video = await pedestrians();
  short = join(dir, 'short.avi');
  execFileSync('ffmpeg', ['-v', 'error', '-i', video, '-c', 'copy', '-frames:v', '30', short]);
}, 600_000);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function detect(...args: string[]): Promise<Line[]> {
  const { code, stdout, stderr } = await quanwei('detect', ...args, '--json');
  expect([code, stderr.replace(/^.*(EXIF|frame 1).*\n/gm, '')]).toEqual([0, '']);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

const sure = ({ boxes }: Line, least = 0.4) => boxes.filter((box) => box[4] >= least);
const asBox = ([x1, y1, x2, y2]: Line['boxes'][number]) => ({ x1, y1, x2, y2 });

describe('a picture', () => {
  test('frame 0, boxes in its own pixels, the best first, weak ones as well', async () => {
    const [line, ...more] = await detect(photo, '--model', 'nanodet');
    expect(more).toEqual([]);
    const { frame, boxes } = line as Line;
    const { width = 0, height = 0 } = await sharp(photo).metadata();
    expect(frame).toBe(0);
    expect(sure(line as Line)).toHaveLength(3);
    expect(boxes.length).toBeGreaterThan(3);
    const scores = boxes.map((box) => box[4]);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
    expect(Math.min(...scores)).toBeGreaterThanOrEqual(0.05);
    for (const [x1, y1, x2, y2] of boxes) {
      expect([x1 >= 0, y1 >= 0, x2 <= width, y2 <= height, x2 > x1, y2 > y1]).not.toContain(false);
    }
    // People fill most of this picture: their boxes are in its pixels, not in the model's.
    expect(Math.max(...sure(line as Line).map(([, y1, , y2]) => y2 - y1))).toBeGreaterThan(height * 0.6);
  });

  test('turned by EXIF: boxes of the upright picture', async () => {
    const turned = join(dir, 'turned.jpg');
    const bytes = await sharp(photo).rotate(270).jpeg({ quality: 95 }).withMetadata({ orientation: 6 }).toBuffer();
    writeFileSync(turned, bytes);
    const [[upright], [seen]] = await Promise.all([detect(photo), detect(turned)]);
    expect(sure(seen as Line)).toHaveLength(3);
    for (const box of sure(seen as Line)) {
      expect(Math.max(...sure(upright as Line).map((other) => overlap(asBox(other), asBox(box))))).toBeGreaterThan(0.9);
    }
  });

  test('somebody whom the edge cuts: the box ends at the edge, not in the padding', async () => {
    const [line] = await detect(photo);
    const [x1 = 0, , x2 = 0] = sure(line as Line).sort((a, b) => b[2] - b[0] - (a[2] - a[0]))[0] ?? [];
    const { width = 0, height = 0 } = await sharp(photo).metadata();
    // Half of the widest of them, in a picture that is padded on both sides.
    const half = { left: Math.round((x1 + x2) / 2), top: 0, width: width - Math.round((x1 + x2) / 2), height };
    const cut = join(dir, 'cut.png');
    await sharp(photo).extract(half).toFile(cut);
    const [seen] = await detect(cut);
    expect(seen?.boxes.length).toBeGreaterThan(0);
    for (const [left, top, right, bottom] of seen?.boxes ?? []) {
      expect([left >= 0, top >= 0, right <= half.width, bottom <= half.height]).not.toContain(false);
    }
    expect(Math.min(...(seen?.boxes ?? []).map(([left]) => left))).toBe(0);
  });

  test('a threshold cuts, and the short form is for people', async () => {
    const { stdout } = await quanwei('detect', photo, '--threshold', '0.4');
    expect(stdout).toMatch(/^第 0 帧 frame 0: 3\n( {2}0\.\d\d {2}\d+×\d+ \+ \(\d+, \d+\)\n){3}$/);
  });
});

describe('a video', () => {
  test('every frame once, and its people in the same places as in the picture of the frame', async () => {
    const lines = await detect(short);
    expect(lines.map(({ frame }) => frame)).toEqual(Array.from({ length: 30 }, (_, n) => n));
    const still = join(dir, 'frame-20.png');
    execFileSync('ffmpeg', ['-v', 'error', '-i', short, '-vf', 'select=eq(n\\,20)', '-frames:v', '1', still]);
    const [inPicture] = await detect(still);
    const [a, b] = [sure(lines[20] as Line), sure(inPicture as Line)];
    expect(a.length).toBeGreaterThanOrEqual(3);
    expect(b).toHaveLength(a.length);
    for (const box of a) {
      const same = b.find((other) => overlap(asBox(other), asBox(box)) > 0.9);
      expect(Math.abs(box[4] - (same?.[4] ?? 0))).toBeLessThan(0.03);
    }
  });

  test.each(['centernet', 'nanodet@640x480'])('%s, every tenth frame, finds whom nanodet finds', async (id) => {
    const [mine, theirs] = await Promise.all([
      detect(short, '--model', id, '--every', '10'),
      detect(short, '--model', 'nanodet', '--every', '10'),
    ]);
    expect(mine.map(({ frame }) => frame)).toEqual([0, 10, 20]);
    for (const [i, line] of theirs.entries()) {
      for (const box of sure(line, 0.6)) {
        const best = Math.max(...sure(mine[i] as Line, 0.3).map((other) => overlap(asBox(other), asBox(box))));
        expect(best).toBeGreaterThan(0.6);
      }
    }
  });

  test('of a variable rate: as many frames as it has, none left out or repeated', async () => {
    const uneven = join(dir, 'uneven.mkv');
    const times = 'settb=1/1000,setpts=if(lt(N\\,10)\\,N*20\\,if(lt(N\\,20)\\,N*200\\,N*2000))';
    execFileSync('ffmpeg', [
      '-v',
      'error',
      '-i',
      short,
      '-vf',
      times,
      '-vsync',
      'passthrough',
      '-enc_time_base',
      '1:1000',
      '-c:v',
      'mjpeg',
      uneven,
    ]);
    const [even, odd] = [await detect(short, '--every', '3'), await detect(uneven, '--every', '3')];
    expect(odd.map(({ frame }) => frame)).toEqual(even.map(({ frame }) => frame));
  });
});

describe('what cannot be used: a code, the name, and exit 1', () => {
  const refused = async (file: string, why: RegExp) => {
    const { code, stdout, stderr } = await quanwei('detect', file);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^BAD_PICTURE: /);
    expect(stderr).toContain(file);
    expect(stderr).toMatch(why);
  };
  const named = (name: string, bytes: Uint8Array): string => {
    writeFileSync(join(dir, name), bytes);
    return join(dir, name);
  };

  test('missing, empty, noise, a directory', async () => {
    await refused(join(dir, 'none.mp4'), /no such file/);
    await refused(named('empty.mp4', Buffer.alloc(0)), /empty/);
    await refused(
      named('noise.mp4', Buffer.from(Array.from({ length: 9_999 }, (_, i) => (i * 7919) % 251))),
      /as a video/,
    );
    await refused(dir, /no file/);
  });

  test('a picture cut short, a video without its end, an SVG', async () => {
    await refused(named('cut.jpg', readFileSync(photo).subarray(0, 20_000)), /cannot be read/);
    const whole = join(dir, 'whole.mp4');
    execFileSync('ffmpeg', ['-v', 'error', '-i', short, '-c:v', 'mpeg4', whole]);
    await refused(named('cut.mp4', readFileSync(whole).subarray(0, 9_000)), /as a video/);
    await refused(named('x.svg', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')), /no picture/);
  });

  test('a model that is unknown or finds no boxes', async () => {
    const unknown = await quanwei('detect', photo, '--model', 'nothing');
    expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringMatching(/^NOT_FOUND: /)]);
    const other = await quanwei('detect', photo, '--model', 'fr_feature');
    expect([other.code, other.stderr]).toEqual([2, expect.stringMatching(/^BAD_USE: /)]);
  });
});

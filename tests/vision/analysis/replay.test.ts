import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { quanwei } from '../../support/command.ts';
import { canCompose, clip, type Footage, fencesOf } from '../../support/footage.ts';
import { model } from '../../support/vision-material.ts';

const here = mkdtempSync(join(tmpdir(), 'quanwei-replay-'));
afterAll(() => rmSync(here, { recursive: true, force: true }));

interface Line {
  readonly t: number;
  readonly type: string;
  readonly stage?: string;
  readonly zone?: string;
}

function configured(name: string, fences: readonly object[], camera: object = {}): string {
  const file = join(here, `${name}.yaml`);
  const one = { id: 'cam-1', url: 'rtsp://192.0.2.1/live', fences, ...camera };
  // YAML reads JSON.
  writeFileSync(file, JSON.stringify({ site: { id: 's', name: 'S', street: 'x' }, cameras: [one] }));
  return file;
}

async function replayed(
  { file, truth }: Footage,
  ...more: string[]
): Promise<{ events: Line[]; end: Record<string, number> }> {
  const config = configured(truth.name, fencesOf({ file, main: null, truth }));
  const { code, stdout, stderr } = await quanwei(
    'replay',
    file,
    '--config',
    config,
    '--camera',
    'cam-1',
    '--json',
    ...more,
  );
  expect([code, stderr]).toEqual([0, '']);
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const end = lines.pop() as Record<string, number>;
  return { events: lines as unknown as Line[], end };
}

const there = await canCompose();

beforeAll(async () => {
  await Promise.all(['nanodet', 'movenet-lightning'].map((id) => model(id)));
}, 300_000);

describe.skipIf(!there)('quanwei replay', () => {
  test.each(['climb-brick-100', 'climb-wire-75'])(
    '%s is warned of within 1.5 s of the feet leaving the ground, and alarmed before a leg hangs on either side',
    async (name) => {
      const footage = await clip(name);
      const pictures = join(here, name);
      const { events, end } = await replayed(footage, '--pictures', pictures);
      expect(events.map(({ type }) => type)).toEqual(['climb', 'cross']);
      const [warn, alarm] = events as [Line, Line];
      const { leaves, straddles } = footage.truth.climb ?? { leaves: 0, straddles: 0 };
      expect(warn.t).toBeGreaterThan(leaves);
      expect(warn.t).toBeLessThanOrEqual(leaves + 1.5);
      expect(alarm.t).toBeLessThanOrEqual(straddles);
      expect(events.map(({ zone }) => zone)).toEqual(['wall', 'wall']);
      expect(end['frames']).toBe(footage.truth.seconds * 5);
      expect(end['seconds']).toBeCloseTo(footage.truth.seconds, 1);
      // The models run in a child: its CPU time is in it, and nothing was looked for before somebody came.
      expect(end['cpu']).toBeGreaterThan(0.5);
      const kept = readdirSync(pictures);
      expect(kept).toHaveLength(2);
      expect(await sharp(join(pictures, kept[0] as string)).metadata()).toMatchObject({
        format: 'jpeg',
        width: 640,
        height: 360,
      });
    },
    120_000,
  );

  test.each(['decoy-arms-raised', 'decoy-behind-wire'])(
    '%s is nothing',
    async (name) => {
      const { events, end } = await replayed(await clip(name));
      expect(events).toEqual([]);
      expect(end['detected']).toBeGreaterThan(10);
    },
    120_000,
  );

  test('what is not there is told: a camera, a video, a video that is none', async () => {
    const config = configured('wrong', []);
    const run = (video: string, camera: string) => quanwei('replay', video, '--config', config, '--camera', camera);
    const camera = await run('x.mp4', 'cam-2');
    expect(camera.code).toBe(1);
    expect(camera.stderr).toContain("there is no camera 'cam-2' — cameras: cam-1");
    const missing = await run(join(here, 'nothing.mp4'), 'cam-1');
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain('BAD_PICTURE');
    const none = await run(config, 'cam-1');
    expect(none.code).toBe(1);
    expect(none.stderr).toContain('BAD_PICTURE');
  }, 60_000);
});

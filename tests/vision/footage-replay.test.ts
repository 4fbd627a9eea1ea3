import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { quanwei } from '../support/command.ts';
import { dataDir } from '../support/data-dir.ts';
import { canCompose, clip, type Footage, fencesOf } from '../support/footage.ts';
import { model } from '../support/vision-material.ts';

const possible = await canCompose();

beforeAll(async () => {
  for (const id of ['nanodet', 'movenet-lightning']) await model(id);
}, 600_000);

interface Told {
  readonly type: string;
  readonly stage: string;
  readonly t: number;
}

/** What the shipped program tells of a clip, as a stranger would ask it. */
async function told(footage: Footage): Promise<Told[]> {
  const dir = dataDir();
  const file = join(dir, 'gateway.yaml');
  const cameras = [{ id: 'cam', url: footage.file, fences: fencesOf(footage) }];
  writeFileSync(file, JSON.stringify({ site: { id: 'test', name: 'test', street: 'test' }, data: dir, cameras }));
  const { code, stdout, stderr } = await quanwei('replay', footage.file, '--config', file, '--camera', 'cam', '--json');
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Told & { frames?: number });
  expect(lines.at(-1)?.frames).toBeGreaterThan(footage.truth.seconds * 4.5);
  return lines.slice(0, -1);
}

test.runIf(possible).each(['climb-brick-150', 'climb-brick-75', 'climb-wire-110'])(
  '%s: warned within 1.5 s of leaving the ground, alarmed before a leg hangs on either side',
  async (name) => {
    const footage = await clip(name);
    const { climb } = footage.truth;
    if (climb === null) throw new Error('nobody climbs in it');
    const events = await told(footage);
    const warned = events.find(({ type, stage }) => type === 'climb' && stage === 'warn')?.t ?? Number.NaN;
    const alarmed = events.find(({ stage }) => stage === 'alarm')?.t ?? Number.NaN;
    expect(warned - climb.leaves).toBeLessThanOrEqual(1.5);
    expect(warned, 'not before anybody climbs').toBeGreaterThan(climb.leaves);
    expect(alarmed).toBeLessThanOrEqual(climb.straddles);
  },
  120_000,
);

test.runIf(possible).each(['decoy-behind-brick', 'decoy-in-front'])(
  '%s: nothing is told',
  async (name) => {
    expect(await told(await clip(name))).toEqual([]);
  },
  120_000,
);

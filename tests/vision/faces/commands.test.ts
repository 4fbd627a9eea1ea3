import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { quanwei, quanweiJson } from '../../support/command.ts';
import { dataDir } from '../../support/data-dir.ts';
import { model, faces as samples } from '../../support/vision-material.ts';

/** Around a face of sample1.jpg and one of sample4.jpg. */
const LI = { left: 330, top: 270, width: 340, height: 400 };
const WANG = { left: 900, top: 100, width: 340, height: 400 };
const NAMES = ['li1', 'li2', 'li3', 'wang', 'wall', 'text'] as const;
const scratch = mkdtempSync(join(tmpdir(), 'quanwei-faces-'));
const photo = (name: (typeof NAMES)[number]): string => join(scratch, `${name}.jpg`);

beforeAll(async () => {
  for (const id of ['fr_detect', 'fr_landmark', 'fr_feature', 'fr_liveness']) await model(id);
  const [first, , , fourth] = await samples();
  const li = () => sharp(first).extract(LI);
  await li().jpeg({ quality: 88 }).toFile(photo('li1'));
  await li().modulate({ brightness: 0.85 }).resize(260).jpeg().toFile(photo('li2'));
  await sharp(await li().rotate(6, { background: '#888' }).png().toBuffer())
    .jpeg({ quality: 70 })
    .toFile(photo('li3'));
  await sharp(fourth).extract(WANG).jpeg().toFile(photo('wang'));
  await sharp({ create: { width: 320, height: 240, channels: 3, background: '#8a8f85' } })
    .jpeg()
    .toFile(photo('wall'));
  writeFileSync(photo('text'), 'this is no picture');
}, 180_000);

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

test('`faces` prints a line a picture; a bad one is said, the others go on, and it ends with 1', async () => {
  const { code, stdout } = await quanwei('faces', '--json', photo('li1'), photo('text'), photo('wall'));
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(code).toBe(1);
  expect(lines.map(({ file }) => file)).toEqual([photo('li1'), photo('text'), photo('wall')]);
  const [face] = (lines[0]?.['faces'] ?? []) as Record<string, unknown>[];
  expect(lines[1]?.['error']).toContain('BAD_PICTURE');
  expect(lines[2]?.['faces']).toEqual([]);
  expect(face?.['box']).toHaveLength(4);
  expect(face?.['landmarks']).toHaveLength(5);
  expect(face?.['quality']).toMatchObject({ grade: 'good', reasons: [], height: expect.any(Number) });
  expect(face?.['live']).toBeGreaterThan(0);
  const embedding = face?.['embedding'] as number[];
  expect(embedding).toHaveLength(512);
  expect(Math.hypot(...embedding)).toBeCloseTo(1, 6);
  // To the last bit.
  expect(embedding).toEqual(embedding.map((value) => Number(Math.fround(value).toPrecision(9))));
});

test('`faces compare` tells one person from two', async () => {
  const compare = (a: string, b: string) => quanweiJson<{ cosine: number; same: string }>('faces', 'compare', a, b);
  const [same, other] = [await compare(photo('li1'), photo('li2')), await compare(photo('li1'), photo('wang'))];
  expect(same).toMatchObject({ code: 0, value: { same: 'yes' } });
  expect(same.value.cosine).toBeGreaterThan(0.9);
  expect(other).toMatchObject({ code: 1, value: { same: 'no' } });
  expect(other.value.cosine).toBeLessThan(0.4);
});

test('a resident is enrolled from photos of one person, listed and forgotten; no photo is kept', async () => {
  const dir = dataDir();
  const enrol = (...args: string[]) => quanweiJson<Record<string, unknown>>('enrol', '--data', dir, ...args);
  const mixed = await enrol('--person', '1001', photo('li1'), photo('wang'));
  expect(mixed).toMatchObject({ code: 1, value: { enrolled: 0, templates: 0 } });
  expect(JSON.stringify(mixed.value['photos'])).toContain('unlike');
  const done = await enrol(
    '--person',
    '1001',
    '--consent',
    'form-7',
    photo('li1'),
    photo('li2'),
    photo('li3'),
    photo('wall'),
  );
  // The wall was refused, and that is said.
  expect(done).toMatchObject({ code: 1, value: { enrolled: 3, templates: 3, people: 1, alike: [] } });
  expect((done.value['photos'] as { accepted: boolean }[]).map(({ accepted }) => accepted)).toEqual([
    true,
    true,
    true,
    false,
  ]);
  const twin = await enrol('--person', '1002', photo('li2'));
  expect(twin).toMatchObject({ code: 0, value: { alike: [{ person: '1001' }] } });
  const { stdout } = await quanwei('enrol', '--data', dir, '--list');
  expect(stdout).toMatch(/1001 {2}3 .*\n1002 {2}1 .*\n.*stranger/);
  expect(await enrol('--forget', '1001')).toMatchObject({ code: 0, value: { person: '1001', forgotten: 3 } });
  expect(await enrol('--list')).toMatchObject({ value: { person: '1002', templates: 1 } });
  const acts = (await quanwei('enrol', '--data', dir, '--acts', '--json')).stdout.trim().split('\n');
  expect(acts.map((line) => (JSON.parse(line) as { what: string; person: string }).what)).toEqual([
    'enrolled',
    'enrolled',
    'forgotten',
  ]);
  expect(acts[0]).toContain('form-7');
  const kept = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const { parentPath, name } of kept) {
    expect(readFileSync(join(parentPath, name)).includes(Buffer.of(0xff, 0xd8, 0xff))).toBe(false);
  }
}, 90_000);

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { quanwei } from '../../support/command.ts';
import { dataDir } from '../../support/data-dir.ts';
import { model, faces as samples } from '../../support/vision-material.ts';
import { made } from '../capture/clips.ts';

test('footage tells who is seen in it, of those who are enrolled, and what is wrong with its picture', async () => {
  for (const id of ['nanodet', 'fr_detect', 'fr_landmark', 'fr_feature', 'fr_liveness']) await model(id);
  const dir = dataDir();
  const photo = join(dir, 'li.jpg');
  const [first] = await samples();
  await sharp(first).extract({ left: 330, top: 270, width: 340, height: 400 }).jpeg({ quality: 90 }).toFile(photo);
  // A face that comes along for four seconds, then night.
  const film = made(
    'face-then-night-36.mp4',
    ...['-f', 'lavfi', '-i', 'color=0x777777:s=640x360:r=10:d=4', '-loop', '1', '-t', '4', '-i', photo],
    ...['-f', 'lavfi', '-i', 'color=black:s=640x360:r=10:d=36', '-filter_complex'],
    ...['[1]scale=-2:340[f];[0][f]overlay=x=100+15*t:y=10:shortest=1,format=yuv420p[a];[a][2]concat=n=2'],
    ...['-r', '10', '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p'],
  );
  const config = join(dir, 'gateway.yaml');
  const cameras = [{ id: 'hall', url: 'rtsp://192.0.2.1/live', faces: {} }];
  writeFileSync(config, JSON.stringify({ site: { id: 's', name: 'S', street: 'x' }, data: dir, cameras }));
  const enrolled = await quanwei('enrol', '--config', config, '--person', '1001', photo);
  expect(enrolled.code, enrolled.stderr).toBe(0);

  const { code, stdout, stderr } = await quanwei('replay', film, '--config', config, '--json');
  expect([code, stderr]).toEqual([0, '']);
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines.at(-1)).toMatchObject({ frames: 200, seconds: 40 });
  const faces = lines.filter(({ type }) => type === 'face');
  expect(faces).toEqual([expect.objectContaining({ camera: 'hall', result: 'known', person: '1001' })]);
  expect(faces[0]?.['t']).toBeLessThan(4);
  const dark = lines.filter(({ condition }) => condition === 'dark');
  expect(dark).toEqual([expect.objectContaining({ type: 'health', camera: 'hall', active: true })]);
  expect(dark[0]?.['t']).toBeGreaterThan(4 + 14);
}, 120_000);

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { quanwei, quanweiJson } from '../support/command.ts';
import { dataDir } from '../support/data-dir.ts';

const PROFILES = fileURLToPath(new URL('../../device-profiles', import.meta.url));

test('profile test runs every sample of a profile and says so', async () => {
  const { code, value } = await quanweiJson<{ ok: boolean; samples: { ok: boolean }[] }>(
    'profile',
    'test',
    join(PROFILES, 'face-oem-mqtt.yaml'),
  );
  expect(code).toBe(0);
  expect(value.ok).toBe(true);
  expect(value.samples.length).toBeGreaterThan(10);
  expect(value.samples.every(({ ok }) => ok)).toBe(true);
});

test('a profile whose sample gives something else ends with 1 and the line to look at', async () => {
  const file = join(dataDir(), 'tasmota-contact.yaml');
  const text = readFileSync(join(PROFILES, 'tasmota-contact.yaml'), 'utf8');
  const broken = text.replace(/category: fire\.button/, 'category: sos');
  expect(broken).not.toBe(text);
  writeFileSync(file, broken);
  const { code, stdout } = await quanwei('profile', 'test', file);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^✗ /m);
  expect(stdout).toMatch(/tasmota-contact\.yaml:\d+:\d+: sample/);
});

test('profile list names every device model in both languages', async () => {
  const { code, stdout } = await quanwei('profile', 'list');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^face-oem-mqtt +人脸门禁.* · Face door terminal/m);
});

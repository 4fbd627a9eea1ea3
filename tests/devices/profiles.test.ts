import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { BUILT_IN_PROFILES, loadCatalogue } from '../../src/devices/catalogue.ts';
import { readProfile } from '../../src/devices/profile-file.ts';
import { testProfile } from '../../src/devices/profile-test.ts';
import { remembered } from '../../src/devices/remembered-profiles.ts';
import { dataDir } from '../support/data-dir.ts';

const REQUIRED = [
  'chirpstack-sos-ws101',
  'esphome-lock',
  'face-oem-mqtt',
  'face-topic-face',
  'frigate-reviews',
  'onvif-ej-mqtt',
  'quanwei-vision',
  'shelly-gen2',
  'tasmota-contact',
  'zigbee-smoke-gas',
  'zigbee-sos-button',
  'zigbee2mqtt-hub',
];

describe('every profile we ship', () => {
  const files = readdirSync(BUILT_IN_PROFILES).filter((name) => name.endsWith('.yaml'));

  it.each(files)('%s: every sample gives exactly what it says', (file) => {
    const result = testProfile(join(BUILT_IN_PROFILES, file));
    expect(result.problems).toEqual([]);
    expect(result.ok).toBe(true);
    expect(result.samples.length).toBeGreaterThan(3);
  });

  it.each(files)('%s: the build has read it ahead, and it is read anew once it was changed', (file) => {
    const made = fileURLToPath(new URL('../../dist/made/profiles', import.meta.url));
    const path = join(BUILT_IN_PROFILES, file);
    const bytes = readFileSync(path);
    expect(remembered(path, bytes, made)).toEqual(readProfile(path, bytes).definition);
    expect(remembered(path, Buffer.concat([bytes, Buffer.from('\n')]), made)).toBeNull();
  });

  it('is there, and all load together', () => {
    const catalogue = loadCatalogue([BUILT_IN_PROFILES]);
    for (const id of REQUIRED) expect(catalogue.has(id), id).toBe(true);
  });

  it('names a way in besides the face wherever a face opens a door', () => {
    const doors = loadCatalogue([BUILT_IN_PROFILES])
      .all()
      .filter(({ kind }) => kind === 'face-door');
    expect(doors.length).toBeGreaterThan(1);
    for (const { alternatives } of doors) expect(alternatives.length).toBeGreaterThan(0);
  });

  it('says what silence means in both languages', () => {
    for (const { supervision, id } of loadCatalogue([BUILT_IN_PROFILES]).all()) {
      expect(supervision.silence.zh, id).toMatch(/\p{Script=Han}/u);
      expect(supervision.silence.en, id).toMatch(/[a-z]/);
    }
  });
});

/** A copy of a shipped profile with one thing changed, in a directory of its own. */
function changed(id: string, from: string, to: string): string {
  const dir = join(dataDir(), 'profiles');
  mkdirSync(dir);
  cpSync(BUILT_IN_PROFILES, dir, { recursive: true });
  const file = join(dir, `${id}.yaml`);
  const text = readFileSync(file, 'utf8');
  expect(text).toContain(from);
  writeFileSync(file, text.replace(from, to));
  return file;
}

describe('a sample that the profile does not keep is told, with its line', () => {
  it.each([
    [
      'a wrong category',
      'zigbee-sos-button',
      '    events: [{ category: sos, detail: { action: emergency, battery: 92 } }]',
      '    events: [{ category: fire.button, detail: { action: emergency, battery: 92 } }]',
      /events should be/,
    ],
    [
      'a missing detail',
      'face-oem-mqtt',
      "        detail: { person: 王小明, personId: '3', record: '2', similarity: 83, mask: missing, result: allowed }",
      '        detail: { person: 王小明 }',
      /events should be/,
    ],
    [
      'a wrong receipt',
      'face-oem-mqtt',
      "messageId: '2', info: { PushAckType: 2, SnapOrRecordID: 2 }",
      "messageId: '2', info: { PushAckType: 1, SnapOrRecordID: 2 }",
      /receipt should be/,
    ],
    [
      'a wrong command',
      'tasmota-contact',
      "send: [{ topic: cmnd/callpoint-5/POWER, payload: 'ON' }]",
      "send: [{ topic: cmnd/callpoint-5/POWER, payload: 'OFF' }]",
      /should send/,
    ],
    [
      'a topic the device may not use',
      'shelly-gen2',
      'topic: shellyplus1-a8032ab1/online',
      'topic: other/online',
      /none of its own/,
    ],
  ])('%s', (_, id, from, to, what) => {
    const { ok, problems } = testProfile(changed(id, from, to));
    expect(ok).toBe(false);
    expect(problems[0]?.what).toMatch(what);
    expect(problems[0]?.where).toMatch(new RegExp(`${id}\\.yaml:\\d+:\\d+$`));
  });

  it('a message without any sample', () => {
    const { ok, problems } = testProfile(changed('frigate-reviews', '    message: stats\n', ''));
    expect(ok).toBe(false);
    expect(problems.map(({ what }) => what)).toContainEqual('message stats has no sample');
  });
});

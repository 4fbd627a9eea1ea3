import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUILT_IN_PROFILES, loadCatalogue, type Profile } from '../../src/devices/catalogue.ts';
import { GatewayProcess, type JournalEntry } from '../support/gateway-process.ts';
import { LoadClient } from '../support/mqtt-load.ts';

const SECRET = 'device-secret-1';
const STRANGER = 'another-device';
const mqtt = loadCatalogue([BUILT_IN_PROFILES])
  .all()
  .filter((profile) => profile.transport === 'mqtt');

interface Said {
  readonly topic: string;
  readonly events: readonly { category: string; active: boolean; device: string }[];
}

const said = (entry: JournalEntry): Said => entry.body as unknown as Said;

/** Samples in a profile's own words that a device with plain parameters can send and that tell of something. */
const telling = (profile: Profile) =>
  profile.samples.filter(
    (sample) =>
      sample.unknown === undefined &&
      sample.candidate === null &&
      Object.keys(sample.params).length === 0 &&
      sample.events.some((event) => event.active),
  );

// A child of a hub has no login of its own, so that hubs and the devices that speak for themselves are two compounds.
describe.each([
  ['devices that speak for themselves', mqtt.filter(({ hub }) => hub === undefined)],
  ['hubs that speak for others', mqtt.filter(({ hub }) => hub !== undefined)],
])('%s', (_name, profiles) => {
  let gateway: GatewayProcess;
  const dir = mkdtempSync(join(tmpdir(), 'quanwei-test-'));

  beforeAll(async () => {
    const devices = new Map<string, Record<string, unknown>>([
      [STRANGER, { id: STRANGER, profile: 'tasmota-contact', secret: SECRET }],
    ]);
    for (const { id: profile, example } of profiles) {
      devices.set(example.id, { id: example.id, profile, params: example.params, secret: SECRET });
      for (const { id, profile: model, params } of example.children) {
        devices.set(id, { id, profile: model, hub: example.id, params });
      }
    }
    gateway = await GatewayProcess.prepare(dir, { devices: [...devices.values()] });
    await gateway.start();
  });

  afterAll(async () => {
    await gateway.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const login = (device: string) =>
    LoadClient.connect({ port: gateway.ports.mqtt, clientId: device, username: device, password: SECRET });

  describe.each(profiles.map((profile) => [profile.id, profile] as const))('%s', (_id, profile) => {
    test('with its own login raises what its messages tell of', async () => {
      const samples = telling(profile);
      for (const sample of samples) {
        const before = await gateway.head();
        const client = await login(profile.example.id);
        await client.published(sample.topic, sample.text ?? JSON.stringify(sample.payload), { retain: sample.retain });
        client.end();
        const stored = (await gateway.entries('message', before)).map(said);
        const told = stored.filter(({ topic }) => topic === sample.topic).flatMap(({ events }) => events);
        expect(
          told.map(({ category, active }) => ({ category, active })),
          sample.name,
        ).toEqual(sample.events.map(({ category, active }) => ({ category, active })));
      }
      // Hubs whose own messages tell of nothing are there for their children, and those have tests of their own.
      if (profile.hub === undefined) expect(samples.length).toBeGreaterThan(0);
    });

    test("with another device's login cannot", async () => {
      const before = await gateway.head();
      for (const sample of telling(profile).slice(0, 3)) {
        const stranger = await login(STRANGER);
        await expect(
          stranger.published(sample.topic, sample.text ?? JSON.stringify(sample.payload)),
          sample.name,
        ).rejects.toThrow('connection closed');
        stranger.end();
      }
      const stored = await gateway.entries('message', before);
      expect(stored.filter(({ actor }) => actor === `device:${STRANGER}`)).toEqual([]);
    });
  });
});

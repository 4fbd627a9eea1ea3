import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUILT_IN_PROFILES, loadCatalogue } from '../../src/devices/catalogue.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { LoadClient } from '../support/mqtt-load.ts';

const SECRET = 'device-secret-1';
const STRANGER = 'another-device';
const profiles = loadCatalogue([BUILT_IN_PROFILES])
  .all()
  .filter((profile) => profile.transport === 'mqtt');

let gateway: GatewayProcess;
const dir = mkdtempSync(join(tmpdir(), 'quanwei-test-'));

beforeAll(async () => {
  const devices: Record<string, unknown>[] = [{ id: STRANGER, profile: 'esphome-lock', secret: SECRET }];
  for (const { id: profile, example } of profiles) {
    devices.push({ id: example.id, profile, params: example.params, secret: SECRET });
    for (const child of example.children) {
      devices.push({ id: child.id, profile: child.profile, hub: example.id, params: child.params });
    }
  }
  const seen = new Map(devices.map((device) => [device['id'], device]));
  gateway = await GatewayProcess.prepare(dir, { devices: [...seen.values()] });
  await gateway.start();
});

afterAll(async () => {
  await gateway.stop();
  rmSync(dir, { recursive: true, force: true });
});

const login = (device: string) =>
  LoadClient.connect({ port: gateway.ports.mqtt, clientId: device, username: device, password: SECRET });

interface StoredMessage {
  readonly seq: number;
  readonly actor: string;
  readonly body: { topic: string; events: { category: string; active: boolean; device: string }[] };
}

const messagesAfter = async (seq: number): Promise<StoredMessage[]> =>
  (await gateway.journal('--kind', 'message', '--from', String(seq + 1))) as unknown as StoredMessage[];

const head = async (): Promise<number> => ((await gateway.journal()).at(-1) as { seq: number } | undefined)?.seq ?? 0;

describe.each(profiles.map((profile) => [profile.id, profile] as const))('%s', (_id, profile) => {
  const telling = profile.samples.filter(
    (sample) => sample.events.length > 0 && sample.unknown === undefined && Object.keys(sample.params).length === 0,
  );

  test('with its own login its messages are stored as the events they are', async () => {
    expect(telling.length).toBeGreaterThan(0);
    for (const sample of telling) {
      const before = await head();
      const client = await login(profile.example.id);
      await client.published(sample.topic, sample.text ?? JSON.stringify(sample.payload), { retain: sample.retain });
      client.end();
      const stored = (await messagesAfter(before)).filter((entry) => entry.body.topic === sample.topic);
      const told = stored.flatMap((entry) => entry.body.events.map(({ category }) => category));
      // A state that already is so and clears again is not news; everything else is a row.
      const news = sample.events.filter((event) => event.kind === 'pulse' || event.active);
      for (const event of news) {
        expect(told.length === 0 && event.kind === 'level' ? [event.category] : told, sample.name).toContain(
          event.category,
        );
      }
    }
  });

  test("with another device's login it cannot", async () => {
    const before = await head();
    for (const sample of telling.slice(0, 3)) {
      const stranger = await login(STRANGER);
      await expect(
        stranger.published(sample.topic, sample.text ?? JSON.stringify(sample.payload)),
        sample.name,
      ).rejects.toThrow('connection closed');
      stranger.end();
    }
    expect((await messagesAfter(before)).filter((entry) => entry.actor === `device:${STRANGER}`)).toEqual([]);
  });
});

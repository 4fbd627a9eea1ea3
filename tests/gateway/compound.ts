import { onTestFinished } from 'vitest';
import type { Alarm } from '../../src/alarms/alarm.ts';
import { dataDir } from '../support/data-dir.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { LoadClient } from '../support/mqtt-load.ts';

export const SECRET = 'device-secret-1';

/** A gateway process of one test, stopped after it. */
export async function gatewayOf(
  settings: Record<string, unknown>,
  env: Record<string, string> = {},
  dir = dataDir(),
): Promise<GatewayProcess> {
  const gateway = await GatewayProcess.prepare(dir, settings, env);
  onTestFinished(() => gateway.kill());
  return gateway;
}

export const device = (id: string, profile: string, more: Record<string, unknown> = {}) => ({
  id,
  profile,
  ...('hub' in more ? {} : { secret: SECRET }),
  ...more,
});

/** A Zigbee hub with `count` buttons behind it: one login that speaks for many alarms. */
export const hubOf = (count: number, more: Record<string, unknown> = {}) => [
  device('hub-1', 'zigbee2mqtt-hub', more),
  ...Array.from({ length: count }, (_, i) => device(`sos-${i}`, 'zigbee-sos-button', { hub: 'hub-1' })),
];

/** Logged in with its own secret; gone after the test. */
export async function login(gateway: GatewayProcess, id: string, port = gateway.ports.mqtt): Promise<LoadClient> {
  const client = await LoadClient.connect({ port, clientId: id, username: id, password: SECRET });
  onTestFinished(() => client.end());
  return client;
}

export async function openAlarms(gateway: GatewayProcess): Promise<Alarm[]> {
  return ((await gateway.api('/api/alarms')) as { alarms: Alarm[] }).alarms;
}

export interface UpstreamState {
  readonly connected: boolean;
  readonly waiting: number;
  readonly oldestAlarmMs: number;
  readonly lastConfirmed: number | null;
}

export async function upstream(gateway: GatewayProcess): Promise<UpstreamState> {
  return ((await gateway.api('/api/upstream')) as { state: UpstreamState }).state;
}

/** Every entry that goes to the centre as an alarm, oldest first. */
export const alarmEntries = async (gateway: GatewayProcess) =>
  (await gateway.journal()).filter(({ kind, lane }) => kind.startsWith('alarm.') && lane !== null);

/** Waits until `holds`, in real time; gives what held. */
export async function eventually<T>(
  look: () => Promise<T | false | null | undefined> | T | false | null | undefined,
  what: string,
  ms = 15_000,
): Promise<T> {
  const begun = performance.now();
  for (;;) {
    const found = await look();
    if (found !== false && found !== null && found !== undefined) return found;
    if (performance.now() - begun > ms) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
}

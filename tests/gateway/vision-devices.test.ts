import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import type { QuanweiError } from '../../src/kernel/errors.ts';
import { findVisionSecret } from '../../src/main/vision-secret.ts';
import { dataDir } from '../support/data-dir.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';
import { LoadClient } from '../support/mqtt-load.ts';
import { device, gatewayOf } from './compound.ts';

interface DeviceView {
  readonly id: string;
  readonly profile: string;
  readonly hub: string | null;
  readonly place: string;
  readonly params: Record<string, string>;
}

const camera = (id: string, more: Record<string, unknown> = {}) => ({ id, url: 'file:///nothing.mp4', ...more });

async function devicesOf(gateway: GatewayProcess): Promise<DeviceView[]> {
  return ((await gateway.api('/api/devices')) as { devices: DeviceView[] }).devices;
}

function change(gateway: GatewayProcess, settings: Record<string, unknown>): void {
  const before = parse(readFileSync(gateway.config, 'utf8')) as Record<string, unknown>;
  writeFileSync(gateway.config, stringify({ ...before, ...settings }));
}

test('cameras and the vision process are devices of the file; it logs in with a secret the gateway made and keeps', async () => {
  const gateway = await gatewayOf({
    devices: [device('door-1', 'face-oem-mqtt')],
    cameras: [camera('cam-east', { place: '东墙' }), camera('cam-west')],
  });
  await gateway.start();
  const devices = await devicesOf(gateway);
  expect(devices).toContainEqual(expect.objectContaining({ id: 'vision-1', profile: 'quanwei-vision', hub: null }));
  expect(devices).toContainEqual(
    expect.objectContaining({
      id: 'cam-east',
      profile: 'quanwei-camera',
      hub: 'vision-1',
      place: '东墙',
      params: { box: 'vision-1' },
    }),
  );
  const file = join(gateway.data, 'keys', 'vision.secret');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const secret = readFileSync(file, 'utf8').trim();
  const login = { port: gateway.ports.mqtt, clientId: 'vision-1', username: 'vision-1', password: secret };
  await (await LoadClient.connect(login)).end();
  await expect(LoadClient.connect({ ...login, password: `${secret}x` })).rejects.toThrow();

  const registered = (await gateway.entries('device.registered')).map(({ subject }) => subject);
  expect(registered.sort()).toEqual(['cam-east', 'cam-west', 'door-1', 'vision-1']);

  // One camera less in the file: recorded as such, and the secret is still the same.
  await gateway.stop();
  change(gateway, { cameras: [camera('cam-east', { place: '东墙' })] });
  await gateway.start();
  expect((await gateway.entries('device.removed')).map(({ subject }) => subject)).toEqual(['cam-west']);
  expect((await gateway.entries('device.updated')).map(({ subject }) => subject)).toEqual([]);
  await (await LoadClient.connect(login)).end();
});

test('without cameras there is no vision process to miss; a secret that is given is used and not kept', async () => {
  const gateway = await gatewayOf({ devices: [device('door-1', 'face-oem-mqtt')] });
  await gateway.start();
  expect((await devicesOf(gateway)).map(({ id }) => id)).toEqual(['door-1']);
  await gateway.stop();
  change(gateway, { cameras: [camera('cam-east')], vision: { id: 'eyes', secret: 'given-secret-1' } });
  await gateway.start();
  expect((await devicesOf(gateway)).map(({ id }) => id).sort()).toEqual(['cam-east', 'door-1', 'eyes']);
  expect(existsSync(join(gateway.data, 'keys', 'vision.secret'))).toBe(false);
  const port = gateway.ports.mqtt;
  await (await LoadClient.connect({ port, clientId: 'eyes', username: 'eyes', password: 'given-secret-1' })).end();
});

test('the vision process finds its secret in the file, in the credential systemd made of it, or says that there is none', () => {
  const data = dataDir();
  const credentials = dataDir();
  const vision = {} as Parameters<typeof findVisionSecret>[0]['vision'];
  const none = (): string => {
    try {
      return findVisionSecret({ vision, data }, credentials);
    } catch (thrown) {
      return (thrown as QuanweiError).code;
    }
  };
  expect(none()).toBe('BAD_CONFIG');
  writeFileSync(join(credentials, 'vision.secret'), '');
  expect(none(), 'the unit’s empty default').toBe('BAD_CONFIG');
  writeFileSync(join(credentials, 'vision.secret'), 'from-systemd-1\n');
  chmodSync(credentials, 0o700);
  expect(findVisionSecret({ vision, data }, credentials)).toBe('from-systemd-1');
  expect(findVisionSecret({ vision: { ...vision, secret: 'given-secret-1' }, data }, credentials)).toBe(
    'given-secret-1',
  );
});

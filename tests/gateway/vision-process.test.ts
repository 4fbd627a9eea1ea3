import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dataDir } from '../support/data-dir.ts';
import { WALL } from '../support/fence.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';
import { freePort } from '../support/ports.ts';
import { VisionProcess } from '../support/vision-process.ts';
import { eventually, gatewayOf, openAlarms } from './compound.ts';

function film(): string {
  const file = join(dataDir(), 'film.mp4');
  const source = ['-f', 'lavfi', '-i', 'testsrc=size=320x180:rate=10', '-t', '6'];
  const codec = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '10', '-pix_fmt', 'yuv420p'];
  execFileSync('ffmpeg', ['-v', 'error', '-nostdin', ...source, ...codec, file]);
  return file;
}

interface Device {
  readonly id: string;
  readonly state: { readonly online: boolean | null; readonly firmware: string | null };
}

async function online(gateway: GatewayProcess, id: string): Promise<boolean | null> {
  const { devices } = (await gateway.api('/api/devices')) as { devices: Device[] };
  return devices.find((one) => one.id === id)?.state.online ?? null;
}

test('the vision process logs in, its cameras are online, it says which models are missing, and it stops when told', async () => {
  const gateway = await gatewayOf({
    cameras: [
      {
        id: 'cam-film',
        url: film(),
        fences: [WALL],
      },
      { id: 'cam-away', url: '/no/such/film.mp4' },
    ],
    vision: { listen: `http://127.0.0.1:${await freePort()}` },
  });
  await gateway.start();
  // No models on this machine, as far as this process knows.
  const vision = new VisionProcess(gateway, { QUANWEI_MODELS_DIR: dataDir() });
  await vision.start();
  await eventually(
    async () => (await online(gateway, 'vision-1')) && (await online(gateway, 'cam-film')),
    'both online',
  );
  // One that has never been seen is not in service yet.
  expect(await online(gateway, 'cam-away')).toBe(null);
  const degraded = await eventually(
    async () => (await openAlarms(gateway)).find(({ category }) => category === 'device.degraded'),
    'missing models are an alarm',
  );
  expect(degraded).toMatchObject({ device: 'vision-1', detail: { condition: 'models' } });
  expect(String(degraded.detail['reason'])).toContain('nanodet');

  // However it was started, what it does comes after what the gateway does.
  expect(getPriority(vision.pid) - getPriority(gateway.pid)).toBeGreaterThanOrEqual(10);

  // A snapshot by the gateway's ordinary command lands in the media store.
  expect(existsSync(join(gateway.data, 'media'))).toBe(true);

  expect(await vision.end('SIGTERM'), 'it stops by itself, and its children with it').toBe(0);
}, 90_000);

import { pino } from 'pino';
import sharp from 'sharp';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Camera } from '../../src/config/cameras.ts';
import { SystemClock } from '../../src/kernel/clock.ts';
import { WatchedCamera } from '../../src/vision/camera.ts';
import { openCamera } from '../../src/vision/camera-parts.ts';
import { Evidence } from '../../src/vision/evidence/evidence.ts';
import { MediaStore } from '../../src/vision/evidence/media-store.ts';
import { PictureHealth } from '../../src/vision/health/picture-health.ts';
import type { CameraStatus } from '../../src/vision/report/message.ts';
import { dataDir } from '../support/data-dir.ts';
import { serveOnvif } from '../support/onvif.ts';
import { freePort } from '../support/ports.ts';
import { canServeRtsp, serveRtsp } from '../support/rtsp.ts';
import { busy, numbered } from './capture/clips.ts';

const clock = new SystemClock();
const log = pino({ level: 'silent' });

/** A camera as the vision process has it, with nobody who looks for people. */
async function watched(url: string): Promise<{ camera: WatchedCamera; told: CameraStatus[] }> {
  const settings = { keepFor: 86_400_000, limit: 1_000_000_000, minFree: 0 };
  const store = await MediaStore.open({ ...settings, data: dataDir(), clock, log, trouble: () => undefined });
  onTestFinished(() => store.close());
  const evidence = new Evidence({ store, clock, log, clip: { before: 1_000, after: 1_000 } });
  const pictureHealth = new PictureHealth();
  const hooks = { newId: () => 'event', tell: () => undefined, health: () => undefined, pictureHealth };
  const config = Camera.parse({ id: 'cam-1', url });
  const opened = openCamera(
    config,
    hooks,
    { people: null, faces: null, close: async () => undefined },
    { timezone: 'UTC', evidence, before: 1_000, clock, log, random: Math.random },
  );
  const told: CameraStatus[] = [];
  const camera = new WatchedCamera({
    config,
    ...opened,
    clock,
    log,
    status: (status) => told.push(status),
    health: () => undefined,
  });
  onTestFinished(() => camera.stop());
  return { camera, told };
}

const soon = { timeout: 20_000, interval: 50 };

describe.runIf(canServeRtsp())('a camera of which only the ONVIF address is known', () => {
  const user = 'viewer';
  const password = 'p@ss w/rd';
  const credentials = 'viewer:p%40ss%20w%2Frd';
  const film = { file: busy('1280x720', 4), also: { '/sub': numbered('640x360', 4) }, user, password };

  test('is online with its small stream, shows its large one, and is asked anew when its streams have moved', async () => {
    let server = await serveRtsp(film);
    const { host, asked } = await serveOnvif({ user, password, rtsp: () => server.port });
    const { camera, told } = await watched(`onvif://${credentials}@${host}`);
    await expect.poll(() => camera.status.state, soon).toBe('online');
    expect(camera.status).toMatchObject({ address: host });
    await expect.poll(() => camera.newest.at, soon).not.toBeNull();
    expect(await sharp((await camera.newest.get())?.jpeg).metadata()).toMatchObject({ width: 640, height: 360 });
    const codec = await new Promise((resolve) => {
      const leave = camera.live('main').join({ begin: resolve, data: () => true, end: resolve });
      onTestFinished(leave);
    });
    expect(codec).toMatch(/^avc1\./);

    const before = asked.length;
    await server.kill();
    await expect.poll(() => camera.status.state, soon).toBe('offline');
    server = await serveRtsp(film);
    await expect.poll(() => camera.status.state, soon).toBe('online');
    expect(asked.slice(before)).toContain('GetStreamUri');
    expect(JSON.stringify(told)).not.toMatch(/p@ss|p%40ss/);
  }, 60_000);

  test('with a wrong password is offline for that reason', async () => {
    const { host } = await serveOnvif({ user, password });
    const { camera } = await watched(`onvif://viewer:wrong@${host}`);
    await expect.poll(() => camera.status, soon).toMatchObject({ reason: 'wrong user name or password' });
    expect(camera.status.state).toBe('offline');
  });
});

test('a camera that is not there is offline with the reason', async () => {
  const { camera } = await watched(`onvif://a:b@127.0.0.1:${await freePort()}`);
  await expect.poll(() => camera.status.reason, soon).toMatch(/not to be reached/);
  expect(camera.status.state).toBe('offline');
});

test('a camera that takes a question and never answers holds nobody up: it can be let go of at once', async () => {
  let ask: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => {
    ask = resolve;
  });
  const { host } = await serveOnvif({ user: 'a', password: 'b', instead: () => ask() });
  const { camera } = await watched(`onvif://a:b@${host}`);
  const end = new Promise((resolve) => {
    camera.live('main').join({ begin: () => undefined, data: () => true, end: resolve });
  });
  await asked;
  const begun = performance.now();
  await camera.stop();
  await end;
  // The question itself is given up after 5 s.
  expect(performance.now() - begun).toBeLessThan(2_500);
});

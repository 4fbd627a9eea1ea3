import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { Camera } from '../../src/config/cameras.ts';
import { SystemClock } from '../../src/kernel/clock.ts';
import { idSource } from '../../src/kernel/ids.ts';
import { openCamera } from '../../src/vision/camera-parts.ts';
import { fileOf } from '../../src/vision/capture/address.ts';
import type { Frame } from '../../src/vision/capture/source.ts';
import { Evidence } from '../../src/vision/evidence/evidence.ts';
import { MediaStore } from '../../src/vision/evidence/media-store.ts';
import { PictureHealth } from '../../src/vision/health/picture-health.ts';
import { dataDir } from '../support/data-dir.ts';
import { serveOnvif } from '../support/onvif.ts';
import { canServeRtsp, serveRtsp } from '../support/rtsp.ts';
import { numbered } from './capture/clips.ts';

const nothing = (): void => undefined;

test.skipIf(!canServeRtsp())('a camera that is known by ONVIF is analysed by its smaller stream', async () => {
  const [clock, log] = [new SystemClock(), pino({ level: 'silent' })];
  const served = await serveRtsp({
    file: numbered('640x360', 4),
    path: '/main',
    also: { '/sub': numbered('320x180', 4) },
  });
  const { host } = await serveOnvif({ user: 'admin', password: 'secret', rtsp: () => served.port });
  const store = await MediaStore.open({
    ...{ data: dataDir(), clock, log, keepFor: 60_000, limit: 1e9, minFree: 0, trouble: nothing },
  });
  onTestFinished(() => store.close());
  const evidence = new Evidence({ store, clock, log, clip: { before: 1_000, after: 1_000 } });
  const pictureHealth = new PictureHealth();
  const { source, looks } = openCamera(
    Camera.parse({ id: 'cam', url: `onvif://admin:secret@${host}` }),
    { newId: idSource(clock), tell: nothing, health: nothing, pictureHealth },
    { people: null, faces: null, close: async () => undefined },
    {
      timezone: 'Asia/Shanghai',
      evidence,
      before: 1_000,
      clock,
      log,
      random: Math.random,
    },
  );
  onTestFinished(async () => {
    await source.stop();
    for (const look of looks) await look.close?.();
  });
  const state = await new Promise((resolve) => source.start({ frame: nothing, state: resolve }));
  expect(state).toMatchObject({ state: 'online', width: 320, height: 180 });
  // What is told of its picture is known to whoever starts it anew.
  const black = { width: 80, height: 45, data: new Uint8Array(80 * 45) };
  for (let t = 0; t <= 20_000; t += 1_000) {
    for (const look of looks) await look.frame({ grey: black, mono: t } as unknown as Frame);
  }
  expect(pictureHealth.active).toEqual(['dark']);
});

test('a video in a camera’s place may have any name', () => {
  expect(fileOf('/视频/a b.mp4')).toBe('/视频/a b.mp4');
  expect(fileOf('file:///%E8%A7%86%E9%A2%91/a%20b.mp4')).toBe('/视频/a b.mp4');
  expect(fileOf('file:///视频/100%.mp4')).not.toBe(null);
  expect(fileOf('rtsp://camera/1')).toBe(null);
});

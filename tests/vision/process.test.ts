import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { Camera, Vision as Section } from '../../src/config/cameras.ts';
import { SystemClock } from '../../src/kernel/clock.ts';
import { idSource } from '../../src/kernel/ids.ts';
import type { OpenedCamera } from '../../src/vision/camera-parts.ts';
import { BUILT_IN_MODELS, loadModels } from '../../src/vision/models/catalogue.ts';
import { ModelStore } from '../../src/vision/models/store.ts';
import { Vision, type VisionSettings } from '../../src/vision/process.ts';
import { LiveStream } from '../../src/vision/serve/live-stream.ts';
import { NewestPicture } from '../../src/vision/serve/newest-picture.ts';
import { dataDir } from '../support/data-dir.ts';
import { freePort } from '../support/ports.ts';

const clock = new SystemClock();
const log = pino({ level: 'silent' });

/** A camera that is on line at once and shows nothing. */
function opened(): OpenedCamera {
  const live = () => new LiveStream(() => ({ stop: async () => undefined }), clock);
  return {
    source: {
      start: ({ state }) => state({ state: 'online', width: 640, height: 360, fps: 5, codec: 'h264' }),
      shed: 0,
      stop: async () => undefined,
    },
    looks: [],
    newest: new NewestPicture(async () => Buffer.of()),
    live: { main: live(), sub: live() },
  };
}

test('a camera whose parts cannot be put together blinds none of the others, and is tried again', async () => {
  const cameras = ['cam-1', 'cam-2', 'cam-3'].map((id) => Camera.parse({ id, url: 'rtsp://nowhere/1' }));
  const settings: VisionSettings = {
    cameras,
    vision: Section.parse({ listen: `http://127.0.0.1:${await freePort()}` }),
    timezone: 'UTC',
  };
  const data = dataDir();
  let broken = true;
  const vision = await Vision.start({
    ...{ settings, reload: () => settings, data, clock, log, random: Math.random, newId: idSource(clock) },
    broker: { url: `mqtt://127.0.0.1:${await freePort()}`, id: 'vision-1', secret: 'a-secret-of-the-test' },
    ...{ token: 'token', version: '0', catalogue: loadModels([BUILT_IN_MODELS]), store: new ModelStore(data) },
    open: ({ id }) => {
      if (id === 'cam-2' && broken) throw new Error('too many open files');
      return opened();
    },
    media: { keepFor: 86_400_000, limit: 1_000_000_000, minFree: 0 },
    hasEvidence: () => false,
  });
  onTestFinished(() => vision.close());
  const states = () => Object.fromEntries(vision.views().map(({ id, state, reason }) => [id, [state, reason]]));
  expect(states()).toEqual({
    'cam-1': ['online', null],
    'cam-2': ['offline', 'too many open files'],
    'cam-3': ['online', null],
  });
  broken = false;
  await vision.order({ v: 1, id: 'reload-1', command: 'reload' });
  expect(states()).toMatchObject({ 'cam-2': ['online', null] });
});

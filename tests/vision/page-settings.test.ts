import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { VisionLink } from '../../src/api/vision-link.ts';
import { GatewayConfig } from '../../src/config/schema.ts';
import { SystemClock } from '../../src/kernel/clock.ts';
import { idSource } from '../../src/kernel/ids.ts';
import { createLog } from '../../src/kernel/log.ts';
import type { PictureHealth } from '../../src/vision/health/picture-health.ts';
import type { WantedModel } from '../../src/vision/models/catalogue.ts';
import { BUILT_IN_MODELS, loadModels } from '../../src/vision/models/catalogue.ts';
import type { ModelFile } from '../../src/vision/models/entry.ts';
import { ModelStore } from '../../src/vision/models/store.ts';
import { Vision } from '../../src/vision/process.ts';
import { LiveStream } from '../../src/vision/serve/live-stream.ts';
import { NewestPicture } from '../../src/vision/serve/newest-picture.ts';
import { dataDir } from '../support/data-dir.ts';
import { WALL } from '../support/fence.ts';
import { freePort } from '../support/ports.ts';
import { TestBroker } from './report/broker.ts';

const clock = new SystemClock();
const log = createLog('test', 'silent');

/** Calls `looked` before it says that it has no models. */
class EmptyStore extends ModelStore {
  readonly #looked: () => Promise<void>;

  constructor(directory: string, looked: () => Promise<void>) {
    super(directory);
    this.#looked = looked;
  }

  override async open(model: WantedModel): Promise<ModelFile> {
    await this.#looked();
    return super.open(model);
  }
}

/**
 * A vision process whose cameras only say how they were opened.
 * @param starting called in the middle of its start, with the way to it
 */
async function vision(
  data: string,
  broker: TestBroker,
  starting: (link: VisionLink) => Promise<void> = () => Promise.resolve(),
) {
  const port = await freePort();
  const link = new VisionLink({ url: `http://127.0.0.1:${port}`, token: 'token' });
  const { cameras, vision: settings } = GatewayConfig.parse({
    site: { id: 'garden', name: '花园', street: 'east' },
    cameras: [
      { id: 'cam-1', url: '/a.mp4', width: 320 },
      { id: 'cam-2', url: '/b.mp4', fences: [WALL] },
    ],
    vision: { listen: `http://127.0.0.1:${port}` },
  });
  const opened: string[] = [];
  const healths: PictureHealth[] = [];
  const told = { cameras, vision: settings, timezone: 'Asia/Shanghai' };
  const nothing = () => new LiveStream(() => ({ stop: () => Promise.resolve() }), clock);
  const it = await Vision.start({
    settings: told,
    reload: () => told,
    broker: { url: broker.url, id: 'vision-1', secret: 'a-secret-1' },
    ...{ token: 'token', data, version: '0.0.0', clock, log, newId: idSource(clock), random: Math.random },
    catalogue: loadModels([BUILT_IN_MODELS]),
    store: new EmptyStore(data, () => starting(link)),
    open: ({ id, fps, width }, { pictureHealth }) => {
      healths.push(pictureHealth);
      opened.push(`${id} ${width} ${fps}`);
      return {
        source: { start: () => undefined, shed: 0, stop: () => Promise.resolve(void opened.push(`${id} ends`)) },
        looks: [],
        newest: new NewestPicture(() => Promise.resolve(Buffer.alloc(0))),
        live: { main: nothing(), sub: nothing() },
      };
    },
    media: { keepFor: 1e9, limit: 1e9, minFree: 0 },
    hasEvidence: () => false,
  });
  let over = false;
  const close = async () => {
    if (!over) await it.close();
    over = true;
  };
  onTestFinished(close);
  return { opened, healths, close, link };
}

const sent = (version: string, fps: number) => JSON.stringify({ version, cameras: { 'cam-1': { fps }, stranger: {} } });

test('settings of the page restart their camera alone, and the next start has them without the gateway', async () => {
  const broker = await TestBroker.start();
  const data = dataDir();
  const first = await vision(data, broker);
  expect(first.opened).toEqual(['cam-1 320 5', 'cam-2 640 5']);
  await first.link.settings(sent('one', 9));
  await expect.poll(async () => (await first.link.state())?.settings).toBe('one');
  expect(first.opened.slice(2)).toEqual(['cam-1 ends', 'cam-1 320 9']);
  // It goes on knowing what it is used to see: a camera that was turned away is not forgotten with a new fence.
  expect(first.healths.map((one) => first.healths.indexOf(one))).toEqual([0, 1, 0]);
  // The same again is no news.
  await first.link.settings(sent('one', 9));
  await expect(first.link.settings(sent('two', 99))).rejects.toMatchObject({ code: 'CAMERA_UNAVAILABLE' });
  expect((await first.link.state())?.settings).toBe('one');
  expect(first.opened).toHaveLength(4);
  await first.close();

  await broker.down();
  const second = await vision(data, broker);
  expect(second.opened).toEqual(['cam-1 320 9', 'cam-2 640 5']);
  await second.link.settings(JSON.stringify({ version: 'three', cameras: {} }));
  await expect.poll(() => second.opened.at(-1)).toBe('cam-1 320 5');
});

test('settings that come while it starts wait for it: no camera is watched twice, and all of them end with it', async () => {
  const { opened, close, link } = await vision(dataDir(), await TestBroker.start(), (to) =>
    to.settings(sent('one', 9)).then(() => undefined),
  );
  await expect.poll(async () => (await link.state())?.settings).toBe('one');
  const watched = () =>
    opened.filter((what) => !what.endsWith('ends')).length - opened.filter((what) => what.endsWith('ends')).length;
  expect(watched(), opened.join(', ')).toBe(2);
  await close();
  expect(watched(), opened.join(', ')).toBe(0);
});

test('kept settings that are broken leave the file’s in use', async () => {
  const broker = await TestBroker.start();
  const data = dataDir();
  await (await vision(data, broker)).close();
  writeFileSync(join(data, 'vision', 'settings.json'), '{"version":"one","cameras":{"cam-1":{"fps":');
  expect((await vision(data, broker)).opened).toEqual(['cam-1 320 5', 'cam-2 640 5']);
});

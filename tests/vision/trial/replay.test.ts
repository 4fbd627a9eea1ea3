import { beforeAll, expect, test } from 'vitest';
import { GatewayConfig } from '../../../src/config/schema.ts';
import { SystemClock, wallMs } from '../../../src/kernel/clock.ts';
import { createLog } from '../../../src/kernel/log.ts';
import { forkChild, type Launch } from '../../../src/vision/inference/launch.ts';
import { BUILT_IN_MODELS, loadModels } from '../../../src/vision/models/catalogue.ts';
import { ModelStore, modelsDirectory } from '../../../src/vision/models/store.ts';
import { replay } from '../../../src/vision/trial/replay.ts';
import { canCompose, clip, fencesOf } from '../../support/footage.ts';
import { model } from '../../support/vision-material.ts';

const possible = await canCompose();

beforeAll(async () => {
  for (const id of ['nanodet', 'movenet-lightning']) await model(id);
}, 600_000);

/** The real child, ended by the system when it is given its n-th picture: as where memory runs out. */
const mortal =
  (pictures: number): Launch =>
  (events) => {
    const child = forkChild(events);
    let given = 0;
    return {
      pid: child.pid,
      kill: () => child.kill(),
      send: (message) => {
        child.send(message);
        if (message.type !== 'load' && ++given === pictures) child.kill();
      },
    };
  };

test.runIf(possible)(
  'models that end on the way are an error, never footage in which nothing would be raised',
  async () => {
    const footage = await clip('climb-brick-150');
    const config = GatewayConfig.parse({
      site: { id: 'garden', name: '花园', street: 'east' },
      cameras: [{ id: 'cam-1', url: footage.file, fences: fencesOf(footage) }],
    });
    const [camera] = config.cameras;
    if (camera === undefined) throw new Error('there is no camera');
    const frames: number[] = [];
    const told: string[] = [];
    const tried = (stop?: AbortController) =>
      replay({
        ...{ video: footage.file, camera, timezone: 'UTC', begins: wallMs(0), clock: new SystemClock() },
        catalogue: loadModels([BUILT_IN_MODELS]),
        store: new ModelStore(modelsDirectory()),
        log: createLog('test', 'silent'),
        launch: mortal(3),
        frame: ({ t }) => {
          frames.push(t);
          stop?.abort();
        },
        ...(stop === undefined ? {} : { signal: stop.signal }),
        event: ({ type }) => {
          told.push(type);
          return Promise.resolve();
        },
      });
    await expect(tried()).rejects.toMatchObject({ code: 'VISION_DEGRADED', message: expect.stringMatching(/models/) });
    expect(told).toEqual([]);
    expect(frames.at(-1), 'it does not go on blind').toBeLessThan(footage.truth.seconds - 1);
    // Who stops it has not lost anything.
    expect(await tried(new AbortController())).toMatchObject({ frames: 1 });
  },
  60_000,
);

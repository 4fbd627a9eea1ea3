import { expect, test } from 'vitest';
import { createLog } from '../../src/kernel/log.ts';
import { Newest } from '../../src/vision/capture/delivery.ts';
import { Overload } from '../../src/vision/overload.ts';
import { stage, turn } from './inference/scripted-child.ts';

const CAMERAS = 16;
/** One picture in so many ms: forty a second, where sixteen cameras send eighty. */
const RUN_MS = 25;
const SENT_MS = 200;

/** Cameras before one child, as the vision process has them: each waits for its answer and keeps its newest frame. */
async function watching() {
  const on = await stage();
  const done = new Array<number>(CAMERAS).fill(0);
  const newest = done.map(
    (_, n) =>
      new Newest<Uint8Array>(
        async (picture) => {
          if ((await on.inference.run('persons', 'p', picture, `cam-${n}`)) !== null) done[n] = (done[n] ?? 0) + 1;
        },
        () => undefined,
        createLog('test', 'silent'),
      ),
  );
  const told: [boolean, string][] = [];
  const work = () => ({
    done: done.reduce((a, b) => a + b, 0),
    shed: newest.reduce((sum, { shed }) => sum + shed, 0) + on.inference.counts.shed,
  });
  const overload = new Overload(on.clock, work, (active, reason) => told.push([active, reason]));
  const waited: number[] = [];
  /** @param cameras how many of them send */
  const pass = async (seconds: number, cameras: number): Promise<void> => {
    for (let ms = 0; ms < seconds * 1_000; ms += RUN_MS) {
      for (let n = 0; n < cameras; n++) {
        if ((ms / RUN_MS + n) % (SENT_MS / RUN_MS) === 0) newest[n]?.offer(new Uint8Array(32 * 32 * 3));
      }
      await turn();
      on.child().answer();
      await turn();
      waited.push(on.inference.pending);
      await on.clock.advance(RUN_MS);
    }
  };
  return { done, told, waited, pass, stop: () => overload.stop() };
}

test('sixteen cameras where eight can be done: each gets its share, nothing piles up, it is told once, and its end', async () => {
  const { done, told, waited, pass, stop } = await watching();
  await pass(35, CAMERAS);
  expect(Math.min(...done) / Math.max(...done), `${done}`).toBeGreaterThan(0.9);
  expect(
    done.reduce((a, b) => a + b, 0),
    'the child is never idle',
  ).toBeGreaterThan(0.95 * 35 * 40);
  expect(Math.max(...waited), 'one of each camera at most').toBeLessThanOrEqual(CAMERAS);
  expect(told).toEqual([[true, expect.stringMatching(/^(4\d|5\d) % of the pictures are not looked at$/)]]);
  await pass(45, 4);
  expect(told.slice(1)).toEqual([[false, expect.any(String)]]);
  stop();
});

test('as many cameras as can be done: nothing is told', async () => {
  const { done, told, pass, stop } = await watching();
  await pass(40, 7);
  expect(Math.min(...done.slice(0, 7))).toBeGreaterThanOrEqual(40 * 5 - 1);
  expect(told).toEqual([]);
  stop();
});

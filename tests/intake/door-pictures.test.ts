import { expect, test } from 'vitest';
import { DoorPictures } from '../../src/intake/door-pictures.ts';
import { createLog } from '../../src/kernel/log.ts';

const log = createLog('test', 'silent');
const picture = (bytes: number): string => `data:image/jpeg;base64,${Buffer.alloc(bytes, 7).toString('base64')}`;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A vision process that takes a picture when it is told to. */
function slow() {
  const waiting: { device: string; bytes: number; take(): void; fail(): void }[] = [];
  const doorPicture = (device: string, _at: number, bytes: Buffer): Promise<void> =>
    new Promise((resolve, reject) =>
      waiting.push({ device, bytes: bytes.length, take: resolve, fail: () => reject(new Error('away')) }),
    );
  return { waiting, pictures: new DoorPictures({ taker: { doorPicture }, log }) };
}

test('four pictures are under way at most, the rest is dropped and counted, and there is room again when one is done', async () => {
  const { waiting, pictures } = slow();
  for (let n = 0; n < 7; n += 1) pictures.offer(`door-${n}`, 0, picture(100));
  expect(waiting, 'nothing happens while the message is still being answered').toEqual([]);
  await turn();
  expect(waiting.map(({ device, bytes }) => [device, bytes])).toEqual([0, 1, 2, 3].map((n) => [`door-${n}`, 100]));
  expect(pictures.counts).toEqual({ pictures: 0, picturesDropped: 3, picturesFailed: 0 });
  waiting[0]?.take();
  waiting[1]?.fail();
  await turn();
  pictures.offer('door-8', 0, picture(5));
  pictures.offer('door-9', 0, picture(5));
  pictures.offer('door-10', 0, picture(5));
  await turn();
  expect(waiting.slice(4).map(({ device }) => device)).toEqual(['door-8', 'door-9']);
  expect(pictures.counts).toEqual({ pictures: 1, picturesDropped: 4, picturesFailed: 1 });
});

test('two megabytes are taken, a byte more is not, nor what holds no base64', async () => {
  const { waiting, pictures } = slow();
  const most = 2 * 1024 * 1024;
  pictures.offer('door', 0, picture(most));
  for (const bad of [picture(most + 1), picture(3 * most), 'data:image/jpeg;base64,', '%%%']) {
    pictures.offer('door', 0, bad);
    await turn();
  }
  expect(waiting.map(({ bytes }) => bytes)).toEqual([most]);
  expect(pictures.counts.picturesDropped).toBe(4);
});

import { pino } from 'pino';
import { expect, test } from 'vitest';
import { Camera } from '../../src/config/cameras.ts';
import { FaceOpening } from '../../src/doors/face-opening.ts';
import { SystemClock } from '../../src/kernel/clock.ts';

test('a door that faces shall open and that there is not is told at the start', async () => {
  const said: { camera: string; door: string }[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void said.push(JSON.parse(line)) });
  const camera = (id: string, opens: string) => Camera.parse({ id, url: 'rtsp://nowhere/1', faces: { opens } });
  const opening = new FaceOpening({
    journal: { append: async () => [], follow: () => ({ cancel: () => undefined }) },
    doors: {
      open: () => Promise.reject(new Error('nobody came')),
      list: () => [{ id: 'gate-west', name: '西门', place: '', connected: true, last: null }],
    },
    cameras: [camera('cam-gate', 'gate-west'), camera('cam-yard', 'gate-east')],
    clock: new SystemClock(),
    log,
  });
  opening.start();
  await opening.stop();
  expect(said.map((one) => [one.camera, one.door])).toEqual([['cam-yard', 'gate-east']]);
});

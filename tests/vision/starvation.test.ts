import { getPriority } from 'node:os';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { Camera } from '../../src/config/cameras.ts';
import { SimulatedClock } from '../../src/kernel/clock.ts';
import { WatchedCamera } from '../../src/vision/camera.ts';
import { Program } from '../../src/vision/capture/program.ts';
import type { Frame, SourceEvents } from '../../src/vision/capture/source.ts';
import type { HealthEvent } from '../../src/vision/event.ts';
import type { LiveStream } from '../../src/vision/serve/live-stream.ts';
import { NewestPicture } from '../../src/vision/serve/newest-picture.ts';

/** A camera whose decoder gives what the test says, by a clock of the test. */
function watched() {
  const clock = new SimulatedClock();
  const told: HealthEvent[] = [];
  let events: SourceEvents | null = null;
  const source = {
    shed: 0,
    start: (given: SourceEvents) => {
      events = given;
    },
    stop: async () => undefined,
  };
  const live = { stop: async () => undefined } as LiveStream;
  const camera = new WatchedCamera({
    ...{
      config: Camera.parse({ id: 'gate', url: 'rtsp://camera/1' }),
      source,
      looks: [],
      live: { main: live, sub: live },
    },
    ...{ newest: new NewestPicture(async () => Buffer.alloc(0)), clock, log: pino({ level: 'silent' }) },
    status: () => undefined,
    health: (event) => told.push(event),
  });
  onTestFinished(() => camera.stop());
  const picture = { width: 1, height: 1, data: new Uint8Array(3) };
  /** @param every ms between two pictures @param shed of each so many one is looked at */
  const pass = (seconds: number, every: number, shed = 1): void => {
    for (let n = 1; n * every <= seconds * 1_000; n += 1) {
      clock.advance(every);
      const times = { n, t: 0, mono: clock.mono(), wall: clock.wall() };
      if (n % shed !== 0) source.shed += 1;
      else void events?.frame({ picture, input: picture, grey: picture, ...times } as Frame);
    }
  };
  const state: SourceEvents['state'] = (now) => events?.state(now);
  const online = () => state({ state: 'online', width: 640, height: 360, fps: 5, codec: 'h264' });
  return { told: () => told.splice(0).map(({ active, reason }) => [active, reason]), pass, state, online, shed: 0 };
}

test('a decoder that gives fewer pictures than were asked of it is told after half a minute, and that it gives enough again', () => {
  const { told, pass, online } = watched();
  online();
  pass(60, 200);
  expect(told(), 'five a second').toEqual([]);
  pass(20, 1_000);
  expect(told(), 'not yet').toEqual([]);
  pass(15, 1_000);
  expect(told()).toEqual([[true, expect.stringMatching(/^1\.0 of 5 pictures a second come: this box is too busy/)]]);
  pass(120, 300);
  expect(told(), '3.3 a second is neither').toEqual([]);
  pass(40, 250);
  expect(told()).toEqual([[false, '4.0 of 5 pictures a second come']]);
  pass(120, 300);
  expect(told()).toEqual([]);
});

test('pictures that came and were not looked at are another trouble; a camera that goes away is told as that', () => {
  const { told, pass, state, online } = watched();
  online();
  pass(120, 200, 5);
  expect(told()).toEqual([]);
  pass(60, 1_000);
  expect(told()).toEqual([[true, expect.any(String)]]);
  state({ state: 'offline', reason: 'connection refused' });
  expect(told()).toEqual([[false, 'there is no picture at all']]);
  pass(120, 1_000_000);
  online();
  pass(25, 2_000);
  expect(told(), 'it has only begun').toEqual([]);
});

test('whoever decodes gives way to whoever tells what was seen', async () => {
  const program = new Program('sleep', ['600'], { clock: new SimulatedClock(), pipes: 0 });
  expect(getPriority(program.pid)).toBe(Math.min(19, getPriority() + 3));
  await program.end();
});

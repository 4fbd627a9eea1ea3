import { expect, test } from 'vitest';
import { CameraSettings } from '../../../src/config/cameras.ts';
import { GatewayConfig } from '../../../src/config/schema.ts';
import { SimulatedClock } from '../../../src/kernel/clock.ts';
import { idSource } from '../../../src/kernel/ids.ts';
import type { LaunchTrial, TrialEvents } from '../../../src/vision/trial/launch.ts';
import { Trials } from '../../../src/vision/trial/trials.ts';
import type { TrialTask } from '../../../src/vision/trial/wire.ts';

const GB = 1024 ** 3;
const wall = (y: number) => [
  [0.1, y],
  [0.9, y],
];
const file = { top: wall(0.3), base: wall(0.7), times: [['22:00', '06:00']] };
const draft = CameraSettings.parse({ fps: 7, fences: [{ ...file, id: 'draft' }] });

/** Tries whose process is played by the test. */
function trials({ free = GB } = {}) {
  const clock = new SimulatedClock();
  const config = GatewayConfig.parse({
    site: { id: 'garden', name: '花园', street: 'east' },
    cameras: [{ id: 'cam-1', url: 'rtsp://u:p4ssw0rd@10.0.0.7/1', subUrl: 'rtsp://u:p4ssw0rd@10.0.0.7/2', width: 320 }],
  });
  const tasks: TrialTask[] = [];
  const children: TrialEvents[] = [];
  let ends = 0;
  const launch: LaunchTrial = (task, events) => {
    tasks.push(task);
    children.push(events);
    return {
      pid: 1,
      end: () => {
        ends += 1;
        events.ended('it was ended by SIGTERM');
        return Promise.resolve();
      },
    };
  };
  const it = new Trials({
    settings: () => ({ cameras: config.cameras, vision: config.vision, timezone: 'UTC' }),
    ...{ launch, priority: 15, clock, newId: idSource(clock), freeMemory: () => free },
  });
  const start = (begins: number | null = null) =>
    it.start({ camera: 'cam-1', settings: draft, video: '/film.mp4', begins });
  return { it, clock, tasks, children, start, ends: () => ends };
}

test('what is tried is the draft over the file’s camera, without its address; schedules count only with a time', () => {
  const { tasks, children, start } = trials();
  start();
  expect(JSON.stringify(tasks)).not.toContain('p4ssw0rd');
  expect(tasks[0]?.camera).toMatchObject({ width: 320, fps: 7, fences: [{ id: 'draft', times: [] }] });
  children[0]?.message({ type: 'done', seconds: 3, cut: false });
  children[0]?.ended('it ended with 0');
  const night = Date.UTC(2026, 5, 1, 23);
  expect(start(night)).toMatchObject({ begins: night, state: 'running' });
  expect(tasks[1]).toMatchObject({ begins: night, camera: { fences: [{ times: [['22:00', '06:00']] }] } });
});

test('a second one waits until the process of the first is gone, not only its last word', () => {
  const { children, start } = trials();
  start();
  expect(() => start()).toThrow(expect.objectContaining({ code: 'TOO_MANY' }));
  children[0]?.message({ type: 'done', seconds: 3, cut: false });
  expect(() => start()).toThrow(expect.objectContaining({ code: 'TOO_MANY' }));
  children[0]?.ended('it ended with 0');
  expect(start().state).toBe('running');
});

test('nobody asks for a minute and a half: it is given up; asked all the time, after ten minutes', async () => {
  const { it, clock, start, ends } = trials();
  const { id } = start();
  clock.advance(80_000);
  expect(it.view(id).state).toBe('running');
  clock.advance(95_000);
  expect(it.view(id).state).toBe('left');
  const second = start();
  for (let minute = 0; minute < 11; minute += 1) {
    clock.advance(60_000);
    it.view(second.id);
  }
  expect([it.view(second.id).state, ends()]).toEqual(['late', 2]);
  clock.advance(16 * 60_000);
  expect(() => it.view(second.id)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
});

test('where memory is short nothing is tried; a process that falls over is a failure that is said', () => {
  expect(() => trials({ free: 100_000_000 }).start()).toThrow(expect.objectContaining({ code: 'VISION_DEGRADED' }));
  const { it, children, start } = trials();
  const { id } = start();
  children[0]?.ended('it was ended by SIGKILL');
  expect(it.view(id)).toMatchObject({ state: 'failed', problem: { message: 'it was ended by SIGKILL' } });
});

test('a try is known under its own camera only, and its footage is in use until no process is left', async () => {
  const { it, children, start } = trials();
  const { id } = start();
  const event = { t: 1, type: 'climb', zone: 'draft', track: 1, direction: null, box: null } as const;
  children[0]?.message({ type: 'event', event, jpeg: new Uint8Array([7]) });
  const gone = expect.objectContaining({ code: 'NOT_FOUND' });
  expect(() => it.view(id, 'cam-2')).toThrow(gone);
  expect(() => it.picture(id, 0, 'cam-2')).toThrow(gone);
  await expect(it.cancel(id, 'cam-2')).rejects.toEqual(gone);
  expect([it.view(id, 'cam-1').state, it.picture(id, 0, 'cam-1')]).toEqual(['running', new Uint8Array([7])]);
  expect([it.plays('/film.mp4'), it.plays('/other.mp4')]).toEqual([true, false]);
  await it.cancel(id, 'cam-1');
  expect(it.plays('/film.mp4')).toBe(false);
});

test('events beyond what is kept are counted, and people by their tracks', () => {
  const { it, children, start } = trials();
  const { id } = start();
  const event = { t: 1, type: 'climb', zone: 'draft', track: 1, direction: null, box: null } as const;
  for (let i = 0; i < 103; i += 1) children[0]?.message({ type: 'event', event, jpeg: new Uint8Array([i]) });
  const counts = { frames: 1, detected: 1, poses: 0 };
  for (const track of [1, 2, 1])
    children[0]?.message({ type: 'frame', t: 1, counts, people: [[1, track, 0, 0, 1, 1]] });
  expect(it.view(id)).toMatchObject({ more: 3, people: 2, sightings: null });
  expect(it.view(id).events).toHaveLength(100);
  expect(it.picture(id, 99)).toEqual(new Uint8Array([99]));
});

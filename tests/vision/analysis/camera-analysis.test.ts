import { describe, expect, test } from 'vitest';
import { Camera } from '../../../src/config/cameras.ts';
import { monoMs, wallMs } from '../../../src/kernel/clock.ts';
import { QuanweiError } from '../../../src/kernel/errors.ts';
import { CameraAnalysis, type EventContext } from '../../../src/vision/analysis/camera-analysis.ts';
import type { Frame } from '../../../src/vision/capture/source.ts';
import type { IntrusionEvent } from '../../../src/vision/event.ts';
import type { Found, Inference, Task } from '../../../src/vision/inference/inference.ts';
import type { Keypoint } from '../../../src/vision/picture.ts';
import { type Moment, path, seen } from '../rules/people.ts';

const SIZE = { width: 640, height: 360 };
const INPUT = { width: 416, height: 256 };
/** 640×360 in 416×256: scaled by 0.65, 11 px from the top. */
const SCALE = 0.65;
const TOP = 11;

const across = (y: number) => [
  [0.05, y],
  [0.95, y],
];
const FENCE = { id: 'east', top: across(0.389), base: across(0.722) };
const ALL = [
  [0, 0],
  [1, 0],
  [1, 1],
  [0, 1],
];

/** Answers as models would that see these people; what is asked is counted. */
class SeeingInference implements Inference {
  readonly counts = { done: 0, shed: 0, failed: 0, restarts: 0 };
  readonly degraded = null;
  people: readonly Moment[] = [];
  fails: QuanweiError | 'shed' | null = null;
  asked: string[] = [];
  score = 0.7;

  async run<T extends Task>(task: T, _model: string, input: Uint8Array, _source: string): Promise<Found[T] | null> {
    this.asked.push(task);
    if (this.fails instanceof QuanweiError) throw this.fails;
    if (this.fails === 'shed') return null;
    const everybody = this.people.map((moment) => seen(0, moment));
    if (task === 'persons') {
      expect(input.length).toBe(INPUT.width * INPUT.height * 3);
      const found = everybody.map(({ box }) => ({
        x1: box.x1 * SCALE,
        x2: box.x2 * SCALE,
        y1: box.y1 * SCALE + TOP,
        y2: box.y2 * SCALE + TOP,
        score: this.score,
      }));
      return found as unknown as Found[T];
    }
    expect(input.length).toBe(192 * 192 * 3);
    // The crop is 1.25 times the longer side around the box's middle, 192 px wide.
    const [{ box, pose }] = everybody as [ReturnType<typeof seen>];
    const side = 1.25 * Math.max(box.x2 - box.x1, box.y2 - box.y1);
    const [left, top] = [(box.x1 + box.x2 - side) / 2, (box.y1 + box.y2 - side) / 2];
    const points: Keypoint[] = (pose ?? []).map(({ x, y, score }) => ({
      x: ((x - left) * 192) / side,
      y: ((y - top) * 192) / side,
      score,
    }));
    return points as unknown as Found[T];
  }

  size(model: string) {
    return model === 'pose' ? { width: 192, height: 192 } : INPUT;
  }

  async close(): Promise<void> {
    this.people = [];
  }
}

const grey = { width: 160, height: 90, data: new Uint8Array(160 * 90) };
const input = { ...INPUT, data: new Uint8Array(INPUT.width * INPUT.height * 3) };
const NOON = Date.UTC(2026, 5, 1, 4);

function frameAt(ms: number, wall = NOON + ms, brightness = 120, size = SIZE): Frame {
  const data = new Uint8Array(size.width * size.height * 3).fill(brightness);
  for (let i = 1; i < data.length; i += 3) data[i] = brightness + 20;
  return { n: ms / 200, mono: monoMs(ms), wall: wallMs(wall), t: ms / 1_000, picture: { ...size, data }, input, grey };
}

function rig(camera: object = { fences: [FENCE] }, moves = true) {
  const inference = new SeeingInference();
  const told: { event: IntrusionEvent; context: EventContext }[] = [];
  const state = { moves };
  const faced: (readonly { readonly id: number }[])[] = [];
  const analysis = new CameraAnalysis({
    camera: Camera.parse({ id: 'cam-1', url: 'rtsp://192.0.2.1/1', ...camera }),
    timezone: 'Asia/Shanghai',
    inference,
    detector: { id: 'nanodet', start: 0.4, continue: 0.2 },
    pose: 'pose',
    motion: { moves: () => state.moves },
    faces: { look: (_frame, people) => void faced.push(people) },
    report: (event, context) => void told.push({ event, context }),
  });
  const feed = async (moments: readonly Moment[], from = 0, frame: (ms: number) => Frame = (ms) => frameAt(ms)) => {
    for (const moment of moments) {
      inference.people = [moment];
      await analysis.feed(frame(from + moment.at));
    }
  };
  return { inference, analysis, told, state, faced, feed };
}

const CLIMB = path({ x: 200, y: 264, height: 100 }, [
  { doing: 'walking', seconds: 2, x: 300 },
  { doing: 'climbing', seconds: 2, y: 165 },
  { doing: 'climbing', seconds: 1 },
]);

describe('from frames to events', () => {
  test('a climb is warned of and alarmed once, with the frame and the people it was seen in', async () => {
    const { feed, told, analysis, faced } = rig();
    await feed(CLIMB);
    expect(told.map(({ event }) => [event.camera, event.type, event.zone, event.track])).toEqual([
      ['cam-1', 'climb', 'east', 1],
      ['cam-1', 'cross', 'east', 1],
    ]);
    const [{ context }] = told as [(typeof told)[0]];
    expect(context.frame.t).toBeGreaterThan(2);
    expect(context.people).toHaveLength(1);
    // The box is in pixels of the picture, not of the detector's input.
    expect((context.people[0]?.box.x1 ?? 0) / 280).toBeCloseTo(1, 1);
    expect(analysis.counts).toMatchObject({ frames: CLIMB.length, detected: CLIMB.length, still: 0, shed: 0 });
    expect(faced.at(-1)?.map(({ id }) => id)).toEqual([1]);
  });

  test('the pose is looked at only of who is at a fence', async () => {
    const { feed, inference, analysis } = rig();
    await feed(path({ x: 200, y: 350, height: 60 }, [{ doing: 'walking', seconds: 3, x: 300 }]));
    expect(new Set(inference.asked)).toEqual(new Set(['persons']));
    await feed(CLIMB, 4_000);
    expect(analysis.counts.poses).toBe(CLIMB.length);
    const unfenced = rig({});
    await unfenced.feed(CLIMB);
    expect(new Set(unfenced.inference.asked)).toEqual(new Set(['persons']));
  });

  test('a schedule goes by the frame’s time in the site’s zone', async () => {
    const at = async (wall: string) => {
      const { feed, told } = rig({ fences: [{ ...FENCE, times: [['22:00', '06:00']] }] });
      await feed(CLIMB, 0, (ms) => frameAt(ms, Date.parse(wall) + ms));
      return told.length;
    };
    expect(await at('2026-06-01T12:00:00+08:00')).toBe(0);
    expect(await at('2026-06-01T23:00:00+08:00')).toBe(2);
  });

  test('lines and zones are told as well', async () => {
    const yard = [...across(0.8), [1, 1], [0, 1]];
    const { feed, told } = rig({ lines: [{ points: across(0.8) }], zones: [{ id: 'yard', points: yard }] });
    await feed(path({ x: 300, y: 240, height: 100 }, [{ doing: 'walking', seconds: 4, y: 340 }]));
    expect(told.map(({ event }) => `${event.type} ${event.zone}`).sort()).toEqual(['area yard', 'line line-1']);
  });
});

describe('who is not looked at', () => {
  test('standing in a mask', async () => {
    const { feed, told, analysis } = rig({ fences: [FENCE], masks: [ALL] });
    await feed(CLIMB);
    expect(told).toEqual([]);
    expect(analysis.people).toEqual([]);
  });

  test('smaller than asked for', async () => {
    const { feed, told } = rig({ fences: [FENCE], minHeight: 0.4 });
    await feed(CLIMB);
    expect(told).toEqual([]);
  });

  test('less sure than the threshold of the day; at night its own holds', async () => {
    const seenAt = async (score: number, brightness: number) => {
      const { feed, told, inference, analysis } = rig({ fences: [FENCE], threshold: 0.6, nightThreshold: 0.3 });
      inference.score = score;
      await feed(CLIMB, 0, (ms) => frameAt(ms, NOON + ms, brightness));
      return [analysis.night, told.length];
    };
    expect(await seenAt(0.5, 120)).toEqual([false, 0]);
    expect(await seenAt(0.65, 120)).toEqual([false, 2]);
    expect(await seenAt(0.35, 15)).toEqual([true, 2]);
  });
});

test('nothing of a frame is looked at once it is given back, and what an event was seen in lasts', async () => {
  const { analysis, inference, told } = rig({ fences: [FENCE] });
  const late: number[] = [];
  for (const moment of CLIMB) {
    inference.people = [moment];
    const frame = frameAt(moment.at);
    let over = false;
    const lent = <P extends { readonly data: Uint8Array }>(plane: P): P =>
      Object.defineProperty({ ...plane }, 'data', {
        enumerable: true,
        get: () => {
          if (over) late.push(frame.n);
          return plane.data;
        },
      });
    await analysis.feed({ ...frame, picture: lent(frame.picture), input: lent(frame.input), grey: lent(frame.grey) });
    over = true;
    frame.picture.data.fill(0);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(told).toHaveLength(2);
  for (const { context } of told)
    expect(context.frame.picture.data.subarray(0, 3)).toEqual(Uint8Array.of(120, 140, 120));
  expect(late).toEqual([]);
});

describe('what it costs and what it stands', () => {
  test('when nothing moves and nobody is followed the detector rests; while somebody is followed it goes on', async () => {
    const { feed, analysis, inference, state } = rig({ fences: [FENCE] }, false);
    for (let ms = 0; ms < 2_000; ms += 200) await analysis.feed(frameAt(ms));
    // The very first picture is looked at: somebody may stand there already.
    expect(analysis.counts).toMatchObject({ frames: 10, still: 9, detected: 1 });
    state.moves = true;
    await feed(CLIMB.slice(0, 1), 2_000);
    state.moves = false;
    await feed(CLIMB.slice(1), 2_000);
    expect(analysis.counts.detected).toBe(1 + CLIMB.length);
    inference.people = [];
    for (let ms = 8_000; ms < 12_000; ms += 200) await analysis.feed(frameAt(ms));
    expect(analysis.people).toEqual([]);
    // Two seconds after it was seen last it is forgotten, and then the detector rests again.
    expect(analysis.counts.detected).toBeLessThan(1 + CLIMB.length + 12);
  });

  test('frames that the inference sheds are counted, and people stay who they are', async () => {
    const { analysis, inference, told } = rig();
    for (const moment of CLIMB) {
      inference.people = [moment];
      inference.fails = moment.at % 1_000 === 0 ? 'shed' : null;
      await analysis.feed(frameAt(moment.at));
    }
    expect(analysis.counts.shed).toBeGreaterThan(4);
    expect(told.map(({ event }) => `${event.type} ${event.track}`)).toEqual(['climb 1', 'cross 1']);
  });

  test('while the models do not run, frames are shed; another error is not hidden', async () => {
    const { analysis, inference } = rig();
    inference.fails = new QuanweiError('VISION_DEGRADED', 'given up');
    await analysis.feed(frameAt(0));
    expect(analysis.counts).toMatchObject({ frames: 1, shed: 1, detected: 0 });
    inference.fails = new QuanweiError('NOT_FOUND', 'no such model');
    await expect(analysis.feed(frameAt(200))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('when the stream changes its size, what is drawn goes with it and people are new', async () => {
    const { analysis, inference } = rig({ fences: [FENCE] });
    inference.people = CLIMB.slice(0, 1);
    await analysis.feed(frameAt(0));
    await analysis.feed(frameAt(200));
    expect(analysis.people.map(({ sightings }) => sightings.length)).toEqual([2]);
    await analysis.feed(frameAt(400, NOON, 120, { width: 1_280, height: 720 }));
    expect(analysis.people.map(({ sightings }) => sightings.length)).toEqual([1]);
    expect((analysis.people[0]?.last.box.y2 ?? 0) / 528).toBeCloseTo(1, 1);
  });
});

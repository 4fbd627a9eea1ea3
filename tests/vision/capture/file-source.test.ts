import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { SystemClock } from '../../../src/kernel/clock.ts';
import { FileSource, type FileSourceOptions } from '../../../src/vision/capture/file-source.ts';
import type { Frame, SourceState } from '../../../src/vision/capture/source.ts';
import { dataDir } from '../../support/data-dir.ts';
import { busy, made, numbered, numberOf } from './clips.ts';

const quiet = pino({ level: 'silent' });

function play(
  path: string,
  receive: (frame: Frame) => void | Promise<void>,
  more: Partial<FileSourceOptions> = {},
): { source: FileSource; states: SourceState[]; over: Promise<SourceState> } {
  const source = new FileSource({
    ...{ path, choice: { fps: 5 }, pace: 'full', width: 640, input: { width: 416, height: 256 } },
    ...{ clock: new SystemClock(), log: quiet },
    ...more,
  });
  const states: SourceState[] = [];
  const over = new Promise<SourceState>((resolve) => {
    source.start({
      frame: receive,
      state(state) {
        states.push(state);
        if (state.state !== 'online') resolve(state);
      },
    });
  });
  onTestFinished(() => source.stop());
  return { source, states, over };
}

const centre = ({ width, height }: { width: number; height: number }, channels: number) =>
  channels * (Math.floor(height / 2) * width + Math.floor(width / 2));

describe('footage at full speed', () => {
  test('gives each moment with all three planes of that same moment, and its place in the footage', async () => {
    const seen: { n: number; t: number; planes: number[] }[] = [];
    const { over, states } = play(numbered('1280x720', 4), (frame) => {
      const { picture, input, grey } = frame;
      expect(picture).toMatchObject({ width: 640, height: 360 });
      expect(picture.data).toHaveLength(640 * 360 * 3);
      expect(input).toMatchObject({ width: 416, height: 256 });
      expect(input.data[0]).toBe(0); // the letterbox’s bar
      expect(grey.data).toHaveLength(160 * 90);
      seen.push({
        n: frame.n,
        t: frame.t,
        planes: [
          numberOf(picture.data, centre(picture, 3)),
          numberOf(input.data, centre(input, 3)),
          numberOf(grey.data, centre(grey, 1)),
        ],
      });
    });
    expect(await over).toEqual({ state: 'ended' });
    expect(states[0]).toEqual({ state: 'online', width: 1280, height: 720, fps: 5, codec: 'h264', seconds: 4 });
    expect(seen.map(({ n }) => n)).toEqual(Array.from({ length: 20 }, (_, n) => n));
    expect(seen.map(({ t }) => t)).toEqual(Array.from({ length: 20 }, (_, n) => n / 5));
    for (const { planes } of seen) expect(new Set(planes).size).toBe(1);
    const numbers = seen.map(({ planes }) => planes[0] as number);
    // Every fifth one; the fps filter takes the nearest, which may be two frames before or after.
    for (const [n, number] of numbers.entries()) expect(Math.abs(number - 5 * n)).toBeLessThanOrEqual(2);
  });

  test('waits for a slow receiver, loses nothing, and has only one frame under way', async () => {
    let under = 0;
    let most = 0;
    const numbers: number[] = [];
    const { over, source } = play(
      numbered('160x120', 4),
      async (frame) => {
        under += 1;
        most = Math.max(most, under);
        await new Promise((resolve) => setTimeout(resolve, 3));
        numbers.push(numberOf(frame.grey.data));
        under -= 1;
      },
      { choice: { every: 1 } },
    );
    expect(await over).toEqual({ state: 'ended' });
    expect(most).toBe(1);
    expect(numbers).toEqual(Array.from({ length: 100 }, (_, n) => n));
    expect(source.shed).toBe(0);
  });

  test('takes every n-th frame as it is in the file, so that numbers of frames keep their meaning', async () => {
    const numbers: number[] = [];
    const { over } = play(numbered('160x120', 4), (frame) => void numbers.push(numberOf(frame.grey.data)), {
      choice: { every: 7 },
    });
    await over;
    expect(numbers).toEqual([0, 7, 14, 21, 28, 35, 42, 49, 56, 63, 70, 77, 84, 91, 98]);
  });

  test('keeps the shape, makes even sides, never enlarges; a film turned by a quarter stands upright', async () => {
    const sizes: string[] = [];
    const note = (frame: Frame) => void sizes.push(`${frame.picture.width}x${frame.picture.height}`);
    const short = (size: string) => numbered(size, 0.2);
    await play(short('352x288'), note).over;
    await play(short('1366x768'), note).over;
    const turned = made('turned.mp4', '-i', busy('640x360', 1), '-c', 'copy', '-metadata:s:v:0', 'rotate=90');
    await play(turned, note, { choice: { every: 25 } }).over;
    expect(sizes).toEqual(['352x288', '640x360', '360x640']);
  });

  test('ends with the error of a receiver that fails', async () => {
    const { over } = play(numbered('160x120', 4), async ({ n }) => {
      if (n === 3) throw new Error('no more of this');
    });
    expect(await over).toEqual({ state: 'offline', reason: 'no more of this' });
  });
});

test.each([
  ['text', 'not a video at all\n'.repeat(500)],
  ['nothing', ''],
])('a file with %s in it is offline with a reason, and nothing is left running', async (_, content) => {
  const path = join(dataDir(), 'broken.mp4');
  writeFileSync(path, content);
  expect(await play(path, () => undefined).over).toMatchObject({
    state: 'offline',
    reason: expect.stringMatching(/decoded/),
  });
});

test.each(['full', 'native'] as const)(
  'at %s pace a frame stays as it is while it is looked at; then its memory is used again',
  async (pace) => {
    const memory = new Set<ArrayBufferLike>();
    const torn: number[] = [];
    const sumOf = ({ picture, input, grey }: Frame) =>
      [picture, input, grey].map(({ data }) => createHash('md5').update(data).digest('hex')).join();
    let looked = 0;
    const { over } = play(
      numbered('160x120', 2),
      async (frame) => {
        for (const { data } of [frame.picture, frame.input, frame.grey]) memory.add(data.buffer);
        const before = sumOf(frame);
        // Longer than a frame lasts, shorter, not at all.
        await new Promise((resolve) => setTimeout(resolve, [90, 10, 0][frame.n % 3]));
        if (sumOf(frame) !== before) torn.push(frame.n);
        looked += 1;
      },
      { pace, choice: { every: 1 } },
    );
    await over;
    expect(torn).toEqual([]);
    expect(looked).toBeGreaterThan(10);
    // Three planes each; when this machine is busy several frames come at once, and some memory is new.
    expect(memory.size).toBeLessThan(2 * looked);
  },
);

test('a receiver that is too slow for the pace of a camera sees the newest frames; the others are counted', async () => {
  const seen: number[] = [];
  const { over, source } = play(
    numbered('160x120', 2),
    async (frame) => {
      seen.push(frame.n);
      await new Promise((resolve) => setTimeout(resolve, 300));
    },
    { pace: 'native', choice: { fps: 15 } },
  );
  await over;
  await new Promise((resolve) => setTimeout(resolve, 350));
  expect(source.shed).toBeGreaterThan(10);
  expect(seen.length + source.shed).toBe(30);
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
});

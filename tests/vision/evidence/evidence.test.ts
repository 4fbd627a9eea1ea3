import { type ChildProcess, spawn as spawnProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import sharp from 'sharp';
import { describe, expect, onTestFinished, test } from 'vitest';
import { SimulatedClock } from '../../../src/kernel/clock.ts';
import { isMediaReference } from '../../../src/kernel/media.ts';
import type { Spawn } from '../../../src/vision/capture/program.ts';
import type { Ring } from '../../../src/vision/capture/ring.ts';
import { Evidence, type Occasion } from '../../../src/vision/evidence/evidence.ts';
import { type About, MediaStore, type MediaStoreOptions } from '../../../src/vision/evidence/media-store.ts';
import { canMount, smallDisk } from '../../journal/mount.ts';
import { dataDir } from '../../support/data-dir.ts';
import { busy, numbered } from '../capture/clips.ts';
import { asSent, play, ringOf } from './recording.ts';

const log = pino({ level: 'silent' });
const DAY = 86_400_000;
const MiB = 1024 * 1024;

async function storeIn(data: string, clock: SimulatedClock, more: Partial<MediaStoreOptions> = {}) {
  const troubles: (string | null)[] = [];
  const store = await MediaStore.open({
    ...{ data, clock, log, keepFor: 30 * DAY, limit: 1e9, minFree: 0 },
    trouble: (reason) => troubles.push(reason),
    ...more,
  });
  onTestFinished(() => store.close());
  return { store, troubles };
}

const about = (clock: SimulatedClock, more: Partial<About> = {}): About => ({
  ...{ wall: clock.wall(), camera: 'gate', event: '0190-1', what: 'plain' },
  ...more,
});

const names = (data: string): string[] =>
  (readdirSync(join(data, 'media'), { recursive: true }) as string[])
    .filter((path) => /\.(jpg|mp4)$/.test(path))
    .sort();

function occasion(clock: SimulatedClock, ring: Ring | null, more: Partial<Occasion> = {}): Occasion {
  return {
    ...{ camera: 'gate', event: '0190-1', mono: clock.mono(), wall: clock.wall(), ring },
    picture: { width: 640, height: 360, data: new Uint8Array(640 * 360 * 3).fill(90) },
    boxes: [{ x1: 100, y1: 50, x2: 200, y2: 300 }],
    ...more,
  };
}

describe('evidence', () => {
  test('two pictures at once, two large ones afterwards, one of each with boxes; the clip when it is over; digests are those of the files', async () => {
    const data = dataDir();
    const clock = new SimulatedClock();
    const { store } = await storeIn(data, clock);
    const ring = ringOf(clock);
    const sent = asSent(numbered('1280x720', 2));
    play(ring, clock, sent);
    const evidence = new Evidence({ store, clock, log, clip: { before: 1_000, after: 1_000 } });
    const kept = await evidence.keep(occasion(clock, ring));
    play(ring, clock, sent.slice(0, 26));
    const [better, clip] = [await kept.better, await kept.clip];
    expect([...kept.pictures, ...better].map(({ kind }) => kind)).toEqual(Array(4).fill('picture'));
    expect(clip?.kind).toBe('clip');
    for (const { ref, sha256 } of [...kept.pictures, ...better, ...(clip === null ? [] : [clip])]) {
      expect(isMediaReference(ref)).toBe(true);
      expect(
        createHash('sha256')
          .update(readFileSync(join(data, ref)))
          .digest('hex'),
      ).toBe(sha256);
    }
    const red = async (file: string, width: number) => {
      const pixels = await sharp(file).raw().toBuffer();
      let count = 0;
      // Along the right edge of the box, at x = 200 and y = 50 to 300 of 640×360.
      for (let y = 0; y < (width * 9) / 16; y += 1) {
        const at = 3 * (y * width + Math.round((200 * width) / 640));
        const [r = 0, g = 0, b = 0] = pixels.subarray(at, at + 3);
        if (r > 200 && g < 110 && b < 110) count += 1;
      }
      return (count * 640) / width;
    };
    for (const [pictures, width] of [
      [kept.pictures, 640],
      [better, 1280],
    ] as const) {
      const [marked = '', plain = ''] = pictures.map(({ ref }) => join(data, ref));
      expect(await sharp(plain).metadata()).toMatchObject({ width, height: (width * 9) / 16, format: 'jpeg' });
      expect(await red(marked, width)).toBeGreaterThan(225);
      expect(await red(plain, width)).toBeLessThan(50);
    }
  });

  test('an alarm waits for no picture of the main stream, whatever that does', async () => {
    const clock = new SimulatedClock();
    const { store } = await storeIn(dataDir(), clock);
    const ring = { cut: () => ({ codec: 'h264', pictures: 3, bytes: [new Uint8Array(9)] }), clip: async () => null };
    // One that reads nothing and says nothing.
    const children: ChildProcess[] = [];
    const spawn: Spawn = (_command, _args, options) => {
      children.push(spawnProcess('sleep', ['600'], options));
      return children.at(-1) as ChildProcess;
    };
    const lines: string[] = [];
    const telling = pino({ level: 'info' }, { write: (line) => void lines.push(line) });
    const evidence = new Evidence({ store, clock, log: telling, clip: { before: 500, after: 1_000 }, spawn });
    const kept = await evidence.keep(occasion(clock, ring as unknown as Ring));
    expect(kept.pictures).toHaveLength(2);
    clock.advance(29_000);
    expect(children.map(({ killed }) => killed)).toEqual([false]);
    clock.advance(1_000);
    expect(children.map(({ killed }) => killed)).toEqual([true]);
    expect(await kept.better).toEqual([]);
    expect(lines.join()).toContain('ffmpeg was not done within 30 s');
  });

  test('without a recording the analysed picture is kept; a warning and its alarm share one clip', async () => {
    const data = dataDir();
    const clock = new SimulatedClock();
    const { store } = await storeIn(data, clock);
    const evidence = new Evidence({ store, clock, log, clip: { before: 500, after: 1_000 } });
    const none = await evidence.keep(occasion(clock, null));
    expect(await none.clip).toBeNull();
    const [, plain] = none.pictures;
    expect(await sharp(join(data, plain?.ref ?? '')).metadata()).toMatchObject({ width: 640, height: 360 });
    const ring = ringOf(clock);
    const sent = asSent(busy('640x360', 4));
    play(ring, clock, sent.slice(0, 50));
    const warn = await evidence.keep(occasion(clock, ring, { event: 'warn' }));
    play(ring, clock, sent.slice(50, 60));
    const alarm = await evidence.keep(occasion(clock, ring, { event: 'alarm' }));
    play(ring, clock, sent.slice(60));
    expect(await alarm.clip).toEqual(await warn.clip);
    expect(names(data).filter((name) => name.endsWith('.mp4'))).toHaveLength(1);
  });

  test('a recording that cannot be decoded costs the large picture, not the alarm', async () => {
    const data = dataDir();
    const clock = new SimulatedClock();
    const { store } = await storeIn(data, clock);
    const ring = {
      cut: () => ({ codec: 'h264', pictures: 3, bytes: [new Uint8Array(9_000)] }),
      clip: async () => null,
    };
    const evidence = new Evidence({ store, clock, log, clip: { before: 500, after: 1_000 } });
    const kept = await evidence.keep(occasion(clock, ring as unknown as Ring));
    expect(kept.pictures).toHaveLength(2);
    expect(await kept.better).toEqual([]);
    expect(await kept.clip).toBeNull();
  });
});

describe('the store', () => {
  test('a name is safe whatever it is made of', async () => {
    const data = dataDir();
    const clock = new SimulatedClock();
    const { store } = await storeIn(data, clock);
    for (const evil of ['../../etc/passwd', 'a..b', '', '.', 'x'.repeat(500), 'a\0b', '门口']) {
      const { ref } = await store.put(about(clock, { camera: evil, event: evil }), Buffer.from('x'));
      expect(isMediaReference(ref)).toBe(true);
      expect(existsSync(join(data, ref))).toBe(true);
    }
  });

  test('what is too old goes, what is too much goes, the oldest first; a clock that was never set removes nothing', async () => {
    const data = dataDir();
    const clock = new SimulatedClock();
    const { store } = await storeIn(data, clock, { keepFor: 3 * DAY, limit: 5_000 });
    const kept: string[] = [];
    for (let n = 0; n < 6; n += 1) {
      kept.push((await store.put(about(clock, { event: `e${n}` }), Buffer.alloc(900))).ref);
      clock.advance(DAY / 2);
    }
    await store.tidy();
    const left = () => names(data).map((name) => `media/${name}`);
    expect(left()).toEqual(kept.slice(1)); // six are more than 5,000 bytes
    clock.setState('unsynced');
    clock.advance(10 * DAY);
    await store.tidy();
    expect(left()).toEqual(kept.slice(1));
    clock.setState('synced');
    clock.stepWall(clock.wall() - 9 * DAY);
    await store.tidy();
    expect(left().length).toBeGreaterThan(0);
    expect(left().length).toBeLessThan(5);
    expect(kept.slice(-left().length)).toEqual(left());
    expect(store.bytes).toBe(900 * left().length);
  });

  test('after a start it knows what there is, and leaves nothing half written behind', async () => {
    const data = dataDir();
    const clock = new SimulatedClock();
    const first = await storeIn(data, clock);
    await first.store.put(about(clock), Buffer.alloc(1_000));
    mkdirSync(join(data, 'media', '.parts'), { recursive: true });
    writeFileSync(join(data, 'media', '.parts', '1-0-half.jpg'), 'half');
    const { store } = await storeIn(data, clock);
    expect(store.bytes).toBe(1_000);
    expect(existsSync(join(data, 'media', '.parts', '1-0-half.jpg'))).toBe(false);
    await expect(
      store.make(about(clock, { event: 'broken' }), async (part) => {
        writeFileSync(part, 'half');
        throw new Error('cut off');
      }),
    ).rejects.toThrow('cut off');
    expect(names(data)).toHaveLength(1);
  });
});

/** Another program takes all there is. */
function fill(file: string): void {
  try {
    for (;;) appendFileSync(file, Buffer.alloc(4_096));
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: 'ENOSPC' });
  }
}

describe.runIf(canMount())('on a full disk', () => {
  test('the alarm goes out without evidence, it is told once, and it goes on by itself', async () => {
    const data = smallDisk(4);
    const clock = new SimulatedClock();
    const { store, troubles } = await storeIn(data, clock);
    const evidence = new Evidence({ store, clock, log, clip: { before: 500, after: 1_000 } });
    fill(join(data, 'somebody-elses'));
    for (let n = 0; n < 3; n += 1) expect((await evidence.keep(occasion(clock, null))).pictures).toEqual([]);
    expect(troubles).toEqual(['the disk has no room for evidence']);
    writeFileSync(join(data, 'somebody-elses'), '');
    expect((await evidence.keep(occasion(clock, null))).pictures).toHaveLength(2);
    expect(troubles).toEqual(['the disk has no room for evidence', null]);
    expect(readdirSync(join(data, 'media', '.parts'))).toEqual([]);
  });

  test('the room that is kept for the journal stays free: old evidence goes, then there is none', async () => {
    const data = smallDisk(8);
    const clock = new SimulatedClock();
    const { store, troubles } = await storeIn(data, clock, { minFree: 4 * MiB });
    const refs: string[] = [];
    for (let n = 0; n < 10; n += 1) {
      clock.advance(1_000);
      refs.push((await store.put(about(clock, { event: `e${n}`, wall: clock.wall() }), Buffer.alloc(MiB))).ref);
    }
    expect(existsSync(join(data, refs.at(-1) ?? ''))).toBe(true);
    expect(existsSync(join(data, refs[0] ?? ''))).toBe(false);
    expect(store.bytes).toBeLessThanOrEqual(5 * MiB);
    writeFileSync(join(data, 'somebody-elses'), Buffer.alloc(3 * MiB));
    await store.tidy();
    writeFileSync(join(data, 'somebody-elses'), Buffer.alloc(4.5 * MiB));
    await expect(store.put(about(clock), Buffer.alloc(10))).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    expect(troubles).toHaveLength(1);
    writeFileSync(join(data, 'somebody-elses'), '');
    clock.advance(60_000);
    await store.tidy();
    expect(troubles.at(-1)).toBeNull();
  });
});

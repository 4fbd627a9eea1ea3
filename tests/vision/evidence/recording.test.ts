import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { type MonoMs, monoMs, SimulatedClock, SystemClock } from '../../../src/kernel/clock.ts';
import type { Cut } from '../../../src/vision/capture/ring.ts';
import { stillOf, writeClip } from '../../../src/vision/evidence/film.ts';
import { dataDir } from '../../support/data-dir.ts';
import { busy, numbered, numberOf } from '../capture/clips.ts';
import { asSent, play, ringOf } from './recording.ts';

const real = { clock: new SystemClock() };
const cutAt = (ring: ReturnType<typeof ringOf>, from: number, to: number): Cut => {
  const cut = ring.cut(monoMs(from), monoMs(to));
  if (cut === null) throw new Error('nothing there');
  return cut;
};

test.each(['h264', 'hevc'] as const)(
  '%s: a still is of the moment that was asked for, as large as it was sent',
  async (codec) => {
    const clock = new SimulatedClock();
    const ring = ringOf(clock);
    play(ring, clock, asSent(numbered('640x360', 4, codec)));
    for (const at of [2_040, 2_480, 3_960]) {
      const still = await stillOf(cutAt(ring, at, at), real);
      const { data, info } = await sharp(still).greyscale().raw().toBuffer({ resolveWithObject: true });
      expect(info).toMatchObject({ width: 640, height: 360 });
      expect(Math.abs(numberOf(data) - (at / 40 - 1))).toBeLessThanOrEqual(1);
    }
  },
);

test.each(['h264', 'hevc'] as const)(
  '%s: a clip has the seconds that were asked for, from the key frame before, copied, index first',
  async (codec) => {
    const clock = new SimulatedClock();
    const ring = ringOf(clock, 64e6, 1_000);
    const sent = asSent(numbered('640x360', 4, codec));
    play(ring, clock, sent.slice(0, 60));
    const wanted = ring.clip(monoMs(clock.mono() - 1_000), monoMs(clock.mono() + 1_000));
    play(ring, clock, sent.slice(60));
    const cut = await wanted;
    const path = join(dataDir(), 'clip.mp4');
    await writeClip(cut as Cut, path, real);
    const about = JSON.parse(
      execFileSync('ffprobe', [
        '-v',
        'error',
        '-count_packets',
        '-show_streams',
        '-show_format',
        '-of',
        'json',
        path,
      ]).toString(),
    );
    const [stream] = about.streams;
    expect(stream).toMatchObject({ codec_name: codec, codec_tag_string: codec === 'h264' ? 'avc1' : 'hvc1' });
    // Pictures 34 to 84, from the key frame at 25.
    expect(Number(stream.nb_read_packets)).toBe(85 - 25);
    expect(Number(about.format.duration)).toBeCloseTo(60 / 25, 1);
    const bytes = readFileSync(path);
    expect(bytes.indexOf('moov')).toBeLessThan(bytes.indexOf('mdat'));
    const of = (file: string) =>
      execFileSync('ffmpeg', ['-v', 'error', '-i', file, '-map', '0:v', '-f', 'framemd5', '-']).toString();
    const digests = (text: string) => text.split('\n').flatMap((line) => line.match(/[0-9a-f]{32}$/)?.[0] ?? []);
    expect(digests(of(path))).toEqual(digests(of(numbered('640x360', 4, codec))).slice(25, 85));
  },
);

test('the ring keeps its seconds and not more, also when a clip holds it, and never more than its bytes', async () => {
  const clock = new SimulatedClock();
  const sent = asSent(busy('640x360', 4));
  const ring = ringOf(clock, 64e6, 1_000);
  const second = sent.slice(0, 25).reduce((sum, { length }) => sum + length, 0);
  for (let n = 0; n < 10; n += 1) play(ring, clock, sent);
  expect(ring.bytes).toBeLessThan(4 * second);
  const wanted = ring.clip(clock.mono(), monoMs(clock.mono() + 8_000));
  play(ring, clock, [...sent, ...sent].slice(0, 199));
  expect(ring.bytes).toBeGreaterThan(6 * second);
  play(ring, clock, sent);
  expect((await wanted)?.pictures).toBeGreaterThanOrEqual(200);
  play(ring, clock, sent);
  expect(ring.bytes).toBeLessThan(4 * second);

  const small = ringOf(clock, 2 * second, 60_000);
  for (let n = 0; n < 5; n += 1) {
    play(small, clock, sent);
    expect(small.bytes).toBeLessThanOrEqual(2 * second);
  }
});

test('a stream that begins anew is not put together with the one before; one that ends gives what there is', async () => {
  const clock = new SimulatedClock();
  const ring = ringOf(clock);
  const sent = asSent(busy('640x360', 4));
  play(ring, clock, sent);
  ring.push(null);
  expect(ring.cut(0 as MonoMs, clock.mono())).toBeNull();
  play(ring, clock, sent.slice(10, 60)); // begins between two key frames
  const cut = cutAt(ring, 0, clock.mono());
  expect(cut.pictures).toBe(35);
  const wanted = ring.clip(monoMs(clock.mono() - 500), monoMs(clock.mono() + 10_000));
  clock.advance(13_000);
  expect((await wanted)?.pictures).toBeGreaterThan(10);
});

test('bytes that are no transport stream do no harm', () => {
  const clock = new SimulatedClock();
  const ring = ringOf(clock, 1e6);
  let seed = 1;
  for (let n = 0; n < 200; n += 1) {
    const noise = Uint8Array.from({ length: 1 + ((n * 997) % 5_000) }, () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return n % 3 === 0 && seed % 5 === 0 ? 0x47 : seed >> 16;
    });
    ring.push(noise);
    expect(ring.bytes).toBeLessThanOrEqual(1e6);
  }
});

import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { monoMs, SimulatedClock } from '../../../src/kernel/clock.ts';
import type { FaceEvent } from '../../../src/vision/event.ts';
import { matchPicture } from '../../../src/vision/faces/door-picture.ts';
import { judge } from '../../../src/vision/faces/enrolment.ts';
import { gradeOf } from '../../../src/vision/faces/quality.ts';
import { type Face, type FaceReader, surroundings } from '../../../src/vision/faces/reader.ts';
import { cosine, Roster } from '../../../src/vision/faces/roster.ts';
import { type FaceSettings, FaceWatch } from '../../../src/vision/faces/watch.ts';
import { loadPicture } from '../../../src/vision/images.ts';
import type { ForkedInference } from '../../../src/vision/inference/forked.ts';
import { overlap, type Picture } from '../../../src/vision/picture.ts';
import { faces as samples } from '../../support/vision-material.ts';
import { realReader } from './real.ts';

let reader: FaceReader;
let inference: ForkedInference;
let files: string[];
/** Of sample1.jpg and sample4.jpg. */
let first: { picture: Picture; faces: Face[] };
let fourth: { picture: Picture; faces: Face[] };

const read = async (picture: Picture): Promise<Face[]> => (await reader.read(picture, 'test')) ?? [];
const image = ({ width, height, data }: Picture) => sharp(data, { raw: { width, height, channels: 3 } });
const part = async (picture: Picture, left: number, top: number, width: number, height: number): Promise<Picture> =>
  loadPicture(await image(picture).extract({ left, top, width, height }).png().toBuffer());
const scaled = async (picture: Picture, width: number): Promise<Picture> =>
  loadPicture(await image(picture).resize(width).png().toBuffer());

beforeAll(async () => {
  files = await samples();
  ({ reader, inference } = await realReader());
  const of = async (file: string) => {
    const picture = await loadPicture(file);
    return { picture, faces: await read(picture) };
  };
  first = await of(files[0] as string);
  fourth = await of(files[3] as string);
}, 180_000);

afterAll(() => inference?.close());

describe('faces in a picture', () => {
  test('are all found, with a sharp look at each', () => {
    expect([first.faces.length, fourth.faces.length]).toEqual([3, 4]);
    for (const { score, quality, embedding, points, box } of [...first.faces, ...fourth.faces]) {
      expect(score).toBeGreaterThan(0.9);
      expect(quality.height).toBeGreaterThan(200);
      expect(Math.hypot(...embedding)).toBeCloseTo(1, 5);
      const [left, right, nose, mouth] = points as { x: number; y: number }[];
      expect(left?.x).toBeLessThan(right?.x ?? 0);
      expect(nose?.y).toBeLessThan(mouth?.y ?? 0);
      expect(box.x1).toBeLessThan(nose?.x ?? 0);
    }
  });

  test('of different people are not alike', () => {
    const all = [...first.faces, ...fourth.faces];
    const pairs = all.flatMap((a, i) => all.slice(0, i).map((b) => cosine(a.embedding, b.embedding)));
    expect(Math.max(...pairs)).toBeLessThan(0.45);
  });

  test('are the same ones after re-encoding: cosine at least .98', async () => {
    const again = [
      await image(first.picture).jpeg({ quality: 70 }).toBuffer(),
      await image(first.picture).webp({ quality: 80 }).toBuffer(),
      await image(first.picture).rotate(90).withMetadata({ orientation: 8 }).jpeg({ quality: 90 }).toBuffer(),
    ];
    for (const bytes of again) {
      const found = await read(await loadPicture(bytes));
      expect(found.length).toBe(3);
      for (const face of first.faces) {
        const same = found.find((other) => overlap(other.box, face.box) > 0.7);
        expect(cosine(face.embedding, same?.embedding ?? new Float32Array(512))).toBeGreaterThanOrEqual(0.98);
      }
    }
  });

  test('that fill a photo of 112 × 112 or 250 × 250 are found', async () => {
    for (const face of first.faces) {
      const side = Math.round((face.box.y2 - face.box.y1) * 1.05);
      const [left, top] = [
        Math.round((face.box.x1 + face.box.x2 - side) / 2),
        Math.round((face.box.y1 + face.box.y2 - side) / 2),
      ];
      const tight = await part(first.picture, left, top, side, side);
      for (const size of [112, 250]) {
        const found = await read(await scaled(tight, size));
        expect(found.length).toBe(1);
        expect(cosine(face.embedding, found[0]?.embedding ?? new Float32Array(512))).toBeGreaterThan(0.8);
      }
    }
  });

  test('of 64 pixels are found in a 4K picture, in the middle of a tile and between tiles', async () => {
    const small = await scaled(first.picture, Math.round((1920 * 66) / 241));
    const png = await image(small).png().toBuffer();
    const places = [
      [60, 80],
      [2_000, 640],
      [3_300, 1_780],
    ] as const;
    const canvas = await sharp({ create: { width: 3_840, height: 2_160, channels: 3, background: '#7b8792' } })
      .composite(places.map(([left, top]) => ({ input: png, left, top })))
      .png()
      .toBuffer();
    const found = (await reader.finder.find(await loadPicture(canvas), 'test')) ?? [];
    const scale = small.width / 1920;
    const expected = places.flatMap(([left, top]) =>
      first.faces.map(({ box }) => ({
        x1: left + box.x1 * scale,
        y1: top + box.y1 * scale,
        x2: left + box.x2 * scale,
        y2: top + box.y2 * scale,
      })),
    );
    for (const box of expected) expect(found.some((face) => overlap(face, box) > 0.4)).toBe(true);
    expect(found.length).toBe(expected.length);
  });

  test('cut by the edge are not fit to be enrolled, and say why', async () => {
    const { box } = first.faces[1] as Face;
    const left = Math.round((box.x1 + box.x2) / 2 + (box.x2 - box.x1) * 0.12);
    const half = await part(first.picture, left, Math.round(box.y1 - 150), 420, 540);
    const found = await read(half);
    const cut = found.filter((face) => face.box.x1 < 10);
    expect(cut.length).toBe(1);
    for (const { quality } of cut) {
      expect(quality.cut).toBeGreaterThan(0.08);
      expect(gradeOf(quality).reasons).toContain('cut');
    }
    const [photo] = judge('p1', [{ name: 'half.jpg', faces: cut }], [], new Roster([], new Float32Array())).photos;
    expect(photo?.accepted).toBe(false);
  });

  test('blurred, dark or small ones are called so', async () => {
    const { box } = first.faces[1] as Face;
    const around = await part(first.picture, Math.round(box.x1 - 80), Math.round(box.y1 - 80), 360, 400);
    const made: Record<string, () => Promise<Buffer>> = {
      blurred: () => image(around).blur(7).png().toBuffer(),
      dark: () => image(around).linear(0.22, 0).png().toBuffer(),
      small: () => image(around).resize(100).png().toBuffer(),
    };
    for (const [reason, make] of Object.entries(made)) {
      const [face] = await read(await loadPicture(await make()));
      expect(face === undefined ? [] : gradeOf(face.quality).reasons).toContain(reason);
    }
  });

  test('nobody is an empty list', async () => {
    const noise = await sharp({
      create: {
        width: 1_280,
        height: 960,
        channels: 3,
        noise: { type: 'gaussian', mean: 128, sigma: 40 },
        background: '#000',
      },
    })
      .png()
      .toBuffer();
    expect(await read(await loadPicture(noise))).toEqual([]);
    await expect(read({ width: 1, height: 1, data: new Uint8Array(3) })).rejects.toMatchObject({
      code: 'BAD_PICTURE',
      message: expect.stringContaining('1×1'),
    });
  });

  test('the crop for liveness lies inside the picture, 2.7 times the box where there is room', () => {
    const picture = { width: 1_000, height: 800, data: new Uint8Array() };
    expect(surroundings(picture, { x1: 450, y1: 350, x2: 550, y2: 470 })).toEqual({
      x1: 365,
      y1: 248,
      x2: 635,
      y2: 572,
    });
    expect(surroundings(picture, { x1: -20, y1: -10, x2: 80, y2: 110 })).toMatchObject({ x1: 0, y1: 0 });
    const large = surroundings(picture, { x1: 100, y1: 50, x2: 700, y2: 750 });
    for (const [low, value, high] of [
      [0, large.x1, 1_000],
      [0, large.y1, 800],
      [0, large.x2, 1_000],
      [0, large.y2, 800.001],
    ] as const) {
      expect(value).toBeGreaterThanOrEqual(low);
      expect(value).toBeLessThanOrEqual(high);
    }
  });
});

describe('at a camera', () => {
  const settings: FaceSettings = { threshold: 0.5, margin: 0.05, minHeight: 64, strangers: false };
  /** A 640 × 480 view of sample1.jpg that wanders, as a person does. */
  const frame = (step: number): Promise<Picture> => scaledView(first.picture, 300 + step * 24, 150 + step * 6);
  const scaledView = async (picture: Picture, left: number, top: number): Promise<Picture> =>
    loadPicture(await image(picture).extract({ left, top, width: 960, height: 720 }).resize(640, 480).png().toBuffer());

  const rosterOf = (people: readonly (readonly [string, Face])[], blocked: string[] = []): Roster => {
    const rows = new Float32Array(people.length * 512);
    people.forEach(([, face], i) => {
      rows.set(face.embedding, i * 512);
    });
    return new Roster(
      people.map(([person]) => person),
      rows,
      new Set(blocked),
    );
  };

  async function watched(roster: Roster, more: Partial<FaceSettings> = {}, frames = 6): Promise<FaceEvent[]> {
    const told: FaceEvent[] = [];
    const watch = new FaceWatch({
      camera: 'cam-1',
      settings: { ...settings, ...more },
      reader,
      roster: () => roster,
      tell: (event) => told.push(event),
    });
    const clock = new SimulatedClock();
    for (let step = 0; step < frames; step += 1) {
      await watch.see(await frame(step), monoMs(clock.mono()));
      clock.advance(200);
    }
    return told;
  }

  test('each resident is told once a visit, strangers not at all unless asked for', async () => {
    const people = [
      ['p1', first.faces[1]],
      ['p2', first.faces[2]],
      ['p9', fourth.faces[0]],
    ] as [string, Face][];
    const told = await watched(rosterOf(people));
    expect(told.map(({ person, result }) => [person, result]).sort()).toEqual([
      ['p1', 'known'],
      ['p2', 'known'],
    ]);
    for (const event of told) {
      expect(event.sightings).toBe(2);
      expect(event.similarity).toBeGreaterThan(0.8);
      expect(event.margin).toBeGreaterThan(0.4);
      expect(event).not.toHaveProperty('live');
    }
  });

  test('a blocked person is told as blocked, an unknown one as a stranger where that is set', async () => {
    const people = [
      ['p1', first.faces[1]],
      ['p9', fourth.faces[0]],
    ] as [string, Face][];
    const told = await watched(rosterOf(people, ['p1']), { strangers: true, liveness: 0 }, 7);
    const results = told.map(({ result }) => result);
    expect(results.filter((result) => result === 'blocked')).toEqual(['blocked']);
    expect(results).toContain('stranger');
    for (const event of told) {
      expect(event.live).toBeGreaterThanOrEqual(0);
      if (event.result === 'stranger') expect(event).not.toHaveProperty('person');
    }
  });

  test('faces lower than the camera asks for are not looked at', async () => {
    expect(await watched(rosterOf([['p1', first.faces[1] as Face]]), { minHeight: 300 }, 4)).toEqual([]);
  });

  test('a picture of a door is compared at once, and a bad one is an error', async () => {
    const roster = rosterOf([
      ['p1', first.faces[1]],
      ['p9', fourth.faces[0]],
    ] as [string, Face][]);
    const given = { reader, roster, rule: settings, source: 'door-1' };
    const { box } = first.faces[1] as Face;
    const jpeg = await image(await part(first.picture, Math.round(box.x1 - 60), Math.round(box.y1 - 60), 320, 360))
      .jpeg()
      .toBuffer();
    expect(await matchPicture(jpeg, given)).toMatchObject({ result: 'known', person: 'p1', live: null });
    const other = fourth.faces[2] as Face;
    const stranger = await image(
      await part(fourth.picture, Math.round(other.box.x1 - 60), Math.max(0, Math.round(other.box.y1 - 60)), 320, 360),
    )
      .jpeg()
      .toBuffer();
    expect(await matchPicture(stranger, given)).toMatchObject({ result: 'stranger', person: null });
    const empty = await sharp({ create: { width: 320, height: 240, channels: 3, background: '#888' } })
      .jpeg()
      .toBuffer();
    expect(await matchPicture(empty, given)).toMatchObject({ result: 'nobody' });
    await expect(matchPicture(jpeg.subarray(0, 900), given)).rejects.toThrow(
      expect.objectContaining({ code: 'BAD_PICTURE' }),
    );
  });
});

import sharp from 'sharp';
import { matchPicture } from '../../src/vision/faces/door-picture.ts';
import { FaceReader } from '../../src/vision/faces/reader.ts';
import { LENGTH, Roster, unit } from '../../src/vision/faces/roster.ts';
import { loadPicture } from '../../src/vision/images.ts';
import type { ForkedInference } from '../../src/vision/inference/forked.ts';
import type { Inference } from '../../src/vision/inference/inference.ts';
import { ort } from '../../src/vision/inference/onnxruntime.ts';
import { dimsOf, filler } from '../../src/vision/inference/tensor.ts';
import { specOf } from '../../src/vision/inference/wire.ts';
import { model, faces as samples } from '../support/vision-material.ts';
import { realReader } from '../vision/faces/real.ts';
import { seeded } from '../vision/faces/support.ts';
import { figure, median, percentile, type Report } from './figure.ts';

const SIZES = [1_000, 20_000, 100_000];
/** A face door’s picture: 640 × 480, one face. */
const DOOR = { left: 180, top: 200, width: 960, height: 720 };

/** Matching among many, beside what reading the same bytes costs; and a face picture from JPEG to match, beside the models. */
export async function faces(report: Report, rounds: number): Promise<void> {
  for (const size of SIZES) oneToMany(report, size, Math.max(5, Math.min(rounds, Math.round(2_000_000 / size))));
  await pictureToMatch(report, rounds);
}

function oneToMany(report: Report, size: number, rounds: number): void {
  const random = seeded(7);
  const rows = new Float32Array(size * LENGTH);
  for (let at = 0; at < rows.length; at += LENGTH) {
    rows.set(unit(Float32Array.from({ length: LENGTH }, () => random() - 0.5)), at);
  }
  const roster = new Roster(
    Array.from({ length: size }, (_, i) => `p${i}`),
    rows,
  );
  const probe = rows.slice(0, LENGTH);
  const copy = new Float32Array(rows.length);
  const ours: number[] = [];
  const sums: number[] = [];
  const copies: number[] = [];
  for (let round = 0; round < rounds + 3; round += 1) {
    const times = [
      timed(() => roster.match(probe)),
      timed(() => {
        // A plain sum over the same bytes; four at a time, as far as one thread of JavaScript goes.
        let [a, b, c, d] = [0, 0, 0, 0];
        for (let i = 0; i < rows.length; i += 4) {
          a += rows[i] as number;
          b += rows[i + 1] as number;
          c += rows[i + 2] as number;
          d += rows[i + 3] as number;
        }
        return a + b + c + d;
      }),
      timed(() => copy.set(rows)),
    ] as const;
    if (round < 3) continue;
    ours.push(times[0]);
    sums.push(times[1]);
    copies.push(times[2]);
  }
  const name = `1:N of ${size} people, exact`;
  report(figure(`${name}, p50`, median(ours), 'ms', 'a plain sum over the same bytes', median(sums)));
  report(figure(`${name}, p50`, median(ours), 'ms', 'copying the same bytes (memory bandwidth)', median(copies)));
  report(figure(`${name}, p95`, percentile(ours, 95), 'ms'));
}

function timed(work: () => unknown): number {
  const begun = performance.now();
  work();
  return performance.now() - begun;
}

async function pictureToMatch(report: Report, rounds: number): Promise<void> {
  const [file] = await samples();
  const jpeg = await sharp(file).extract(DOOR).resize(640, 480).jpeg({ quality: 88 }).toBuffer();
  const { reader, inference } = await realReader();
  const own = await ownTimes(await inputsOf(jpeg, inference));
  try {
    const roster = new Roster(['p1'], new Float32Array(LENGTH).fill(Math.sqrt(1 / LENGTH)));
    const rule = { threshold: 0.5, margin: 0.05 };
    const times: number[] = [];
    const sums: number[] = [];
    for (let round = 0; round < rounds + 5; round += 1) {
      const begun = performance.now();
      const { result } = await matchPicture(jpeg, { reader, roster, rule, source: 'door-1' });
      const ours = performance.now() - begun;
      if (result === 'nobody') throw new Error('the face of the benchmark was not found');
      // Next to each other, so that a busy machine slows both.
      const theirs = await own.run();
      if (round < 5) continue;
      times.push(ours);
      sums.push(theirs);
    }
    const peer = 'the models alone';
    for (const p of [50, 95]) {
      report(figure(`face picture to match p${p}`, percentile(times, p), 'ms', peer, percentile(sums, p)));
    }
  } finally {
    await inference.close();
    await own.close();
  }
}

/** What each model is given for a picture, in turn: an embedding of a plain surface takes two thirds of the time of a face's. */
async function inputsOf(jpeg: Buffer, inference: ForkedInference): Promise<{ id: string; input: Uint8Array }[]> {
  const seen: { id: string; input: Uint8Array }[] = [];
  const watched: Inference = {
    counts: inference.counts,
    degraded: null,
    close: () => inference.close(),
    size: (id) => inference.size(id),
    run: (task, id, input, source) => {
      seen.push({ id, input });
      return inference.run(task, id, input, source);
    },
  };
  const [faces, landmarks, embedding] = [
    await model('fr_detect'),
    await model('fr_landmark'),
    await model('fr_feature'),
  ];
  const reader = new FaceReader(watched, { faces, landmarks, embedding });
  await reader.read(await loadPicture(jpeg), 'door-1', { most: 1 });
  return seen;
}

/** The same runs on ready tensors, in this process and one thread. */
async function ownTimes(
  inputs: readonly { id: string; input: Uint8Array }[],
): Promise<{ run(): Promise<number>; close(): Promise<void> }> {
  const runs = await Promise.all(
    inputs.map(async ({ id, input }) => {
      const spec = specOf(await model(id));
      const session = await ort.InferenceSession.create(spec.file, { intraOpNumThreads: 1, interOpNumThreads: 1 });
      const dims = dimsOf(spec);
      const values = new Float32Array(dims.reduce((all, one) => all * one, 1));
      filler(spec)(input, values);
      return { session, feeds: { [spec.input.name]: new ort.Tensor('float32', values, dims) } };
    }),
  );
  return {
    async run() {
      const begun = performance.now();
      for (const { session, feeds } of runs) await session.run(feeds);
      return performance.now() - begun;
    },
    async close() {
      for (const { session } of runs) await session.release();
    },
  };
}

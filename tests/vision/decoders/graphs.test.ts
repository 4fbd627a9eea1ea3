import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { LoadedModel } from '../../../src/vision/inference/loaded-model.ts';
import { specOf } from '../../../src/vision/inference/wire.ts';
import type { Detection } from '../../../src/vision/picture.ts';
import { frames, model, pedestrians } from '../../support/vision-material.ts';
import { graphOf, type Result, rescaled, tfjsRun, withNumbers } from '../models/reference.ts';

/**
 * What the infer child finds (its filling of the input, ONNX Runtime, its decoder) beside what TensorFlow.js finds with the
 * graph as it was published, on frames of real pedestrians.
 */

const FLOOR = 0.05;

// Set-up has brought the models; where nobody ran it, this takes as long as the download.
beforeAll(async () => {
  for (const id of ['nanodet', 'centernet']) await graphOf(id);
  await pedestrians();
}, 600_000);

/** Everybody down to the floor that the model finds. */
async function found(id: string, shots: readonly Uint8Array[], over: Record<string, number>): Promise<Detection[][]> {
  const loaded = await LoadedModel.load(specOf(await model(id), { floor: FLOOR, ...over }));
  const all: Detection[][] = [];
  for (const shot of shots) all.push((await loaded.run(shot)) as Detection[]);
  return all;
}

const shotsOf = async (width: number, height: number): Promise<Uint8Array[]> =>
  frames(await pedestrians(), { width, height, every: 400, count: 2 });

test('CenterNet: the boxes and scores of the list that the graph makes itself', async () => {
  const [width, height] = [512, 288];
  // Beside the sizes that `rescaled` knows, the graph has the number of its cells written into it.
  const sized = rescaled(await graphOf('centernet'), width, height);
  const graph = withNumbers(sized, 'tower_0/BatchGather/concat', [(width / 4) * (height / 4), 4]);
  const shots = await shotsOf(width, height);
  // The graph's list leaves overlapping boxes in.
  const ours = await found('centernet', shots, { nms: 1 });
  for (const [n, shot] of shots.entries()) {
    const feed = { type: 'float32', shape: [1, height, width, 3], data: Float32Array.from(shot) } as const;
    const [list] = await tfjsRun(graph, { 'tower_0/images': feed }, ['tower_0/detections']);
    const rows = rowsOf(list as Result, 6);
    expect(rows).toHaveLength(100);
    // The hundred are of all classes together: who is weaker than the last of them is not in the list.
    const least = Math.max(FLOOR, ...rows.slice(-1).map(([, , , , score = 0]) => score));
    const people = rows.filter(([, , , , score = 0, kind]) => kind === 0 && score > least + 1e-4);
    expect(people.length, 'there are people in the frame').toBeGreaterThan(3);
    const mine = (ours[n] ?? []).filter(({ score }) => score > least + 1e-4);
    expect(mine).toHaveLength(people.length);
    for (const [i, [x1 = 0, y1 = 0, x2 = 0, y2 = 0, score = 0]] of people.entries()) {
      const box = mine[i] as Detection;
      const cut = [Math.max(0, x1), Math.max(0, y1), Math.min(width, x2), Math.min(height, y2)];
      expect(Math.max(...[box.x1, box.y1, box.x2, box.y2].map((v, k) => Math.abs(v - (cut[k] ?? 0))))).toBeLessThan(
        0.01,
      );
      expect(box.score).toBeCloseTo(score, 4);
    }
  }
});

test('NanoDet: the boxes that TensorFlow.js reads from the graph with operators of its own', async () => {
  const [width, height] = [416, 256];
  const graph = rescaled(await graphOf('nanodet'), width, height);
  const shots = await shotsOf(width, height);
  const ours = await found('nanodet', shots, {});
  for (const [n, shot] of shots.entries()) {
    const names = ['Identity', 'Identity_1', 'Identity_2', 'Identity_3', 'Identity_4', 'Identity_5'];
    const outputs = await tfjsRun(graph, { input_1: await normalised(shot, width, height) }, names);
    const theirs = await readByTfjs(outputs, width, height);
    expect(theirs.length, 'there are people in the frame').toBeGreaterThan(3);
    expect(
      theirs.some(({ score }) => score < 0.2),
      'and weak ones',
    ).toBe(true);
    expect(ours[n]).toHaveLength(theirs.length);
    for (const [i, one] of theirs.entries()) {
      const box = ours[n]?.[i] as Detection;
      for (const side of ['x1', 'y1', 'x2', 'y2'] as const) expect(Math.abs(box[side] - one[side])).toBeLessThan(0.01);
      expect(box.score).toBeCloseTo(one.score, 4);
    }
  }
});

/** BGR planes of (v - mean) / std, by tensor operators. */
async function normalised(rgb: Uint8Array, width: number, height: number) {
  const { mean, std } = (await model('nanodet')).entry.input;
  const tensor = tf.tidy(() => {
    const bgr = tf.reverse(tf.tensor3d(Float32Array.from(rgb), [height, width, 3]), 2);
    return tf.transpose(tf.div(tf.sub(bgr, tf.tensor1d(mean as number[])), tf.tensor1d(std as number[])), [2, 0, 1]);
  });
  const data = (await tensor.data()) as Float32Array;
  tensor.dispose();
  return { type: 'float32', shape: [1, 3, height, width], data } as const;
}

/** Softmax, expectation, centres and suppression by TensorFlow.js; boxes cut at the edge as the house does. */
async function readByTfjs(outputs: readonly Result[], width: number, height: number): Promise<Detection[]> {
  await tf.setBackend('cpu');
  const scores: number[] = [];
  const boxes: number[][] = [];
  for (const [grid, stride] of [8, 16, 32].entries()) {
    const [cells, across] = [(width / stride) * (height / stride), width / stride];
    const sides = tf.tidy(() => {
      const bins = tf.softmax(tf.tensor(Float32Array.from((outputs[grid + 3] as Result).data), [cells, 4, 11]));
      return tf.mul(tf.sum(tf.mul(bins, tf.range(0, 11)), 2), stride);
    });
    const data = await sides.data();
    sides.dispose();
    for (let cell = 0; cell < cells; cell++) {
      const [l = 0, t = 0, r = 0, b = 0] = data.slice(cell * 4, cell * 4 + 4);
      const [x, y] = [((cell % across) + 0.5) * stride, (Math.floor(cell / across) + 0.5) * stride];
      boxes.push([Math.max(0, y - t), Math.max(0, x - l), Math.min(height, y + b), Math.min(width, x + r)]);
      scores.push((outputs[grid] as Result).data[cell * 80] as number);
    }
  }
  const places = await tf.image.nonMaxSuppressionAsync(tf.tensor2d(boxes), tf.tensor1d(scores), 300, 0.55, FLOOR);
  return Array.from(await places.data()).map((at) => {
    const [y1 = 0, x1 = 0, y2 = 0, x2 = 0] = boxes[at] ?? [];
    return { x1, y1, x2, y2, score: scores[at] ?? 0 };
  });
}

const rowsOf = ({ data }: Result, width: number): number[][] =>
  Array.from({ length: data.length / width }, (_, at) => Array.from(data).slice(at * width, (at + 1) * width));

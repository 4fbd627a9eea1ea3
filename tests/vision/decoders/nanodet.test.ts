import { expect, test } from 'vitest';
import type { Output } from '../../../src/vision/decoders/decoder.ts';
import { decoder } from '../../../src/vision/decoders/nanodet.ts';
import { decoderSuite, output } from './decoder-suite.ts';

const model = {
  id: 'test-nanodet',
  width: 96,
  height: 64,
  labels: ['person'],
  thresholds: { start: 0.4, continue: 0.2, nms: 0.55 },
};
const CLASSES = 80;
const BINS = 11;
const STRIDES = [8, 16, 32];
const cellsOf = (stride: number) => (model.width / stride) * (model.height / stride);
const shapes = [...STRIDES.map((s) => [1, cellsOf(s), CLASSES]), ...STRIDES.map((s) => [1, cellsOf(s), 4 * BINS])];

/** Somebody in a cell, with sides so many strides away from its centre. */
function put(outputs: Output[], grid: number, cell: number, score: number, sides: number[], kind = 0): void {
  (outputs[grid] as Output).data[cell * CLASSES + kind] = score;
  for (const [k, side] of sides.entries()) {
    (outputs[grid + 3] as Output).data[(cell * 4 + k) * BINS + side] = 60;
  }
}

const empty = () => shapes.map((dims) => output(dims));

function somebody(): Output[] {
  const outputs = empty();
  put(outputs, 1, 6 + 1, 0.9, [1, 1, 2, 2]);
  put(outputs, 1, 6 + 2, 0.3, [1, 1, 2, 2]);
  put(outputs, 0, 12 * 6 + 10, 0.5, [1, 2, 1, 1]);
  put(outputs, 2, 0, 0.1, [0, 0, 1, 1]);
  return outputs;
}

decoderSuite({ decoder: 'nanodet', task: 'persons', model, shapes, somebody, nobody: empty });

test('a distance is the expectation of its distribution, from the middle of the cell', () => {
  const outputs = empty();
  put(outputs, 1, 6 + 1, 0.9, [1, 0, 2, 2]);
  // Two equal peaks: half way between them.
  const reg = (outputs[4] as Output).data;
  reg[((6 + 1) * 4 + 1) * BINS + 1] = 60;
  const [box] = decoder.prepare(model)(outputs);
  expect(box).toMatchObject({ x1: 24 - 16, y1: 24 - 8, x2: 24 + 32, y2: 24 + 32 });
  expect(box?.score).toBeCloseTo(0.9);
});

test('a box that reaches out is cut at the edge', () => {
  const outputs = empty();
  put(outputs, 2, 0, 0.9, [10, 10, 10, 10]);
  expect(decoder.prepare(model)(outputs)).toMatchObject([{ x1: 0, y1: 0, x2: 96, y2: 64 }]);
});

test('only the class of the person counts, wherever the entry says it is', () => {
  const outputs = empty();
  put(outputs, 1, 7, 0.9, [1, 1, 2, 2], 2);
  expect(decoder.prepare(model)(outputs)).toEqual([]);
  expect(decoder.prepare({ ...model, labels: ['bicycle', 'car', 'person'] })(outputs)).toHaveLength(1);
  expect(decoder.prepare({ ...model, labels: ['2 person'] })(outputs)).toHaveLength(1);
});

test('outputs of another input size are refused', () => {
  expect(() => decoder.prepare({ ...model, width: 128 })(somebody())).toThrow(/grid 1 has 96 cells .* for 128×64/);
});

import { expect, test } from 'vitest';
import type { Output } from '../../../src/vision/decoders/decoder.ts';
import { decoder } from '../../../src/vision/decoders/ultraface.ts';
import { decoderSuite, output } from './decoder-suite.ts';

const model = { id: 'test-faces', width: 320, height: 240, labels: ['face'], thresholds: { start: 0.65, nms: 0.4 } };
const shapes = [
  [1, 50, 2],
  [1, 50, 4],
];
const empty = () => shapes.map((dims) => output(dims));
const put = ([scores, boxes]: Output[], cell: number, score: number, box: number[]) => {
  (scores as Output).data.set([1 - score, score], cell * 2);
  (boxes as Output).data.set(box, cell * 4);
};
const somebody = () => {
  const outputs = empty();
  put(outputs, 3, 0.99, [0.25, 0.25, 0.5, 0.75]);
  put(outputs, 4, 0.98, [0.26, 0.25, 0.5, 0.75]);
  put(outputs, 40, 0.7, [0.7, 0.1, 0.8, 0.3]);
  put(outputs, 41, 0.3, [0.1, 0.8, 0.2, 0.95]);
  return outputs;
};

decoderSuite({ decoder: 'ultraface', task: 'faces', model, shapes, somebody, nobody: empty });

test('boxes are in pixels of the input, one for each face', () => {
  expect(decoder.prepare(model)(somebody())).toMatchObject([
    { x1: 80, y1: 60, x2: 160, y2: 180 },
    { y1: expect.closeTo(24), y2: expect.closeTo(72) },
  ]);
});

test('a face cut by the edge keeps its whole height', () => {
  const outputs = empty();
  put(outputs, 0, 0.9, [-0.1, -0.2, 0.2, 0.3]);
  expect(decoder.prepare(model)(outputs)).toMatchObject([{ y1: expect.closeTo(-48), y2: expect.closeTo(72) }]);
});

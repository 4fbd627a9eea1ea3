import { expect, test } from 'vitest';
import { decoder } from '../../../src/vision/decoders/movenet.ts';
import { decoderSuite, output } from './decoder-suite.ts';

const model = { id: 'test-movenet', width: 192, height: 192, labels: [], thresholds: {} };
const somebody = () => [
  output(
    [1, 1, 17, 3],
    Array.from({ length: 51 }, (_, i) => i / 51),
  ),
];

decoderSuite({ decoder: 'movenet', task: 'pose', model, shapes: [[1, 1, 17, 3]], somebody });

test('points are in pixels of the crop; the model tells y before x', () => {
  expect(decoder.prepare(model)(somebody())[1]).toEqual({
    x: expect.closeTo((4 / 51) * 192, 4),
    y: expect.closeTo((3 / 51) * 192, 4),
    score: expect.closeTo(5 / 51, 5),
  });
});

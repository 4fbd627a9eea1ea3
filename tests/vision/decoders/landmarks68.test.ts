import { expect, test } from 'vitest';
import { decoder } from '../../../src/vision/decoders/landmarks68.ts';
import { decoderSuite, output } from './decoder-suite.ts';

const model = { id: 'test-landmarks', width: 64, height: 64, labels: [], thresholds: {} };
const somebody = () => [
  output(
    [1, 136],
    Array.from({ length: 136 }, (_, i) => i / 136),
  ),
];

decoderSuite({ decoder: 'landmarks68', task: 'landmarks', model, shapes: [[1, 136]], somebody });

test('points are in pixels of the crop, x before y', () => {
  const points = decoder.prepare(model)(somebody());
  expect(points[0]).toEqual({ x: 0, y: expect.closeTo(64 / 136, 5) });
  expect(points[67]).toEqual({ x: expect.closeTo((134 * 64) / 136, 4), y: expect.closeTo((135 * 64) / 136, 4) });
});

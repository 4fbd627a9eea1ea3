import { expect, test } from 'vitest';
import { decoder } from '../../../src/vision/decoders/liveness.ts';
import { decoderSuite, output } from './decoder-suite.ts';

const model = { id: 'test-liveness', width: 128, height: 128, labels: [], thresholds: {} };

decoderSuite({
  decoder: 'liveness',
  task: 'liveness',
  model,
  shapes: [[1, 3]],
  somebody: () => [output([1, 3], [2, 0.5, -1])],
});

test('the probability of the first class', () => {
  const run = decoder.prepare(model);
  expect(run([output([1, 3], [0, 0, 0])])).toBeCloseTo(1 / 3);
  expect(run([output([1, 3], [Math.log(8), 0, 0])])).toBeCloseTo(0.8);
  expect(run([output([1, 3], [-500, 500, 0])])).toBe(0);
});

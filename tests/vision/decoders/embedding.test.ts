import { expect, test } from 'vitest';
import { decoder } from '../../../src/vision/decoders/embedding.ts';
import { decoderSuite, output } from './decoder-suite.ts';

const model = { id: 'test-embedding', width: 112, height: 112, labels: [], thresholds: {} };
const somebody = () => [
  output(
    [1, 512],
    Array.from({ length: 512 }, (_, i) => Math.sin(i) * 3),
  ),
];

decoderSuite({ decoder: 'embedding', task: 'embedding', model, shapes: [[1, 512]], somebody });

test('the direction is kept, the length is one', () => {
  const found = decoder.prepare(model)([output([1, 2], [3, -4])]);
  expect([...found]).toEqual([expect.closeTo(0.6, 6), expect.closeTo(-0.8, 6)]);
});

test('nothing but zeros has no direction: an error, not a face like every other', () => {
  expect(() => decoder.prepare(model)([output([1, 512])])).toThrow(/nothing but zeros/);
});

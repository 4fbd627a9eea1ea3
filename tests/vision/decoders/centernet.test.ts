import { describe, expect, test } from 'vitest';
import { decoder } from '../../../src/vision/decoders/centernet.ts';
import type { Output } from '../../../src/vision/decoders/decoder.ts';
import { decoderSuite, output } from './decoder-suite.ts';

const model = {
  id: 'test-centernet',
  width: 64,
  height: 32,
  labels: ['person'],
  thresholds: { start: 0.4, continue: 0.2, nms: 0.6 },
};

describe('the list the graph makes', () => {
  const shapes = [[1, 100, 6]];
  const empty = () => shapes.map((dims) => output(dims));
  const rows = [
    [10, 5, 20, 30, 0.4, 0],
    [40, 5, 55, 30, 0.8, 0],
    [41, 5, 55, 31, 0.7, 0],
    [1, 1, 9, 9, 0.1, 0],
    [30, 5, 38, 30, 0.9, 2],
  ];
  const somebody = () => {
    const list = empty();
    (list[0] as Output).data.set(rows.flat());
    return list;
  };
  decoderSuite({ decoder: 'centernet', task: 'persons', model, shapes, somebody, nobody: empty });

  test('persons only, the weaker of two that overlap left out', () => {
    expect(
      decoder
        .prepare(model)(somebody())
        .map(({ x1 }) => x1),
    ).toEqual([40, 10]);
  });
});

describe('the heat map and the sides', () => {
  const shapes = [
    [1, 8, 16, 1],
    [1, 8, 16, 4],
  ];
  const empty = () => shapes.map((dims) => output(dims));
  const put = ([heat, sides]: Output[], x: number, y: number, score: number, wh: number[]) => {
    (heat as Output).data[y * 16 + x] = score;
    (sides as Output).data.set(wh, (y * 16 + x) * 4);
  };
  const somebody = () => {
    const outputs = empty();
    put(outputs, 5, 4, 0.9, [8, 10, 12, 14]);
    put(outputs, 6, 4, 0.8, [8, 10, 12, 14]);
    put(outputs, 12, 2, 0.5, [6, 6, 6, 6]);
    put(outputs, 1, 1, 0.1, [4, 4, 4, 4]);
    return outputs;
  };
  decoderSuite({ decoder: 'centernet', task: 'persons', model, shapes, somebody, nobody: empty });

  test('a box reaches from the cell’s corner to its sides; a cell beside a hotter one is no centre', () => {
    const found = decoder.prepare(model)(somebody());
    expect(found).toMatchObject([
      { x1: 20 - 8, y1: 16 - 10, x2: 20 + 12, y2: 16 + 14 },
      { x1: 42, y1: 2, x2: 54, y2: 14 },
    ]);
  });
});

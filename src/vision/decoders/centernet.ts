import { QuanweiError } from '../../kernel/errors.ts';
import type { Detection } from '../picture.ts';
import { suppress } from '../suppression.ts';
import {
  type DecodedModel,
  type Decoder,
  floorOf,
  type Output,
  outputOf,
  personClass,
  thresholdOf,
} from './decoder.ts';

/** Pixels from one cell of the heat map to the next (Zhou et al., "Objects as Points", 2019). */
const STRIDE = 4;

/**
 * CenterNet, in either of two forms: one output, the list the graph makes itself, [1, n, 6] = x1, y1, x2, y2, score, class;
 * or two, from which the list is made here and which fit any input size: the heat map [1, h, w, classes] through the
 * sigmoid, and [1, h, w, 4] with the distances from the cell's corner to left, top, right and bottom. The corner, not the
 * middle: so the graph makes its own list, and tests/vision/decoders/graphs.test.ts holds the two beside each other.
 */
export const decoder: Decoder<'persons'> = {
  task: 'persons',
  prepare(model) {
    const floor = floorOf(model);
    const iou = thresholdOf(model, 'nms');
    const read = (outputs: readonly Output[]) => (outputs.length === 1 ? listed : peaks)(model, outputs, floor);
    return (outputs) => {
      const found: Detection[] = [];
      for (const box of read(outputs)) {
        const clipped = {
          x1: Math.max(0, box.x1),
          y1: Math.max(0, box.y1),
          x2: Math.min(model.width, box.x2),
          y2: Math.min(model.height, box.y2),
          score: Math.min(1, box.score),
        };
        // Also refuses what is not a number.
        if (clipped.x2 > clipped.x1 && clipped.y2 > clipped.y1) found.push(clipped);
      }
      return suppress(found, iou);
    };
  },
};

function* listed(model: DecodedModel, outputs: readonly Output[], floor: number): Generator<Detection> {
  const { data } = outputOf(model, outputs, 0, [1, -1, 6]);
  const person = personClass(model);
  for (let at = 0; at < data.length; at += 6) {
    const [x1 = 0, y1 = 0, x2 = 0, y2 = 0, score = 0, kind = -1] = data.subarray(at, at + 6);
    if (score >= floor && Math.round(kind) === person) yield { x1, y1, x2, y2, score };
  }
}

/** Cells whose heat is the largest of the 3 × 3 around them. */
function* peaks(model: DecodedModel, outputs: readonly Output[], floor: number): Generator<Detection> {
  const down = Math.ceil(model.height / STRIDE);
  const across = Math.ceil(model.width / STRIDE);
  const heat = outputOf(model, outputs, 0, [1, down, across, -1]);
  const sides = outputOf(model, outputs, 1, [1, down, across, 4]).data;
  const classes = heat.dims[3] ?? 0;
  const person = personClass(model);
  if (classes <= person)
    throw new QuanweiError('BAD_MODEL', `${model.id}: ${classes} classes, the person is ${person}`);
  const at = (x: number, y: number): number => heat.data[(y * across + x) * classes + person] as number;
  for (let y = 0; y < down; y++) {
    for (let x = 0; x < across; x++) {
      const score = at(x, y);
      if (!(score >= floor) || !isPeak(at, x, y, across, down)) continue;
      const [left = 0, top = 0, right = 0, bottom = 0] = sides.subarray((y * across + x) * 4, (y * across + x) * 4 + 4);
      yield { x1: x * STRIDE - left, y1: y * STRIDE - top, x2: x * STRIDE + right, y2: y * STRIDE + bottom, score };
    }
  }
}

function isPeak(at: (x: number, y: number) => number, x: number, y: number, across: number, down: number): boolean {
  const score = at(x, y);
  for (let v = Math.max(0, y - 1); v <= Math.min(down - 1, y + 1); v++) {
    for (let u = Math.max(0, x - 1); u <= Math.min(across - 1, x + 1); u++) {
      if (at(u, v) > score) return false;
    }
  }
  return true;
}

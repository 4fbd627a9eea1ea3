import { QuanweiError } from '../../kernel/errors.ts';
import type { Detection } from '../picture.ts';
import { suppress } from '../suppression.ts';
import { type Decoder, floorOf, outputOf, personClass, thresholdOf } from './decoder.ts';

/**
 * NanoDet (RangiLyu, 2020): no anchors; each cell of three or four grids tells the distances to the four sides as
 * distributions (generalised focal loss, Li et al. 2020). Outputs: the scores of every grid, finest first, [1, n, classes],
 * already through the sigmoid; then the distances of every grid [1, n, 4 × bins], logits.
 */
export const decoder: Decoder<'persons'> = {
  task: 'persons',
  prepare(model) {
    const floor = floorOf(model);
    const iou = thresholdOf(model, 'nms');
    const person = personClass(model);
    return (outputs) => {
      const grids = outputs.length / 2;
      if (grids < 1 || !Number.isInteger(grids)) {
        throw new QuanweiError('BAD_MODEL', `${model.id}: ${outputs.length} outputs; scores and distances go in pairs`);
      }
      const found: Detection[] = [];
      for (let grid = 0; grid < grids; grid++) {
        const scores = outputOf(model, outputs, grid, [1, -1, -1]);
        const [, cells = 0, classes = 0] = scores.dims;
        const distances = outputOf(model, outputs, grids + grid, [1, cells, -1]);
        const width = distances.dims[2] ?? 0;
        const stride = strideOf(model, cells);
        if (stride === null || width % 4 !== 0 || width < 8 || classes <= person) {
          throw new QuanweiError(
            'BAD_MODEL',
            `${model.id}: grid ${grid + 1} has ${cells} cells and ${width} distances a cell for ${model.width}×${model.height}`,
          );
        }
        const across = Math.ceil(model.width / stride);
        for (let cell = 0; cell < cells; cell++) {
          const score = scores.data[cell * classes + person] as number;
          if (!(score >= floor)) continue;
          const x = ((cell % across) + 0.5) * stride;
          const y = (Math.floor(cell / across) + 0.5) * stride;
          const box = boxAt(distances.data, cell * width, width / 4, x, y, stride);
          const clipped = {
            x1: Math.max(0, box.x1),
            y1: Math.max(0, box.y1),
            x2: Math.min(model.width, box.x2),
            y2: Math.min(model.height, box.y2),
            score: Math.min(1, score),
          };
          // Also refuses what is not a number.
          if (clipped.x2 > clipped.x1 && clipped.y2 > clipped.y1) found.push(clipped);
        }
      }
      return suppress(found, iou);
    };
  },
};

/** Pixels from one cell to the next of the grid that has so many. */
function strideOf({ width, height }: { width: number; height: number }, cells: number): number | null {
  for (const stride of [8, 16, 32, 64]) {
    if (Math.ceil(width / stride) * Math.ceil(height / stride) === cells) return stride;
  }
  return null;
}

function boxAt(data: Float32Array, from: number, bins: number, x: number, y: number, stride: number) {
  const side = (k: number): number => stride * expectation(data, from + k * bins, bins);
  return { x1: x - side(0), y1: y - side(1), x2: x + side(2), y2: y + side(3) };
}

/** Σ j·softmax(logits)_j */
function expectation(data: Float32Array, from: number, bins: number): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let j = 0; j < bins; j++) largest = Math.max(largest, data[from + j] as number);
  let sum = 0;
  let weighted = 0;
  for (let j = 0; j < bins; j++) {
    const weight = Math.exp((data[from + j] as number) - largest);
    sum += weight;
    weighted += j * weight;
  }
  return weighted / sum;
}

import type { Detection } from '../picture.ts';
import { suppress } from '../suppression.ts';
import { type Decoder, floorOf, outputOf, thresholdOf } from './decoder.ts';

/**
 * Faces in the manner of Ultra-Light-Fast-Generic-Face-Detector (Linzaer, 2019) with the priors already applied in the
 * graph. Outputs: scores [1, n, 2], column 1 is the face; boxes [1, n, 4] = x1, y1, x2, y2 in 0–1 of the input.
 * A face at the edge keeps the part of its box that is outside: its place and height are what the next model goes by.
 */
export const decoder: Decoder<'faces'> = {
  task: 'faces',
  prepare(model) {
    const floor = floorOf(model);
    const iou = thresholdOf(model, 'nms');
    const { width, height } = model;
    return (outputs) => {
      const scores = outputOf(model, outputs, 0, [1, -1, 2]);
      const cells = scores.dims[1] ?? 0;
      const boxes = outputOf(model, outputs, 1, [1, cells, 4]).data;
      const found: Detection[] = [];
      for (let cell = 0; cell < cells; cell++) {
        const score = scores.data[cell * 2 + 1] as number;
        if (!(score >= floor)) continue;
        const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = boxes.subarray(cell * 4, cell * 4 + 4);
        const face = { x1: x1 * width, y1: y1 * height, x2: x2 * width, y2: y2 * height, score: Math.min(1, score) };
        if (isSound(face, width, height)) found.push(face);
      }
      return suppress(found, iou);
    };
  },
};

/** Also refuses what is not a number. */
function isSound({ x1, y1, x2, y2 }: Detection, width: number, height: number): boolean {
  const x = (x1 + x2) / 2;
  const y = (y1 + y2) / 2;
  const inside = x >= 0 && x <= width && y >= 0 && y <= height;
  return inside && x2 > x1 && y2 > y1 && x2 - x1 <= 2 * width && y2 - y1 <= 2 * height;
}

import { type Decoder, finite, outputOf } from './decoder.ts';

const POINTS = 17;

/** MoveNet of one person (Google, 2021). Output: [1, 1, 17, 3] = y, x in 0–1 of the input, score; COCO order. */
export const decoder: Decoder<'pose'> = {
  task: 'pose',
  prepare(model) {
    return (outputs) => {
      const { data } = outputOf(model, outputs, 0, [1, 1, POINTS, 3]);
      finite(model, data);
      return Array.from({ length: POINTS }, (_, i) => ({
        x: (data[i * 3 + 1] as number) * model.width,
        y: (data[i * 3] as number) * model.height,
        score: Math.min(1, Math.max(0, data[i * 3 + 2] as number)),
      }));
    };
  },
};

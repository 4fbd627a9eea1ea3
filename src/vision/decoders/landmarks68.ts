import { type Decoder, finite, outputOf } from './decoder.ts';

const POINTS = 68;

/** 68 points of a face (iBUG 300-W order). Output: [1, 136] = x, y in 0–1 of the input, which is a square crop of the face. */
export const decoder: Decoder<'landmarks'> = {
  task: 'landmarks',
  prepare(model) {
    return (outputs) => {
      const { data } = outputOf(model, outputs, 0, [1, POINTS * 2]);
      finite(model, data);
      return Array.from({ length: POINTS }, (_, i) => ({
        x: (data[i * 2] as number) * model.width,
        y: (data[i * 2 + 1] as number) * model.height,
      }));
    };
  },
};

import { QuanweiError } from '../../kernel/errors.ts';
import { type Decoder, finite, outputOf } from './decoder.ts';

/** A face as a direction: output [1, n], brought to length 1, so that the cosine of two faces is their dot product. */
export const decoder: Decoder<'embedding'> = {
  task: 'embedding',
  prepare(model) {
    return (outputs) => {
      const { data } = outputOf(model, outputs, 0, [1, -1]);
      finite(model, data);
      const length = Math.sqrt(data.reduce((sum, value) => sum + value * value, 0));
      if (!(length > 0)) throw new QuanweiError('BAD_MODEL', `${model.id}: the model puts out nothing but zeros`);
      return data.map((value) => value / length);
    };
  },
};

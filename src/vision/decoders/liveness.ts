import { QuanweiError } from '../../kernel/errors.ts';
import { type Decoder, finite, outputOf } from './decoder.ts';

/** Logits of classes of which the first is a live person: output [1, n]; the softmax of the first is told. */
export const decoder: Decoder<'liveness'> = {
  task: 'liveness',
  prepare(model) {
    return (outputs) => {
      const { data } = outputOf(model, outputs, 0, [1, -1]);
      finite(model, data);
      if (data.length < 2) throw new QuanweiError('BAD_MODEL', `${model.id}: one class alone says nothing`);
      const largest = data.reduce((a, b) => Math.max(a, b));
      const sum = data.reduce((all, logit) => all + Math.exp(logit - largest), 0);
      return Math.exp((data[0] as number) - largest) / sum;
    };
  },
};

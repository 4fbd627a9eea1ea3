import { QuanweiError } from '../../kernel/errors.ts';
import type { Found, Task } from '../inference/inference.ts';

/**
 * A decoder turns what a model puts out into what the house speaks of. To add one: a file `NAME.ts` in this directory that
 * exports `decoder`, and `decoder: NAME` in the model's entry; nothing else knows it. tests/vision/decoders/decoder-suite.ts
 * is what each must pass. Decoders run in the infer child: plain arithmetic, no input or output, nothing kept between runs.
 */
export interface Decoder<T extends Task> {
  readonly task: T;
  /**
   * Called once when the model is loaded: what can be computed beforehand is computed here.
   * @throws QuanweiError BAD_MODEL when the entry lacks what the decoder needs
   */
  prepare(model: DecodedModel): Decode<T>;
}

/**
 * Called for each picture. Everything is in pixels of the model's input; the picture may have been padded, which is the
 * caller's to undo.
 * - persons, faces: sorted by score, the best first; overlapping ones suppressed; every score is finite and at least the
 *   floor ({@link floorOf}), so that a tracker can go on with a weak detection where it would not begin with one; a box has
 *   its centre inside the input and a positive size. Nobody there is an empty list, not an error.
 * - landmarks, pose, embedding, liveness: always all of it, finite.
 * @throws QuanweiError BAD_MODEL when the outputs are not of the form the decoder knows; found out by the warm-up at load
 */
export type Decode<T extends Task> = (outputs: readonly Output[]) => Found[T];

/** One output tensor, row-major, in the order of the entry's `outputs`. `data` is only valid during the call. */
export interface Output {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

/** What of the model's entry a decoder may know. */
export interface DecodedModel {
  readonly id: string;
  /** Of the input, pixels. */
  readonly width: number;
  readonly height: number;
  /** As in the entry; see {@link personClass}. */
  readonly labels: readonly string[];
  readonly thresholds: Readonly<Record<string, number>>;
}

export type AnyDecoder = { [T in Task]: Decoder<T> }[Task];

/** Least score that is told: `floor` where somebody asks for more than the tracker needs, else `continue`, else `start`. */
export function floorOf({ id, thresholds }: DecodedModel): number {
  const floor = thresholds['floor'] ?? thresholds['continue'] ?? thresholds['start'];
  if (floor === undefined)
    throw new QuanweiError('BAD_MODEL', `${id}: \`thresholds\` has neither \`continue\` nor \`start\``);
  return floor;
}

/** A threshold the decoder cannot do without. */
export function thresholdOf({ id, thresholds }: DecodedModel, name: string): number {
  const value = thresholds[name];
  if (value === undefined) throw new QuanweiError('BAD_MODEL', `${id}: \`thresholds\` has no \`${name}\``);
  return value;
}

/** The output at `index`, which must have this shape; -1 stands for any size. */
export function outputOf(
  model: DecodedModel,
  outputs: readonly Output[],
  index: number,
  dims: readonly number[],
): Output {
  const output = outputs[index];
  if (output === undefined) {
    throw new QuanweiError(
      'BAD_MODEL',
      `${model.id}: ${outputs.length} outputs, the decoder reads number ${index + 1}`,
    );
  }
  const fits = output.dims.length === dims.length && dims.every((size, i) => size === -1 || size === output.dims[i]);
  if (!fits || output.data.length !== output.dims.reduce((all, size) => all * size, 1)) {
    const wanted = dims.map((size) => (size === -1 ? '?' : size)).join(', ');
    throw new QuanweiError(
      'BAD_MODEL',
      `${model.id}: output ${index + 1} is [${output.dims.join(', ')}], the decoder reads [${wanted}]`,
    );
  }
  return output;
}

/** A model whose numbers are no numbers is broken; better said than passed on. */
export function finite(model: DecodedModel, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i]))
      throw new QuanweiError('BAD_MODEL', `${model.id}: the model puts out ${values[i]}`);
  }
}

/** The class that is a person, by the entry's `labels`: `person` in its place, or `NUMBER person`. Default: the first. */
export function personClass({ labels }: DecodedModel): number {
  for (const [place, label] of labels.entries()) {
    const match = /^(?:(\d{1,4})[\s:]+)?person$/.exec(label);
    if (match !== null) return match[1] === undefined ? place : Number(match[1]);
  }
  return 0;
}

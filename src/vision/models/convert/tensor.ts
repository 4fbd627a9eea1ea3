import { QuanweiError } from '../../../kernel/errors.ts';

export type DataType = 'float32' | 'int32' | 'bool';

/** A constant. Booleans are 0 and 1 in an Int32Array. Row-major. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly type: DataType;
  readonly data: Float32Array | Int32Array;
  /** Every value is one that 16 bits can say exactly (IEEE 754 binary16). */
  readonly half: boolean;
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, dim) => product * dim, 1);

export const ints = (shape: readonly number[], values: ArrayLike<number>): Tensor => ({
  shape,
  type: 'int32',
  data: Int32Array.from(values),
  half: false,
});

/** The same numbers in another shape. */
export const reshaped = (tensor: Tensor, shape: readonly number[]): Tensor => ({ ...tensor, shape });

const stridesOf = (shape: readonly number[]): number[] => shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));

/** `perm[i]` is the axis of the input that becomes axis `i` (as TensorFlow and ONNX have it). */
export function transposed(tensor: Tensor, perm: readonly number[]): Tensor {
  const from = stridesOf(tensor.shape);
  const shape = perm.map((axis) => tensor.shape[axis] ?? 1);
  const steps = perm.map((axis) => from[axis] ?? 1);
  return { ...tensor, shape, data: gathered(tensor.data, shape, steps) };
}

/** The tensor as it is when it is spread over `shape` (numpy's rule). */
export function broadcasted(tensor: Tensor, shape: readonly number[]): Tensor {
  const lead = shape.length - tensor.shape.length;
  const from = stridesOf(tensor.shape);
  const steps = shape.map((_, axis) => (axis < lead || tensor.shape[axis - lead] === 1 ? 0 : (from[axis - lead] ?? 0)));
  return { ...tensor, shape, data: gathered(tensor.data, shape, steps) };
}

/** Elements read with one step an axis, from `start`. */
export function gathered<T extends Float32Array | Int32Array>(
  data: T,
  shape: readonly number[],
  steps: readonly number[],
  start = 0,
): T {
  const out = (data instanceof Float32Array ? new Float32Array(sizeOf(shape)) : new Int32Array(sizeOf(shape))) as T;
  const at = shape.map(() => 0);
  let read = start;
  for (let write = 0; write < out.length; write++) {
    out[write] = data[read] ?? 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (at[axis] ?? 0) + 1;
      read += steps[axis] ?? 0;
      if (next < (shape[axis] ?? 1)) {
        at[axis] = next;
        break;
      }
      read -= next * (steps[axis] ?? 0);
      at[axis] = 0;
    }
  }
  return out;
}

/** numpy's rule. @throws QuanweiError BAD_MODEL */
export function broadcastShape(...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const dims = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1).filter((dim) => dim !== 1);
    const [first = 1] = dims;
    if (dims.some((dim) => dim !== first)) {
      throw new QuanweiError('BAD_MODEL', `shapes do not fit: ${shapes.map((shape) => `[${shape}]`).join(' and ')}`);
    }
    return first;
  });
}

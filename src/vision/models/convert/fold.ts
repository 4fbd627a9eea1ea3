import { input, number, numbers, type Scene, typeOf, whole, wholes } from './operator.ts';
import { stridedSlice } from './ops/slice.ts';
import {
  broadcasted,
  broadcastShape,
  type DataType,
  gathered,
  ints,
  reshaped,
  sizeOf,
  type Tensor,
  transposed,
} from './tensor.ts';

/**
 * What can be worked out while converting: shapes are known, so everything that is made of them is a constant. Operators
 * that want a constant (axes, sizes, permutations) find one here even where the graph computes it.
 */

/** The result, or `null` when the node is not one that is worked out here. @throws QuanweiError BAD_MODEL */
export function fold(scene: Scene): Tensor | null {
  const measured = MEASURES[scene.node.op];
  if (measured !== undefined) return measured(scene);
  const folder = FOLDERS[scene.node.op];
  if (folder === undefined || scene.inputs.length === 0) return null;
  return scene.inputs.every((value) => value.constant !== null) ? folder(scene) : null;
}

type Folder = (scene: Scene) => Tensor;

const constantOf = (scene: Scene, at: number): Tensor => {
  const { constant } = input(scene, at);
  if (constant === null) throw scene.draft.wrong(`input ${at} must be a constant`);
  return constant;
};

const tensor = (type: DataType, shape: readonly number[], values: ArrayLike<number>): Tensor => ({
  shape,
  type,
  data: type === 'float32' ? Float32Array.from(values) : Int32Array.from(values),
  half: false,
});

/** Of a tensor's shape only. */
const MEASURES: Readonly<Record<string, Folder>> = {
  Shape: (scene) => ints([input(scene, 0).shape.length], input(scene, 0).shape),
  Size: (scene) => ints([], [sizeOf(input(scene, 0).shape)]),
  Rank: (scene) => ints([], [input(scene, 0).shape.length]),
  ZerosLike: (scene) => filled(input(scene, 0).type, input(scene, 0).shape, 0),
  OnesLike: (scene) => filled(input(scene, 0).type, input(scene, 0).shape, 1),
};

const filled = (type: DataType, shape: readonly number[], value: number): Tensor =>
  tensor(type, shape, new Array<number>(sizeOf(shape)).fill(value));

const arithmetic =
  (apply: (a: number, b: number) => number): Folder =>
  (scene) => {
    const [a, b] = [constantOf(scene, 0), constantOf(scene, 1)];
    const shape = broadcastShape(a.shape, b.shape);
    const [left, right] = [broadcasted(a, shape).data, broadcasted(b, shape).data];
    return tensor(
      a.type,
      shape,
      Array.from(left, (value, at) => apply(value, right[at] ?? 0)),
    );
  };

const concat: Folder = (scene) => {
  const parts = scene.inputs.slice(0, -1).map((_, at) => constantOf(scene, at));
  const [first] = parts;
  if (first === undefined) throw scene.draft.wrong('has no inputs');
  const rank = first.shape.length;
  const given = number(scene, parts.length);
  const axis = given < 0 ? given + rank : given;
  const inner = sizeOf(first.shape.slice(axis + 1));
  const outer = sizeOf(first.shape.slice(0, axis));
  const values: number[] = [];
  for (let row = 0; row < outer; row++) {
    for (const { data, shape } of parts) {
      const length = (shape[axis] ?? 0) * inner;
      values.push(...data.subarray(row * length, (row + 1) * length));
    }
  }
  const length = parts.reduce((sum, { shape }) => sum + (shape[axis] ?? 0), 0);
  return tensor(first.type, first.shape.with(axis, length), values);
};

const pack: Folder = (scene) => {
  const parts = scene.inputs.map((_, at) => constantOf(scene, at));
  const shape = parts[0]?.shape ?? [];
  const axis = whole(scene, 'axis') < 0 ? whole(scene, 'axis') + shape.length + 1 : whole(scene, 'axis');
  const inner = sizeOf(shape.slice(axis));
  const values: number[] = [];
  for (let row = 0; row < sizeOf(shape.slice(0, axis)); row++) {
    for (const { data } of parts) values.push(...data.subarray(row * inner, (row + 1) * inner));
  }
  return tensor(parts[0]?.type ?? 'int32', shape.toSpliced(axis, 0, parts.length), values);
};

const range: Folder = (scene) => {
  const [start, limit, step] = [number(scene, 0), number(scene, 1), number(scene, 2)];
  const count = Math.max(0, Math.ceil((limit - start) / step));
  return tensor(
    constantOf(scene, 0).type,
    [count],
    Array.from({ length: count }, (_, at) => start + at * step),
  );
};

/** Indices are [n, rank] or [n]; there may be none. */
const sparseToDense: Folder = (scene) => {
  const shape = numbers(scene, 1);
  const values = constantOf(scene, 2);
  const out = filled(values.type, shape, number(scene, 3));
  const indices = numbers(scene, 0);
  const rank = shape.length;
  for (let at = 0; at * rank < indices.length; at++) {
    const where = shape.reduce((sum, dim, axis) => sum * dim + (indices[at * rank + axis] ?? 0), 0);
    out.data[where] = values.data[values.data.length === 1 ? 0 : at] ?? 0;
  }
  return out;
};

const strided: Folder = (scene) => {
  const from = constantOf(scene, 0);
  const { spans, shape } = stridedSlice(scene, from.shape);
  const steps = from.shape.map((_, axis) => sizeOf(from.shape.slice(axis + 1)));
  const start = spans.reduce((sum, span, axis) => sum + span.from * (steps[axis] ?? 1), 0);
  const jumps = spans.map((span, axis) => span.step * (steps[axis] ?? 1));
  const data = gathered(
    from.data,
    spans.map((span) => span.count),
    jumps,
    start,
  );
  return { ...from, shape, data };
};

const gather: Folder = (scene) => {
  const from = constantOf(scene, 0);
  const indices = constantOf(scene, 1);
  const axis = scene.inputs.length > 2 ? number(scene, 2) : 0;
  if (axis !== 0)
    throw scene.draft.wrong('a gather of constants along another axis than the first cannot be converted');
  const inner = sizeOf(from.shape.slice(1));
  const values = Array.from(indices.data).flatMap((at) => [...from.data.subarray(at * inner, (at + 1) * inner)]);
  return tensor(from.type, [...indices.shape, ...from.shape.slice(1)], values);
};

const prod: Folder = (scene) => {
  const { type, data, shape } = constantOf(scene, 0);
  if (shape.length !== 1) throw scene.draft.wrong('the product of a constant is worked out for lists only');
  return tensor(type, scene.node.attr['keep_dims']?.b === true ? [1] : [], [sizeOf([...data])]);
};

const cast: Folder = (scene) => {
  const { shape, data } = constantOf(scene, 0);
  const type = typeOf(scene, 'DstT');
  return tensor(type, shape, type === 'bool' ? Array.from(data, (value) => (value === 0 ? 0 : 1)) : data);
};

const reshape: Folder = (scene) => {
  const from = constantOf(scene, 0);
  const shape = numbers(scene, 1);
  const others = sizeOf(shape.filter((dim) => dim !== -1));
  return reshaped(
    from,
    shape.map((dim) => (dim === -1 ? from.data.length / others : dim)),
  );
};

const expandDims: Folder = (scene) => {
  const from = constantOf(scene, 0);
  const axis = number(scene, 1);
  return reshaped(from, from.shape.toSpliced(axis < 0 ? axis + from.shape.length + 1 : axis, 0, 1));
};

const squeeze: Folder = (scene) => {
  const from = constantOf(scene, 0);
  const dims = wholes(scene, 'squeeze_dims').map((axis) => (axis < 0 ? axis + from.shape.length : axis));
  return reshaped(
    from,
    from.shape.filter((dim, axis) => (dims.length === 0 ? dim !== 1 : !dims.includes(axis))),
  );
};

const FOLDERS: Readonly<Record<string, Folder>> = {
  Identity: (scene) => constantOf(scene, 0),
  Add: arithmetic((a, b) => a + b),
  AddV2: arithmetic((a, b) => a + b),
  Sub: arithmetic((a, b) => a - b),
  Mul: arithmetic((a, b) => a * b),
  Maximum: arithmetic(Math.max),
  Minimum: arithmetic(Math.min),
  RealDiv: arithmetic((a, b) => a / b),
  FloorDiv: arithmetic((a, b) => Math.floor(a / b)),
  FloorMod: arithmetic((a, b) => a - b * Math.floor(a / b)),
  ConcatV2: concat,
  Pack: pack,
  Range: range,
  Fill: (scene) => filled(constantOf(scene, 1).type, numbers(scene, 0), number(scene, 1)),
  SparseToDense: sparseToDense,
  StridedSlice: strided,
  GatherV2: gather,
  Prod: prod,
  Cast: cast,
  Reshape: reshape,
  ExpandDims: expandDims,
  Squeeze: squeeze,
  Transpose: (scene) => transposed(constantOf(scene, 0), numbers(scene, 1)),
};

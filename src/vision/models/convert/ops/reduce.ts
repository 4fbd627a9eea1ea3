import { axisIn, layoutOf, type Value } from '../draft.ts';
import {
  axisOf,
  flag,
  input,
  number,
  numbers,
  type Operator,
  type Operators,
  real,
  type Scene,
  whole,
} from '../operator.ts';

/** Operators that make one number of many, pick some out, or multiply matrices. */

const reduce =
  (op: string, axesAreInput = false): Operator =>
  (scene) => {
    const { draft } = scene;
    const value = input(scene, 0);
    const rank = value.shape.length;
    const axes = numbers(scene, 1).map((axis) => axisOf(scene, axis, rank));
    const keep = flag(scene, 'keep_dims');
    // Without the axes that go, the rest of a picture stands in the same order in both forms if C or both H and W go.
    const ordered = keep || axes.includes(3) || (axes.includes(1) && axes.includes(2));
    const layout = rank === 4 && ordered ? layoutOf(value) : 'plain';
    const mapped = axes.map((axis) => axisIn(layout, axis)).sort((a, b) => a - b);
    const keepdims = keep ? 1 : 0;
    const name = axesAreInput
      ? draft.node(op, [draft.name(value, layout), draft.list(mapped)], { keepdims })
      : draft.node(op, [draft.name(value, layout)], { axes: mapped, keepdims });
    const shape = value.shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim));
    return keep
      ? draft.value(layout, shape, value.type, name)
      : draft.value(
          'plain',
          shape.filter((_, axis) => !axes.includes(axis)),
          value.type,
          name,
        );
  };

const arg =
  (op: string): Operator =>
  (scene) => {
    const { draft } = scene;
    const value = input(scene, 0);
    const axis = axisOf(scene, number(scene, 1), value.shape.length);
    const name = draft.node(op, [draft.plain(value)], { axis, keepdims: 0 });
    return draft.value('plain', value.shape.toSpliced(axis, 1), 'int32', draft.cast(name, 'int32'));
  };

const topK: Operator = (scene) => {
  const { draft } = scene;
  const value = input(scene, 0);
  const k = number(scene, 1);
  const shape = value.shape.with(-1, k);
  const [values = '', indices = ''] = draft.nodesOutputs('TopK', [draft.plain(value), draft.list([k])], 2, {
    axis: -1,
    largest: 1,
    sorted: 1,
  });
  return [
    draft.value('plain', shape, value.type, values),
    draft.value('plain', shape, 'int32', draft.cast(indices, 'int32')),
  ];
};

const gather: Operator = (scene) => {
  const { draft } = scene;
  const [value, indices] = [input(scene, 0), input(scene, 1)];
  if (whole(scene, 'batch_dims') !== 0) throw draft.wrong('batch dimensions cannot be converted');
  const axis = axisOf(scene, scene.inputs.length > 2 ? number(scene, 2) : 0, value.shape.length);
  const shape = value.shape.toSpliced(axis, 1, ...indices.shape);
  const name = draft.node('Gather', [draft.plain(value), draft.plain(indices)], { axis });
  return draft.value('plain', shape, value.type, name);
};

const gatherNd: Operator = (scene) => {
  const { draft } = scene;
  const [value, indices] = [input(scene, 0), input(scene, 1)];
  const depth = indices.shape.at(-1) ?? 0;
  const shape = [...indices.shape.slice(0, -1), ...value.shape.slice(depth)];
  const name = draft.node('GatherND', [draft.plain(value), draft.cast(draft.plain(indices), 'int64')]);
  return draft.value('plain', shape, value.type, name);
};

const softmax =
  (op: string): Operator =>
  (scene) => {
    const { draft } = scene;
    const value = input(scene, 0);
    const layout = layoutOf(value);
    const axis = axisIn(layout, value.shape.length - 1);
    return draft.value(layout, value.shape, value.type, draft.node(op, [draft.name(value, layout)], { axis }));
  };

function matrix(scene: Scene, value: Value, turn: boolean): { name: string; shape: readonly number[] } {
  const { draft } = scene;
  const rank = value.shape.length;
  if (rank < 2) throw draft.wrong(`[${value.shape}] is no matrix`);
  if (!turn) return { name: draft.plain(value), shape: value.shape };
  const perm = value.shape.map((_, axis) => (axis < rank - 2 ? axis : rank - 1 - (axis - rank + 2)));
  return {
    name: draft.node('Transpose', [draft.plain(value)], { perm }),
    shape: perm.map((axis) => value.shape[axis] ?? 0),
  };
}

const matMul =
  (turnA: string, turnB: string): Operator =>
  (scene) => {
    const { draft, node } = scene;
    const a = matrix(scene, input(scene, 0), flag(scene, turnA));
    const b = matrix(scene, input(scene, 1), flag(scene, turnB));
    const lead = a.shape.length >= b.shape.length ? a.shape.slice(0, -2) : b.shape.slice(0, -2);
    const shape = [...lead, a.shape.at(-2) ?? 0, b.shape.at(-1) ?? 0];
    const product = draft.value('plain', shape, 'float32', draft.node('MatMul', [a.name, b.name]));
    return (node.attr['fused_ops']?.list?.s ?? []).reduce((value, op) => fused(scene, op, value), product);
  };

function fused(scene: Scene, op: string, value: Value): Value {
  const { draft } = scene;
  if (op === 'BiasAdd') return binary(draft, 'Add', [value, input(scene, 2)]);
  if (op === 'Prelu') return prelu(draft, value, input(scene, 3));
  const made = activation(draft, op, value, real(scene, 'leakyrelu_alpha', 0.2));
  if (made === null) throw draft.wrong(`the fused operator ${op} cannot be converted`);
  return made;
}

import { prelu } from './convolution.ts';
import { activation, binary } from './elementwise.ts';

export const REDUCTIONS: Operators = {
  Mean: reduce('ReduceMean'),
  Sum: reduce('ReduceSum', true),
  Max: reduce('ReduceMax'),
  Min: reduce('ReduceMin'),
  Prod: reduce('ReduceProd'),
  ArgMax: arg('ArgMax'),
  ArgMin: arg('ArgMin'),
  TopKV2: topK,
  Gather: gather,
  GatherV2: gather,
  GatherNd: gatherNd,
  Softmax: softmax('Softmax'),
  LogSoftmax: softmax('LogSoftmax'),
  MatMul: matMul('transpose_a', 'transpose_b'),
  _FusedMatMul: matMul('transpose_a', 'transpose_b'),
  BatchMatMul: matMul('adj_x', 'adj_y'),
  BatchMatMulV2: matMul('adj_x', 'adj_y'),
};

import { axisIn, commonLayout, layoutOf, TO_CF, TO_PLAIN, type Value } from '../draft.ts';
import {
  axisOf,
  input,
  number,
  numbers,
  type Operator,
  type Operators,
  type Scene,
  whole,
  wholes,
} from '../operator.ts';
import { sizeOf } from '../tensor.ts';
import { type Span, sliceOf, stridedSlice } from './slice.ts';

/** Operators that only move numbers about. */

/** The same numbers in another shape; their order is that of the plain form. */
function reshape(scene: Scene, value: Value, shape: readonly number[]): Value {
  const { draft } = scene;
  return draft.value('plain', shape, value.type, draft.node('Reshape', [draft.plain(value), draft.list(shape)]));
}

/**
 * A shape that is written into the graph for the graph's own input size no longer fits another one: its largest number is
 * the one that counts pixels.
 */
const reshapeTo: Operator = (scene) => {
  const value = input(scene, 0);
  const wanted = numbers(scene, 1);
  const total = sizeOf(value.shape);
  const open = wanted.includes(-1) ? wanted.indexOf(-1) : wanted.indexOf(Math.max(...wanted));
  const others = sizeOf(wanted.filter((_, axis) => axis !== open));
  const shape = sizeOf(wanted) === total ? wanted : wanted.map((dim, axis) => (axis === open ? total / others : dim));
  if (shape.some((dim) => !Number.isInteger(dim) || dim < 0)) {
    throw scene.draft.wrong(`[${value.shape}] does not fit into [${wanted}]`);
  }
  return reshape(scene, value, shape);
};

const expandDims: Operator = (scene) => {
  const value = input(scene, 0);
  return reshape(scene, value, value.shape.toSpliced(axisOf(scene, number(scene, 1), value.shape.length + 1), 0, 1));
};

const squeeze: Operator = (scene) => {
  const value = input(scene, 0);
  const rank = value.shape.length;
  const dims = wholes(scene, 'squeeze_dims').map((axis) => axisOf(scene, axis, rank));
  return reshape(
    scene,
    value,
    value.shape.filter((dim, axis) => (dims.length === 0 ? dim !== 1 : !dims.includes(axis))),
  );
};

const isOrder = (perm: readonly number[], order: readonly number[]): boolean => perm.join() === order.join();

/** A change between the two forms costs nothing: the name moves from one to the other. */
const transpose: Operator = (scene) => {
  const { draft } = scene;
  const value = input(scene, 0);
  const perm = numbers(scene, 1);
  const shape = perm.map((axis) => value.shape[axis] ?? 1);
  const { padded } = value;
  if (padded !== null && value.plain === null && value.cf === null) {
    const source = transposeOf(scene, padded.source, perm);
    const pads = perm.map((axis): readonly [number, number] => padded.pads[axis] ?? [0, 0]);
    return { shape, type: value.type, constant: null, plain: null, cf: null, padded: { ...padded, source, pads } };
  }
  return { ...transposeOf(scene, value, perm), shape };
  function transposeOf(at: Scene, from: Value, order: readonly number[]): Value {
    const turned = order.map((axis) => from.shape[axis] ?? 1);
    if (isOrder(order, TO_CF)) return at.draft.value('plain', turned, from.type, at.draft.cf(from));
    if (isOrder(order, TO_PLAIN)) return at.draft.value('cf', turned, from.type, at.draft.plain(from));
    return at.draft.value('plain', turned, from.type, draft.node('Transpose', [draft.plain(from)], { perm: order }));
  }
};

const concat: Operator = (scene) => {
  const { draft, inputs } = scene;
  const values = inputs.slice(0, -1);
  const [first] = values;
  if (first === undefined) throw draft.wrong('has no inputs');
  const axis = axisOf(scene, number(scene, values.length), first.shape.length);
  const layout = first.shape.length === 4 ? commonLayout(values) : 'plain';
  const length = values.reduce((sum, value) => sum + (value.shape[axis] ?? 0), 0);
  const names = values.map((value) => draft.name(value, layout));
  const name = draft.node('Concat', names, { axis: axisIn(layout, axis) });
  return draft.value(layout, first.shape.with(axis, length), first.type, name);
};

function splitInto(scene: Scene, value: Value, axis: number, lengths: readonly number[]): Value[] {
  const { draft } = scene;
  const layout = value.shape.length === 4 ? layoutOf(value) : 'plain';
  const names = draft.nodesOutputs('Split', [draft.name(value, layout), draft.list(lengths)], lengths.length, {
    axis: axisIn(layout, axis),
  });
  return names.map((name, at) => draft.value(layout, value.shape.with(axis, lengths[at] ?? 0), value.type, name));
}

const split: Operator = (scene) => {
  const value = input(scene, 1);
  const axis = axisOf(scene, number(scene, 0), value.shape.length);
  const parts = whole(scene, 'num_split', 1);
  return splitInto(scene, value, axis, Array<number>(parts).fill((value.shape[axis] ?? 0) / parts));
};

const splitV: Operator = (scene) => {
  const value = input(scene, 0);
  const axis = axisOf(scene, number(scene, 2), value.shape.length);
  const lengths = numbers(scene, 1);
  const known = lengths.reduce((sum, length) => sum + Math.max(length, 0), 0);
  return splitInto(
    scene,
    value,
    axis,
    lengths.map((length) => (length < 0 ? (value.shape[axis] ?? 0) - known : length)),
  );
};

const unpack: Operator = (scene) => {
  const value = input(scene, 0);
  const axis = axisOf(scene, whole(scene, 'axis'), value.shape.length);
  const count = value.shape[axis] ?? 0;
  const shape = value.shape.toSpliced(axis, 1);
  if (count === 1) return [reshape(scene, value, shape)];
  const plain = { ...value, cf: null, plain: scene.draft.plain(value) };
  return splitInto(scene, plain, axis, Array<number>(count).fill(1)).map((part) => reshape(scene, part, shape));
};

const pack: Operator = (scene) => {
  const { draft, inputs } = scene;
  const shape = input(scene, 0).shape;
  const axis = axisOf(scene, whole(scene, 'axis'), shape.length + 1);
  const names = inputs.map((value) => draft.plain(reshape(scene, value, shape.toSpliced(axis, 0, 1))));
  const name = draft.node('Concat', names, { axis });
  return draft.value('plain', shape.toSpliced(axis, 0, inputs.length), input(scene, 0).type, name);
};

const tile: Operator = (scene) => {
  const { draft } = scene;
  const value = input(scene, 0);
  const times = numbers(scene, 1);
  const name = draft.node('Tile', [draft.plain(value), draft.list(times)]);
  return draft.value(
    'plain',
    value.shape.map((dim, axis) => dim * (times[axis] ?? 1)),
    value.type,
    name,
  );
};

const broadcastTo: Operator = (scene) => {
  const { draft } = scene;
  const value = input(scene, 0);
  const shape = numbers(scene, 1);
  return draft.value('plain', shape, value.type, draft.node('Expand', [draft.plain(value), draft.list(shape)]));
};

const slice: Operator = (scene) => {
  const value = input(scene, 0);
  const begin = numbers(scene, 1);
  const size = numbers(scene, 2);
  const spans = value.shape.map((dim, axis): Span => {
    const from = begin[axis] ?? 0;
    const count = size[axis] ?? -1;
    return { from, count: count < 0 ? dim - from : count, step: 1 };
  });
  return sliceOf(scene.draft, value, spans);
};

const strided: Operator = (scene) => {
  const value = input(scene, 0);
  const { spans, shape } = stridedSlice(scene, value.shape);
  const cut = sliceOf(scene.draft, value, spans);
  return cut.shape.join() === shape.join() ? cut : reshape(scene, cut, shape);
};

export const SHAPES: Operators = {
  Reshape: reshapeTo,
  ExpandDims: expandDims,
  Squeeze: squeeze,
  Transpose: transpose,
  ConcatV2: concat,
  Split: split,
  SplitV: splitV,
  Unpack: unpack,
  Pack: pack,
  Tile: tile,
  BroadcastTo: broadcastTo,
  Slice: slice,
  StridedSlice: strided,
};

import { z } from 'zod';
import { QuanweiError } from '../../../kernel/errors.ts';
import { halfToFloat } from './half.ts';
import { type DataType, sizeOf, type Tensor } from './tensor.ts';

/** A TensorFlow.js graph model (`format: graph-model`): a `.json` with the nodes, and `.bin` files with the weights. */

const Whole = z.union([z.int(), z.string().regex(/^-?\d{1,18}$/)]).transform(Number);
const Real = z
  .union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity', 'inf', '-inf'])])
  .transform((value) => (typeof value === 'number' ? value : Number(value.replace('inf', 'Infinity'))));
/** Bytes: base64 in files, character codes in models that were saved by hand. */
const Text = z
  .union([z.string(), z.array(z.int().min(0).max(255))])
  .transform((value) => Buffer.from(value as string, 'base64').toString('latin1'));
const Kind = z.union([z.string(), z.int()]);
const Shape = z.object({ dim: z.array(z.object({ size: Whole.default(0) })).default([]) });

const Attribute = z.object({
  s: Text.optional(),
  i: Whole.optional(),
  f: Real.optional(),
  b: z.boolean().optional(),
  type: Kind.optional(),
  shape: Shape.optional(),
  list: z.object({ i: z.array(Whole).optional(), f: z.array(Real).optional(), s: z.array(Text).optional() }).optional(),
});

const Node = z.object({
  name: z.string().min(1).max(1_000),
  op: z.string().min(1).max(200),
  input: z.array(z.string().max(1_000)).max(1_000).default([]),
  attr: z.record(z.string(), Attribute).default({}),
});

const Weight = z.object({
  name: z.string().max(1_000),
  shape: z.array(z.int().min(0)).max(8),
  dtype: z.enum(['float32', 'int32', 'bool']),
  quantization: z
    .object({ dtype: z.enum(['float16', 'uint8', 'uint16']), scale: z.number().optional(), min: z.number().optional() })
    .optional(),
});
type Weight = z.output<typeof Weight>;

const GraphModel = z.object({
  format: z.literal('graph-model').optional(),
  modelTopology: z.object({ node: z.array(Node).min(1).max(50_000) }),
  weightsManifest: z.array(z.object({ paths: z.array(z.string()).min(1), weights: z.array(Weight) })).min(1),
});

export type GraphNode = z.output<typeof Node>;

export interface Graph {
  readonly nodes: ReadonlyMap<string, GraphNode>;
  readonly weights: ReadonlyMap<string, Tensor>;
}

const wrong = (what: string): QuanweiError => new QuanweiError('BAD_MODEL', what);

/**
 * @param json text of the `.json`
 * @param files the weight files, in the order the manifest names them
 * @throws QuanweiError BAD_MODEL when it is no graph model, or the weights are not exactly as long as it says
 */
export function readGraph(json: string, files: readonly Uint8Array[]): Graph {
  const parsed = GraphModel.safeParse(parseJson(json));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw wrong(`not a TensorFlow.js graph model: ${issue?.path.map(String).join('.')}: ${issue?.message}`);
  }
  const { modelTopology, weightsManifest } = parsed.data;
  const nodes = new Map(modelTopology.node.map((node) => [node.name, node]));
  const weights = new Map<string, Tensor>();
  let taken = 0;
  for (const group of weightsManifest) {
    const bytes = Buffer.concat(files.slice(taken, taken + group.paths.length));
    taken += group.paths.length;
    let at = 0;
    for (const weight of group.weights) {
      const length = sizeOf(weight.shape) * bytesEach(weight);
      if (at + length > bytes.length) {
        throw wrong(`the weights end early: ${weight.name} needs bytes ${at} to ${at + length} of ${bytes.length}`);
      }
      weights.set(weight.name, decode(weight, bytes.subarray(at, at + length)));
      at += length;
    }
    if (at !== bytes.length)
      throw wrong(`the weights are longer than the graph says: ${bytes.length} instead of ${at}`);
  }
  if (taken !== files.length) throw wrong(`the graph names ${taken} weight files, and there are ${files.length}`);
  return { nodes, weights };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new QuanweiError('BAD_MODEL', 'not a TensorFlow.js graph model: not JSON', { cause });
  }
}

function bytesEach({ dtype, quantization }: Weight): number {
  if (quantization !== undefined) return quantization.dtype === 'uint8' ? 1 : 2;
  return dtype === 'bool' ? 1 : 4;
}

/** The numbers of one weight. Little-endian, as TensorFlow.js writes them everywhere. */
function decode({ name, shape, dtype, quantization }: Weight, bytes: Buffer): Tensor {
  const count = sizeOf(shape);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const data = dtype === 'float32' ? new Float32Array(count) : new Int32Array(count);
  if (quantization === undefined) {
    for (let at = 0; at < count; at++) {
      if (dtype === 'float32') data[at] = view.getFloat32(at * 4, true);
      else data[at] = dtype === 'bool' ? view.getUint8(at) : view.getInt32(at * 4, true);
    }
    return { shape, type: dtype, data, half: false };
  }
  if (quantization.dtype === 'float16') {
    for (let at = 0; at < count; at++) data[at] = halfToFloat(view.getUint16(at * 2, true));
    return { shape, type: dtype, data, half: dtype === 'float32' };
  }
  const { scale, min } = quantization;
  if (scale === undefined || min === undefined) throw wrong(`weight ${name} is quantized without scale and min`);
  for (let at = 0; at < count; at++) {
    const whole = quantization.dtype === 'uint8' ? view.getUint8(at) : view.getUint16(at * 2, true);
    data[at] = dtype === 'float32' ? whole * scale + min : Math.round(whole * scale + min);
  }
  return { shape, type: dtype, data, half: false };
}

/** TensorFlow's numbers for the types (tensorflow/core/framework/types.proto), as this converter has them. */
const TYPES: Readonly<Record<string, DataType>> = {
  DT_FLOAT: 'float32',
  1: 'float32',
  DT_HALF: 'float32',
  DT_INT32: 'int32',
  3: 'int32',
  DT_INT64: 'int32',
  9: 'int32',
  DT_UINT8: 'int32',
  4: 'int32',
  DT_BOOL: 'bool',
  10: 'bool',
};

/** The type an attribute names. @throws QuanweiError BAD_MODEL */
export function typeAttribute(node: GraphNode, name: string): DataType {
  const given = node.attr[name]?.type;
  const type = given === undefined ? undefined : TYPES[given];
  if (type === undefined) throw wrong(`${node.op} ${node.name}: type ${String(given)} cannot be converted`);
  return type;
}

/** `name:2` is the third output of `name`; `^name` only orders. */
export function splitReference(reference: string): { name: string; output: number } {
  const colon = reference.lastIndexOf(':');
  const output = Number(reference.slice(colon + 1));
  return colon > 0 && Number.isInteger(output)
    ? { name: reference.slice(0, colon), output }
    : { name: reference, output: 0 };
}

/**
 * The nodes that the ends need, each after what it needs itself.
 * @param given names that are not looked behind: the inputs
 * @throws QuanweiError BAD_MODEL for a name that is not there, or a circle (a loop of the old control flow)
 */
export function inOrder(graph: Graph, ends: readonly string[], given: ReadonlySet<string>): GraphNode[] {
  const order: GraphNode[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const stack = ends.map((name) => ({ name, leaving: false })).reverse();
  for (let step = stack.pop(); step !== undefined; step = stack.pop()) {
    const { name, leaving } = step;
    if (given.has(name)) continue;
    const node = graph.nodes.get(name);
    if (node === undefined) throw wrong(`the graph has no node ${name}`);
    if (leaving) {
      state.set(name, 'done');
      order.push(node);
      continue;
    }
    if (state.get(name) === 'done') continue;
    if (state.get(name) === 'open') throw wrong(`${node.op} ${name} is part of a loop, which cannot be converted`);
    state.set(name, 'open');
    stack.push({ name, leaving: true });
    for (const reference of node.input.filter((one) => !one.startsWith('^')).reverse()) {
      const source = splitReference(reference).name;
      if (state.get(source) !== 'done') stack.push({ name: source, leaving: false });
    }
  }
  return order;
}

import { QuanweiError } from '../../../kernel/errors.ts';
import { constantValue, Draft, type Value } from './draft.ts';
import { fold } from './fold.ts';
import { type Graph, type GraphNode, inOrder, readGraph, splitReference, typeAttribute } from './graph.ts';
import { type OnnxPort, writeOnnx } from './onnx.ts';
import { type Operators, SAME_SIZE, type Scale, type Scene } from './operator.ts';
import { CONVOLUTIONS } from './ops/convolution.ts';
import { ELEMENTWISE } from './ops/elementwise.ts';
import { REDUCTIONS } from './ops/reduce.ts';
import { RESIZES } from './ops/resize.ts';
import { SHAPES } from './ops/shape.ts';
import { sliceOf } from './ops/slice.ts';
import type { DataType } from './tensor.ts';

/** Grows with every change of what is written: converted models of another version are made again. */
export const CONVERTER_VERSION = '1';

const OPERATORS: Operators = { ...CONVOLUTIONS, ...ELEMENTWISE, ...SHAPES, ...REDUCTIONS, ...RESIZES };

export interface Conversion {
  /** What the ONNX graph is called. */
  readonly name: string;
  readonly input: {
    readonly name: string;
    readonly layout: 'nchw' | 'nhwc';
    readonly type: 'float32' | 'int32';
    readonly width: number;
    readonly height: number;
  };
  /** Names the outputs get. */
  readonly outputs: readonly string[];
  /** What an input or output is called in the graph, where that is another name; see `parseEnd`. */
  readonly cut: Readonly<Record<string, string>>;
}

/**
 * A TensorFlow.js graph model as an ONNX model with fixed shapes. The same input gives the same bytes.
 * @param json text of the model's `.json`
 * @param weights its weight files, in the order it names them
 * @throws QuanweiError BAD_MODEL naming the operator and node that cannot be converted
 */
export function convertGraph(json: string, weights: readonly Uint8Array[], wanted: Conversion): Buffer {
  const graph = readGraph(json, weights);
  const draft = new Draft();
  const begin = beginning(graph, wanted);
  const ends = wanted.outputs.map((name) => ({ name, ...parseEnd(wanted.cut[name] ?? name) }));
  const values = new Map<string, readonly Value[]>([
    [begin.name, [draft.value('plain', begin.port.shape, begin.port.type, wanted.input.name)]],
  ]);
  /** Nodes whose numbers come from a tensor's actual size, and so fit whatever input is made. */
  const measured = new Set<string>();
  const order = inOrder(
    graph,
    ends.map((end) => end.node),
    new Set([begin.name]),
  );
  for (const node of order) {
    draft.current = node;
    const sources = node.input.filter((one) => !one.startsWith('^')).map(splitReference);
    if (MEASURING.has(node.op) || sources.some(({ name }) => measured.has(name))) measured.add(node.name);
    const inputs = sources.map(({ name, output }) => {
      const value = values.get(name)?.[output];
      if (value === undefined) throw draft.wrong(`there is no ${name}:${output}`);
      return value;
    });
    const sized = sources.slice(1).some(({ name }) => measured.has(name));
    const made = convertNode(graph, { node, inputs, draft, scale: sized ? SAME_SIZE : begin.scale });
    values.set(node.name, Array.isArray(made) ? made : [made]);
  }
  draft.current = null;
  const outputs = ends.map(({ name, node, output, from, to }): OnnxPort => {
    const value = values.get(node)?.[output];
    if (value === undefined) throw new QuanweiError('BAD_MODEL', `the graph has no output ${node}:${output}`);
    const spans = value.shape.map((dim, axis) =>
      from !== null && axis === value.shape.length - 1
        ? { from, count: Math.min(to, dim) - from, step: 1 }
        : { from: 0, count: dim, step: 1 },
    );
    const cut = sliceOf(draft, value, spans);
    draft.nodes.push({
      op: 'Identity',
      name: `end/${name}`,
      inputs: [draft.plain(cut)],
      outputs: [name],
      attributes: {},
    });
    return { name, type: cut.type, shape: cut.shape };
  });
  return writeOnnx({
    name: wanted.name,
    producer: { name: 'quanwei', version: CONVERTER_VERSION },
    nodes: draft.nodes,
    initializers: draft.initializers,
    inputs: [begin.port],
    outputs,
  });
}

const MEASURING = new Set(['Shape', 'Size']);

function convertNode(graph: Graph, scene: Scene): Value | Value[] {
  const { node, draft } = scene;
  if (node.op === 'Const') {
    const constant = graph.weights.get(node.name);
    if (constant === undefined) throw draft.wrong('has no weights');
    return constantValue(constant);
  }
  if (node.op === 'Placeholder') throw draft.wrong('is an input nobody gives');
  const folded = fold(scene);
  if (folded !== null) return constantValue(folded);
  const operator = OPERATORS[node.op];
  if (operator === undefined) {
    throw new QuanweiError('BAD_MODEL', `the operator ${node.op} (node ${node.name}) cannot be converted`, {
      hint: 'cut the graph before it (cut:), or add it to src/vision/models/convert/ops',
    });
  }
  return operator(scene);
}

interface Beginning {
  /** Of the node in the graph. */
  readonly name: string;
  readonly port: OnnxPort;
  readonly scale: Scale;
}

/** The input as it is made: its size is what is wanted, its channels are the graph's. */
function beginning(graph: Graph, { input, cut }: Conversion): Beginning {
  const name = parseEnd(cut[input.name] ?? input.name).node;
  const node = graph.nodes.get(name);
  if (node === undefined) {
    const there = [...graph.nodes.values()].filter(({ op }) => op === 'Placeholder').map((one) => one.name);
    throw new QuanweiError('BAD_MODEL', `the graph has no input ${name}`, { hint: `it has: ${there.join(', ')}` });
  }
  const [y, x, c] = input.layout === 'nchw' ? [2, 3, 1] : [1, 2, 3];
  const dims = placeholderShape(node);
  const shape = [1, 1, 1, 1]
    .with(y, input.height)
    .with(x, input.width)
    .with(c, (dims[c] ?? 0) > 0 ? (dims[c] ?? 3) : 3);
  const own = { x: dims[x] ?? 0, y: dims[y] ?? 0 };
  const type = placeholderType(node) ?? input.type;
  if (type !== input.type) throw new QuanweiError('BAD_MODEL', `the input ${name} is ${type}, not ${input.type}`);
  return {
    name,
    port: { name: input.name, type, shape },
    scale:
      own.x > 0 && own.y > 0
        ? { width: input.width, height: input.height, ownWidth: own.x, ownHeight: own.y }
        : SAME_SIZE,
  };
}

const placeholderShape = (node: GraphNode): number[] =>
  node.op === 'Placeholder' ? (node.attr['shape']?.shape?.dim.map(({ size }) => size) ?? []) : [];

const placeholderType = (node: GraphNode): DataType | null =>
  node.op === 'Placeholder' ? typeAttribute(node, 'dtype') : null;

/**
 * `node`, `node:1` for its second output, and `node[0:1]` for a part of its last axis: the channels of a heat map that are
 * looked at.
 */
function parseEnd(text: string): { node: string; output: number; from: number | null; to: number } {
  const range = /^(.*)\[(\d+):(\d+)\]$/.exec(text);
  const { name, output } = splitReference(range?.[1] ?? text);
  return { node: name, output, from: range === null ? null : Number(range[2]), to: Number(range?.[3] ?? 0) };
}

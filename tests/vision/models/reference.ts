import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from 'onnxruntime-node';
import { ort } from '../../../src/vision/inference/onnxruntime.ts';
import { BUILT_IN_MODELS, loadModels } from '../../../src/vision/models/catalogue.ts';
import { ModelStore, modelsDirectory } from '../../../src/vision/models/store.ts';
import { model } from '../../support/vision-material.ts';
import '@tensorflow/tfjs-backend-cpu';

/** The two sides of every comparison: TensorFlow.js runs the graph as it is, ONNX Runtime what was made of it. */

export interface TfjsGraph {
  readonly json: string;
  readonly weights: Uint8Array;
}

export interface Feed {
  readonly type: 'float32' | 'int32';
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array;
}

export interface Result {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

interface Topology {
  modelTopology: { node: GraphNode[] };
  weightsManifest: { weights: WeightSpec[] }[];
}
interface GraphNode {
  name: string;
  op: string;
  input?: string[];
  attr?: { shape?: { shape: { dim: Dim[] } } };
}
type Dim = { size: string };
interface WeightSpec {
  name: string;
  shape: number[];
  dtype: 'float32' | 'int32' | 'bool';
  quantization?: { dtype: 'float16' | 'uint8' | 'uint16'; scale?: number; min?: number };
}

/** The graph a model of the program is made from; fetched with it. */
export async function graphOf(id: string): Promise<TfjsGraph> {
  await model(id);
  const wanted = loadModels([BUILT_IN_MODELS]).wanted(id);
  const store = new ModelStore(modelsDirectory());
  const read = () => Promise.all(wanted.entry.files.map(({ path, sha256 }) => store.keptSource(path, sha256)));
  if ((await read()).includes(null)) {
    // Somebody cleared the sources away: they come with the model.
    await rm(store.path(wanted));
    await model(id);
  }
  const [json, ...weights] = await read();
  return { json: (json as Buffer).toString('utf8'), weights: Buffer.concat(weights as Buffer[]) };
}

/** The same graph with the sizes that are written into it (input and ResizeBilinear) scaled: by hand, by nothing of ours. */
export function rescaled({ json, weights }: TfjsGraph, width: number, height: number): TfjsGraph {
  const graph = JSON.parse(json) as Topology;
  const bytes = Buffer.from(weights);
  const dims = graph.modelTopology.node.find(({ op }) => op === 'Placeholder')?.attr?.shape?.shape.dim ?? [];
  const [down, across] = (dims[1]?.size === '3' ? [dims[2], dims[3]] : [dims[1], dims[2]]) as [Dim, Dim];
  const [y, x] = [height / Number(down.size), width / Number(across.size)];
  [down.size, across.size] = [String(height), String(width)];
  const places = placesOf(graph);
  for (const name of new Set(
    graph.modelTopology.node.flatMap(({ op, input }) => (op === 'ResizeBilinear' ? [input?.[1]] : [])),
  )) {
    const place = places.get(name ?? '');
    if (place === undefined) throw new Error(`${name} is no constant`);
    bytes.writeInt32LE(Math.round(bytes.readInt32LE(place) * y), place);
    bytes.writeInt32LE(Math.round(bytes.readInt32LE(place + 4) * x), place + 4);
  }
  return { json: JSON.stringify(graph), weights: bytes };
}

/** The same graph with other whole numbers in one of its constants. */
export function withNumbers({ json, weights }: TfjsGraph, name: string, numbers: readonly number[]): TfjsGraph {
  const place = placesOf(JSON.parse(json) as Topology).get(name);
  if (place === undefined) throw new Error(`${name} is no constant`);
  const bytes = Buffer.from(weights);
  for (const [i, number] of numbers.entries()) bytes.writeInt32LE(number, place + i * 4);
  return { json, weights: bytes };
}

/** Where each constant begins in the weights. */
function placesOf({ weightsManifest }: Topology): Map<string, number> {
  const places = new Map<string, number>();
  let at = 0;
  for (const spec of weightsManifest.flatMap((group) => group.weights)) {
    places.set(spec.name, at);
    at += spec.shape.reduce((a, b) => a * b, 1) * (spec.quantization === undefined ? 4 : 2);
  }
  return places;
}

/** Outputs as TensorFlow.js computes them, in the order they are named. */
export async function tfjsRun(
  { json, weights }: TfjsGraph,
  feeds: Readonly<Record<string, Feed>>,
  outputs: readonly string[],
  backend: 'cpu' | 'wasm' = 'wasm',
): Promise<Result[]> {
  if (backend === 'wasm')
    setWasmPaths(fileURLToPath(new URL('../../../node_modules/@tensorflow/tfjs-backend-wasm/dist/', import.meta.url)));
  await tf.setBackend(backend);
  const graph = JSON.parse(json) as Topology;
  const loaded = await loadGraphModel({
    load: () =>
      Promise.resolve({
        modelTopology: graph.modelTopology,
        weightSpecs: graph.weightsManifest.flatMap((group) => group.weights),
        weightData: Uint8Array.from(weights).buffer,
        format: 'graph-model',
      }),
  });
  const inputs = Object.fromEntries(
    Object.entries(feeds).map(([name, { type, shape, data }]) => [name, tf.tensor(data, [...shape], type)]),
  );
  const answer = loaded.execute(inputs, [...outputs]);
  const tensors = Array.isArray(answer) ? answer : [answer];
  const results = await Promise.all(tensors.map(async (one) => ({ shape: one.shape, data: await one.data() })));
  for (const one of [...tensors, ...Object.values(inputs)]) one.dispose();
  loaded.dispose();
  return results;
}

/** Outputs as ONNX Runtime computes them from a model's file or bytes. */
export async function ortRun(
  onnx: string | Uint8Array,
  feeds: Readonly<Record<string, Feed>>,
  outputs: readonly string[],
): Promise<Result[]> {
  const options = { intraOpNumThreads: 1, interOpNumThreads: 1 } as const;
  const session = await (typeof onnx === 'string'
    ? ort.InferenceSession.create(onnx, options)
    : ort.InferenceSession.create(onnx, options));
  const tensors = Object.fromEntries(
    Object.entries(feeds).map(([name, { type, shape, data }]) => [
      name,
      type === 'int32'
        ? new ort.Tensor('int32', data as Int32Array, shape)
        : new ort.Tensor('float32', data as Float32Array, shape),
    ]),
  );
  const results = await session.run(tensors, [...outputs]);
  await session.release();
  return outputs.map((name) => {
    const { dims, data } = results[name] as Tensor;
    return { shape: dims, data: data as Float32Array | Int32Array };
  });
}

/** Largest difference of two results; infinite when their shapes differ. */
export function difference(a: Result, b: Result): number {
  if (a.shape.join() !== b.shape.join() || a.data.length !== b.data.length) return Number.POSITIVE_INFINITY;
  let most = 0;
  for (let at = 0; at < a.data.length; at++) {
    const gap = Math.abs((a.data[at] as number) - (b.data[at] as number));
    if (!(gap <= most)) most = Number.isNaN(gap) ? Number.POSITIVE_INFINITY : gap;
  }
  return most;
}

export const largest = ({ data }: Result): number => Array.from(data).reduce((a, b) => Math.max(a, Math.abs(b)), 0);

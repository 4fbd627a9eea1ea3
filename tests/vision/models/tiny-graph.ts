import { convertGraph } from '../../../src/vision/models/convert/convert.ts';
import { difference, type Feed, ortRun, tfjsRun } from './reference.ts';

/** Strings become bytes, lists of numbers whole numbers; anything else is written as TensorFlow.js has it. */
type Attribute = string | boolean | number | readonly number[] | readonly string[] | { f: number } | { type: string };

interface Weight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: 'float32' | 'int32';
  readonly values: readonly number[];
  readonly quantization?: { dtype: 'uint8' | 'uint16'; scale: number; min: number };
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

function encoded(value: Attribute): unknown {
  if (typeof value === 'string') return { s: base64(value) };
  if (typeof value === 'boolean') return { b: value };
  if (typeof value === 'number') return { i: String(value) };
  if (!Array.isArray(value)) return value;
  return typeof value[0] === 'string'
    ? { list: { s: value.map((word) => base64(String(word))) } }
    : { list: { i: value.map(String) } };
}

/** A graph of a few nodes, as a TensorFlow.js model has it. The input is `x`, a picture [1, H, W, C]. */
export class TinyGraph {
  readonly #nodes: unknown[] = [];
  readonly #weights: Weight[] = [];
  readonly #shape: readonly number[];
  #seed = 7;

  constructor(shape: readonly number[] = [1, 6, 8, 4]) {
    this.#shape = shape;
    const dim = shape.map((size) => ({ size: String(size) }));
    this.#nodes.push({
      name: 'x',
      op: 'Placeholder',
      attr: { dtype: { type: 'DT_FLOAT' }, shape: { shape: { dim } } },
    });
  }

  /** -1 to 1, the same at every run. */
  #random(): number {
    this.#seed = (this.#seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return (this.#seed / 2_147_483_648) * 2 - 1;
  }

  node(op: string, input: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}): string {
    const name = `n${this.#nodes.length}`;
    const types = { T: { type: 'DT_FLOAT' } };
    const attr = {
      ...types,
      ...Object.fromEntries(Object.entries(attributes).map(([key, value]) => [key, encoded(value)])),
    };
    this.#nodes.push({ name, op, input: [...input], attr });
    return name;
  }

  #constant(weight: Omit<Weight, 'name'>): string {
    const name = `w${this.#weights.length}`;
    this.#weights.push({ ...weight, name });
    const dtype = { type: weight.dtype === 'float32' ? 'DT_FLOAT' : 'DT_INT32' };
    this.#nodes.push({ name, op: 'Const', attr: { dtype } });
    return name;
  }

  /** @param values random ones when they are left out */
  floats(shape: readonly number[], values?: readonly number[]): string {
    const count = shape.reduce((a, b) => a * b, 1);
    return this.#constant({
      shape,
      dtype: 'float32',
      values: values ?? Array.from({ length: count }, () => this.#random()),
    });
  }

  quantized(shape: readonly number[], dtype: 'uint8' | 'uint16', values: readonly number[]): string {
    return this.#constant({ shape, dtype: 'float32', values, quantization: { dtype, scale: 0.02, min: -1.5 } });
  }

  ints(values: readonly number[]): string {
    return this.#constant({ shape: [values.length], dtype: 'int32', values });
  }

  /** [before, after] of each axis */
  pads(values: readonly number[]): string {
    return this.#constant({ shape: [values.length / 2, 2], dtype: 'int32', values });
  }

  int(value: number): string {
    return this.#constant({ shape: [], dtype: 'int32', values: [value] });
  }

  /** As it lies on disk. */
  files(): { json: string; weights: Buffer } {
    const parts = this.#weights.map(({ dtype, values, quantization }) => {
      const each = quantization === undefined ? 4 : quantization.dtype === 'uint8' ? 1 : 2;
      const bytes = Buffer.alloc(values.length * each);
      for (const [at, value] of values.entries()) {
        if (each === 1) bytes.writeUInt8(value, at);
        else if (each === 2) bytes.writeUInt16LE(value, at * 2);
        else if (dtype === 'float32') bytes.writeFloatLE(value, at * 4);
        else bytes.writeInt32LE(value, at * 4);
      }
      return bytes;
    });
    const weights = this.#weights.map(({ values: _, ...spec }) => spec);
    const json = JSON.stringify({
      format: 'graph-model',
      modelTopology: { node: this.#nodes, library: {}, versions: { producer: 1, minConsumer: 1 } },
      weightsManifest: [{ paths: ['w.bin'], weights }],
    });
    return { json, weights: Buffer.concat(parts) };
  }

  convert(outputs: readonly string[]): Buffer {
    const { json, weights } = this.files();
    const [, height = 0, width = 0] = this.#shape;
    return convertGraph(json, [weights], {
      name: 'tiny',
      input: { name: 'x', layout: 'nhwc', type: 'float32', width, height },
      outputs: outputs.map((_, at) => `y${at}`),
      cut: Object.fromEntries(outputs.map((name, at) => [`y${at}`, name])),
    });
  }

  /** Largest difference between what TensorFlow.js and ONNX Runtime say, over all outputs. */
  async difference(...outputs: readonly string[]): Promise<number> {
    const count = this.#shape.reduce((a, b) => a * b, 1);
    const x: Feed = {
      type: 'float32',
      shape: this.#shape,
      data: Float32Array.from({ length: count }, () => this.#random() * 3),
    };
    const wanted = await tfjsRun(this.files(), { x }, outputs, 'cpu');
    const found = await ortRun(
      this.convert(outputs),
      { x },
      outputs.map((_, at) => `y${at}`),
    );
    return Math.max(...wanted.map((result, at) => difference(result, found[at] as typeof result)));
  }
}

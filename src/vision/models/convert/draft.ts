import { QuanweiError } from '../../../kernel/errors.ts';
import type { GraphNode } from './graph.ts';
import { type Attributes, initializerOf, type OnnxInitializer, type OnnxNode, TYPE_NUMBERS } from './onnx.ts';
import { type DataType, reshaped, type Tensor, transposed } from './tensor.ts';

/**
 * A tensor of the graph that is being converted. TensorFlow keeps pictures as [N, H, W, C] and ONNX as [N, C, H, W]: a
 * tensor has a name in the one form (`plain`), in the other (channels first, `cf`: plain transposed by 0, 3, 1, 2), or in both once
 * somebody wanted the other one. `shape` is always that of the plain form.
 */
export interface Value {
  readonly shape: readonly number[];
  readonly type: DataType;
  readonly constant: Tensor | null;
  plain: string | null;
  cf: string | null;
  /** A padding nobody has carried out: a convolution takes it over. */
  readonly padded: Padded | null;
}

export interface Padded {
  readonly source: Value;
  /** [before, after] for each axis of the plain form */
  readonly pads: readonly (readonly [number, number])[];
  readonly fill: number;
}

export type Layout = 'plain' | 'cf';

export const TO_CF = [0, 3, 1, 2] as const;
export const TO_PLAIN = [0, 2, 3, 1] as const;

/** Which axis of the channels-first form an axis of the plain form is. */
export const axisIn = (layout: Layout, axis: number): number => (layout === 'cf' ? TO_CF.indexOf(axis as 0) : axis);

export const constantValue = (constant: Tensor): Value => ({
  shape: constant.shape,
  type: constant.type,
  constant,
  plain: null,
  cf: null,
  padded: null,
});

/** The ONNX graph while it is being written. */
export class Draft {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxInitializer[] = [];
  readonly #lists = new Map<string, string>();
  #names = 0;
  /** What is being converted: its name goes on every node made for it. */
  current: GraphNode | null = null;

  /** A message that names the node at which it went wrong. */
  wrong(what: string): QuanweiError {
    const at = this.current === null ? '' : `${this.current.op} ${this.current.name}: `;
    return new QuanweiError('BAD_MODEL', `${at}${what}`);
  }

  value(layout: Layout, shape: readonly number[], type: DataType, name: string): Value {
    return {
      shape,
      type,
      constant: null,
      plain: layout === 'plain' ? name : null,
      cf: layout === 'cf' ? name : null,
      padded: null,
    };
  }

  /** Adds a node with one output, and gives that output's name. An input may be left out with `''`. */
  node(op: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.nodesOutputs(op, inputs, 1, attributes)[0] as string;
  }

  nodesOutputs(op: string, inputs: readonly string[], outputs: number, attributes: Attributes = {}): string[] {
    const names = Array.from({ length: outputs }, () => this.#name());
    const name = `${this.current?.name ?? 'end'}/${names[0]}`;
    this.nodes.push({ op, name, inputs, outputs: names, attributes });
    return names;
  }

  /** A list of whole numbers as ONNX wants its shapes and axes. */
  list(values: readonly number[]): string {
    const key = values.join(',');
    const known = this.#lists.get(key);
    if (known !== undefined) return known;
    const name = this.#name();
    const bytes = Buffer.alloc(values.length * 8);
    for (const [at, value] of values.entries()) bytes.writeBigInt64LE(BigInt(value), at * 8);
    this.initializers.push({ name, shape: [values.length], type: 'int64', bytes });
    this.#lists.set(key, name);
    return name;
  }

  tensor(tensor: Tensor): string {
    const initializer = initializerOf(this.#name(), tensor);
    this.initializers.push(initializer);
    return initializer.type === 'float16' ? this.cast(initializer.name, 'float32') : initializer.name;
  }

  scalar(value: number, type: DataType = 'float32'): string {
    const data = type === 'float32' ? Float32Array.of(value) : Int32Array.of(value);
    return this.tensor({ shape: [], type, data, half: false });
  }

  cast(name: string, type: keyof typeof TYPE_NUMBERS): string {
    return this.node('Cast', [name], { to: TYPE_NUMBERS[type] });
  }

  name(value: Value, layout: Layout): string {
    return layout === 'cf' ? this.cf(value) : this.plain(value);
  }

  plain(value: Value): string {
    if (value.plain === null) {
      if (value.constant !== null) value.plain = this.tensor(value.constant);
      else if (value.padded !== null && layoutOf(value.padded.source) === 'plain')
        value.plain = this.#pad(value.padded, 'plain');
      else value.plain = this.node('Transpose', [this.cf(value)], { perm: TO_PLAIN });
    }
    return value.plain;
  }

  cf(value: Value): string {
    if (value.cf === null) {
      if (value.shape.length !== 4) throw this.wrong(`[${value.shape}] cannot have its channels first`);
      if (value.constant !== null) value.cf = this.tensor(transposed(value.constant, TO_CF));
      else if (value.padded !== null && layoutOf(value.padded.source) === 'cf')
        value.cf = this.#pad(value.padded, 'cf');
      else value.cf = this.node('Transpose', [this.plain(value)], { perm: TO_CF });
    }
    return value.cf;
  }

  /** For an operator that spreads a smaller operand over a picture. */
  spread(value: Value, layout: Layout): string {
    if (layout === 'plain' || value.shape.length === 4) return this.name(value, layout);
    if (value.shape.every((dim) => dim === 1)) return this.plain(value);
    if (value.constant === null) throw this.wrong(`[${value.shape}] cannot be spread`);
    const shape = [...Array.from({ length: 4 - value.shape.length }, () => 1), ...value.shape];
    return this.tensor(transposed(reshaped(value.constant, shape), TO_CF));
  }

  #pad({ source, pads, fill }: Padded, layout: Layout): string {
    const order = layout === 'cf' ? TO_CF.map((axis) => pads[axis]) : pads;
    const list = this.list([...order.map((pad) => pad?.[0] ?? 0), ...order.map((pad) => pad?.[1] ?? 0)]);
    return this.node('Pad', [this.name(source, layout), list, this.scalar(fill, source.type)], { mode: 'constant' });
  }

  #name(): string {
    this.#names += 1;
    return `t${this.#names}`;
  }
}

/** The form a value has without a transposition. */
export function layoutOf(value: Value): Layout {
  if (value.padded !== null && value.plain === null && value.cf === null) return layoutOf(value.padded.source);
  return value.plain === null && value.cf !== null ? 'cf' : 'plain';
}

/** The form an operator on several values works in: pictures stay as they are where that is possible. */
export function commonLayout(values: readonly Value[]): Layout {
  const variable = values.filter((value) => value.constant === null);
  const fits = values.every(
    (value) =>
      value.shape.length === 4 ||
      value.shape.every((dim) => dim === 1) ||
      (value.constant !== null && value.shape.length < 4),
  );
  return fits && variable.some((value) => value.shape.length === 4 && layoutOf(value) === 'cf') ? 'cf' : 'plain';
}

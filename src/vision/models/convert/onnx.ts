import { floatToHalf } from './half.ts';
import { Message } from './protobuf.ts';
import type { DataType, Tensor } from './tensor.ts';

/**
 * Writes ONNX models (github.com/onnx/onnx, onnx/onnx.proto: the field numbers below are its). Operator set 17 and IR 8
 * are what ONNX Runtime 1.12 (2022) and everything newer reads.
 */

const IR_VERSION = 8;
const OPSET = 17;

/** TensorProto.DataType */
export const TYPE_NUMBERS = { float32: 1, int32: 6, int64: 7, bool: 9, float16: 10 } as const;

/** Whole numbers, unless `float` says otherwise. */
export type Attribute = number | string | readonly number[] | { readonly float: number };
export type Attributes = Readonly<Record<string, Attribute>>;

export interface OnnxNode {
  readonly op: string;
  /** Of the graph it came from, for messages about it. */
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
}

export interface OnnxInitializer {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: keyof typeof TYPE_NUMBERS;
  readonly bytes: Uint8Array;
}

export interface OnnxPort {
  readonly name: string;
  readonly type: DataType;
  readonly shape: readonly number[];
}

export interface OnnxModel {
  readonly name: string;
  readonly producer: { readonly name: string; readonly version: string };
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxInitializer[];
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
}

export function writeOnnx({ name, producer, nodes, initializers, inputs, outputs }: OnnxModel): Buffer {
  const graph = new Message();
  for (const node of nodes) graph.message(1, nodeMessage(node));
  graph.text(2, name);
  for (const one of initializers) {
    const tensor = new Message();
    tensor.packedInts(1, one.shape).int(2, TYPE_NUMBERS[one.type]).text(8, one.name).bytes(9, one.bytes);
    graph.message(5, tensor);
  }
  for (const port of inputs) graph.message(11, portMessage(port));
  for (const port of outputs) graph.message(12, portMessage(port));
  return new Message()
    .int(1, IR_VERSION)
    .text(2, producer.name)
    .text(3, producer.version)
    .message(7, graph)
    .message(8, new Message().text(1, '').int(2, OPSET))
    .finish();
}

function nodeMessage({ op, name, inputs, outputs, attributes }: OnnxNode): Message {
  const message = new Message();
  for (const input of inputs) message.text(1, input);
  for (const output of outputs) message.text(2, output);
  message.text(3, name).text(4, op);
  for (const key of Object.keys(attributes).sort()) {
    const value = attributes[key];
    if (value !== undefined) message.message(5, attributeMessage(key, value));
  }
  return message;
}

/** AttributeProto.AttributeType is field 20. */
function attributeMessage(name: string, value: Attribute): Message {
  const message = new Message().text(1, name);
  if (typeof value === 'number') return message.int(3, value).int(20, 2);
  if (typeof value === 'string') return message.text(4, value).int(20, 3);
  if ('float' in value) return message.float(2, value.float).int(20, 1);
  for (const one of value) message.int(8, one);
  return message.int(20, 7);
}

function portMessage({ name, type, shape }: OnnxPort): Message {
  const dims = new Message();
  for (const dim of shape) dims.message(1, new Message().int(1, dim));
  const tensor = new Message().int(1, TYPE_NUMBERS[type]).message(2, dims);
  return new Message().text(1, name).message(2, new Message().message(1, tensor));
}

/** Below this many elements the 16-bit form saves less than the Cast beside it costs. */
const WORTH_HALVING = 256;

/** Halves where nothing is lost by it; see docs/decisions/091. */
export function initializerOf(name: string, { shape, type, data, half }: Tensor): OnnxInitializer {
  if (type === 'float32' && half && data.length >= WORTH_HALVING) {
    const bytes = Buffer.alloc(data.length * 2);
    for (let at = 0; at < data.length; at++) bytes.writeUInt16LE(floatToHalf(data[at] ?? 0), at * 2);
    return { name, shape, type: 'float16', bytes };
  }
  if (type === 'bool') return { name, shape, type, bytes: Uint8Array.from(data) };
  const bytes = Buffer.alloc(data.length * 4);
  for (let at = 0; at < data.length; at++) {
    if (type === 'float32') bytes.writeFloatLE(data[at] ?? 0, at * 4);
    else bytes.writeInt32LE(data[at] ?? 0, at * 4);
  }
  return { name, shape, type, bytes };
}

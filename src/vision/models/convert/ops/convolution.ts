import { type Draft, layoutOf, type Value } from '../draft.ts';
import {
  flag,
  input,
  numbers,
  type Operator,
  type Operators,
  real,
  type Scene,
  wholes,
  word,
  words,
} from '../operator.ts';
import { reshaped, type Tensor, transposed } from '../tensor.ts';
import { activation } from './elementwise.ts';

/** Convolutions and poolings: pictures in, pictures out, channels first. */

type Pair = readonly [number, number];
interface Window {
  readonly kernel: Pair;
  readonly strides: Pair;
  readonly dilations: Pair;
}
type Pads = readonly [Pair, Pair];

const NO_PADS: Pads = [
  [0, 0],
  [0, 0],
];

const spatial = (scene: Scene, name: string): Pair => {
  const [, y = 1, x = 1] = wholes(scene, name);
  return [y, x];
};

/** TensorFlow's SAME: the output is ceil(input / stride), and the smaller half of the padding comes first. */
function same(size: number, kernel: number, stride: number, dilation: number): Pair {
  const total = Math.max(0, (Math.ceil(size / stride) - 1) * stride + ((kernel - 1) * dilation + 1) - size);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

function padsOf(scene: Scene, [, height = 0, width = 0]: readonly number[], window: Window): Pads {
  const padding = word(scene, 'padding');
  const { kernel, strides, dilations } = window;
  switch (padding) {
    case 'VALID':
      return NO_PADS;
    case 'SAME':
      return [same(height, kernel[0], strides[0], dilations[0]), same(width, kernel[1], strides[1], dilations[1])];
    case 'EXPLICIT': {
      const [, , top = 0, bottom = 0, left = 0, right = 0] = wholes(scene, 'explicit_paddings');
      return [
        [top, bottom],
        [left, right],
      ];
    }
    default:
      throw scene.draft.wrong(`padding ${padding} is not known`);
  }
}

/**
 * The picture a window runs over. A padding of it that was written as a node of its own, by a value that the window's own
 * padding has too, is taken into the window.
 */
function pictureOf(scene: Scene, window: Window, isFill: (fill: number) => boolean): { picture: Value; pads: Pads } {
  const value = input(scene, 0);
  if (value.shape.length !== 4) throw scene.draft.wrong(`a picture is [N, H, W, C], not [${value.shape}]`);
  const format = word(scene, 'data_format', 'NHWC');
  if (format !== 'NHWC') throw scene.draft.wrong(`data format ${format} cannot be converted`);
  const pads = padsOf(scene, value.shape, window);
  const around = value.padded;
  const mine = pads.flat().every((pad) => pad === 0);
  const [batch, y, x, channels] = around?.pads ?? [];
  const only = batch?.every((pad) => pad === 0) && channels?.every((pad) => pad === 0);
  if (around === null || !mine || !only || y === undefined || x === undefined || !isFill(around.fill)) {
    return { picture: value, pads };
  }
  return { picture: around.source, pads: [y, x] };
}

function sizeAfter(
  [batch = 1, height = 0, width = 0]: readonly number[],
  pads: Pads,
  window: Window,
  channels: number,
) {
  const along = (size: number, at: 0 | 1): number => {
    const reach = (window.kernel[at] - 1) * window.dilations[at] + 1;
    return Math.floor((size + pads[at][0] + pads[at][1] - reach) / window.strides[at]) + 1;
  };
  return [batch, along(height, 0), along(width, 1), channels];
}

/** ONNX has all beginnings first, then all ends. */
const padsAttribute = ([y, x]: Pads): number[] => [y[0], x[0], y[1], x[1]];

function weightsOf(scene: Scene): Tensor {
  const { constant } = input(scene, 1);
  if (constant === null || constant.shape.length !== 4)
    throw scene.draft.wrong('the weights must be a constant [H, W, C, M]');
  return constant;
}

function convolve(scene: Scene, weights: Tensor, group: number, kernel: Pair): Value {
  const { draft } = scene;
  const window = { kernel, strides: spatial(scene, 'strides'), dilations: spatial(scene, 'dilations') };
  const { picture, pads } = pictureOf(scene, window, (fill) => fill === 0);
  const channels = weights.shape[0] ?? 0;
  if ((picture.shape[3] ?? 0) !== (weights.shape[1] ?? 0) * group) {
    throw draft.wrong(
      `weights for ${(weights.shape[1] ?? 0) * group} channels, and the picture has ${picture.shape[3]}`,
    );
  }
  const fused = words(scene, 'fused_ops');
  const bias = fused.includes('BiasAdd') ? [draft.plain(input(scene, 2))] : [];
  const name = draft.node('Conv', [draft.cf(picture), draft.tensor(weights), ...bias], {
    kernel_shape: kernel,
    strides: window.strides,
    dilations: window.dilations,
    pads: padsAttribute(pads),
    group,
  });
  const out = draft.value('cf', sizeAfter(picture.shape, pads, window, channels), 'float32', name);
  return fused.filter((op) => op !== 'BiasAdd').reduce((value, op) => fusedActivation(scene, op, value), out);
}

function fusedActivation(scene: Scene, op: string, value: Value): Value {
  if (op === 'Prelu') return prelu(scene.draft, value, input(scene, 3));
  const alpha = op === 'LeakyRelu' ? real(scene, 'leakyrelu_alpha', 0.2) : real(scene, 'alpha', 0.2);
  const made = activation(scene.draft, op, value, alpha);
  if (made === null) throw scene.draft.wrong(`the fused operator ${op} cannot be converted`);
  return made;
}

/** The slope has one number a channel, or one a pixel. */
export function prelu(draft: Draft, value: Value, slope: Value): Value {
  const layout = layoutOf(value);
  const name = draft.node('PRelu', [
    draft.name(value, layout),
    draft.spread(slope, value.shape.length === 4 ? layout : 'plain'),
  ]);
  return draft.value(layout, value.shape, value.type, name);
}

/** [H, W, C, M] → [M, C, H, W] */
const conv2d: Operator = (scene) => {
  const weights = weightsOf(scene);
  const [height = 1, width = 1, channels = 1] = weights.shape;
  const group = (input(scene, 0).shape[3] ?? 0) / channels;
  if (!Number.isInteger(group) || group < 1)
    throw scene.draft.wrong(`weights for ${channels} channels do not fit the picture`);
  return convolve(scene, transposed(weights, [3, 2, 0, 1]), group, [height, width]);
};

/** [H, W, C, M] → [C × M, 1, H, W]: channel c gives the outputs c × M to c × M + M - 1. */
const depthwise: Operator = (scene) => {
  const weights = weightsOf(scene);
  const [height = 1, width = 1, channels = 1, multiplier = 1] = weights.shape;
  const flat = reshaped(transposed(weights, [2, 3, 0, 1]), [channels * multiplier, 1, height, width]);
  return convolve(scene, flat, channels, [height, width]);
};

const LOWEST = -3.4e38;

const pool =
  (op: 'MaxPool' | 'AveragePool'): Operator =>
  (scene) => {
    const { draft } = scene;
    const window = { kernel: spatial(scene, 'ksize'), strides: spatial(scene, 'strides'), dilations: [1, 1] as Pair };
    const { picture, pads } = pictureOf(scene, window, (fill) => op === 'MaxPool' && fill <= LOWEST);
    const name = draft.node(op, [draft.cf(picture)], {
      kernel_shape: window.kernel,
      strides: window.strides,
      pads: padsAttribute(pads),
    });
    return draft.value('cf', sizeAfter(picture.shape, pads, window, picture.shape[3] ?? 0), picture.type, name);
  };

/** Not carried out until somebody needs it: see `pictureOf`. */
const pad: Operator = (scene) => {
  const source = input(scene, 0);
  const list = numbers(scene, 1);
  const pads = source.shape.map((_, axis): Pair => [list[axis * 2] ?? 0, list[axis * 2 + 1] ?? 0]);
  const fill = scene.inputs.length > 2 ? (numbers(scene, 2)[0] ?? 0) : 0;
  const shape = source.shape.map((dim, axis) => dim + (pads[axis]?.[0] ?? 0) + (pads[axis]?.[1] ?? 0));
  return { shape, type: source.type, constant: null, plain: null, cf: null, padded: { source, pads, fill } };
};

const mirrorPad: Operator = (scene) => {
  const { draft } = scene;
  const source = input(scene, 0);
  const list = numbers(scene, 1);
  if (word(scene, 'mode') !== 'REFLECT') throw draft.wrong(`mode ${word(scene, 'mode')} cannot be converted`);
  const pads = draft.list([...list.filter((_, at) => at % 2 === 0), ...list.filter((_, at) => at % 2 === 1)]);
  const shape = source.shape.map((dim, axis) => dim + (list[axis * 2] ?? 0) + (list[axis * 2 + 1] ?? 0));
  return draft.value('plain', shape, source.type, draft.node('Pad', [draft.plain(source), pads], { mode: 'reflect' }));
};

const batchNorm: Operator = (scene) => {
  const { draft } = scene;
  if (flag(scene, 'is_training')) throw draft.wrong('is a graph for training');
  const picture = input(scene, 0);
  const parts = [1, 2, 3, 4].map((at) => draft.plain(input(scene, at)));
  const epsilon = { float: real(scene, 'epsilon', 1e-4) };
  return draft.value(
    'cf',
    picture.shape,
    'float32',
    draft.node('BatchNormalization', [draft.cf(picture), ...parts], { epsilon }),
  );
};

const biasAdd: Operator = (scene) => {
  const { draft } = scene;
  const value = input(scene, 0);
  const layout = layoutOf(value);
  const bias = draft.spread(input(scene, 1), value.shape.length === 4 ? layout : 'plain');
  return draft.value(layout, value.shape, value.type, draft.node('Add', [draft.name(value, layout), bias]));
};

/** TensorFlow takes depth, then column, then row: ONNX calls that DCR. */
const depthToSpace: Operator = (scene) => {
  const { draft } = scene;
  const picture = input(scene, 0);
  const block = scene.node.attr['block_size']?.i ?? 1;
  const [batch = 1, height = 0, width = 0, channels = 0] = picture.shape;
  const shape = [batch, height * block, width * block, channels / (block * block)];
  return draft.value(
    'cf',
    shape,
    picture.type,
    draft.node('DepthToSpace', [draft.cf(picture)], { blocksize: block, mode: 'DCR' }),
  );
};

export const CONVOLUTIONS: Operators = {
  Conv2D: conv2d,
  _FusedConv2D: conv2d,
  DepthwiseConv2dNative: depthwise,
  FusedDepthwiseConv2dNative: depthwise,
  MaxPool: pool('MaxPool'),
  AvgPool: pool('AveragePool'),
  Pad: pad,
  PadV2: pad,
  MirrorPad: mirrorPad,
  FusedBatchNorm: batchNorm,
  FusedBatchNormV2: batchNorm,
  FusedBatchNormV3: batchNorm,
  BiasAdd: biasAdd,
  DepthToSpace: depthToSpace,
  Prelu: (scene) => prelu(scene.draft, input(scene, 0), input(scene, 1)),
};

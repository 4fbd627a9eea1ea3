import { describe, expect, test } from 'vitest';
import { TinyGraph } from './tiny-graph.ts';

/** Each kind of node alone: what was made of it beside TensorFlow.js. The graphs are small, the numbers random. */

type Build = (graph: TinyGraph) => string | string[];
type Cases = Readonly<Record<string, Build>>;

const STRIDES = { strides: [1, 2, 2, 1], dilations: [1, 1, 1, 1], data_format: 'NHWC' };
const ONES = { ...STRIDES, strides: [1, 1, 1, 1] };
/** A picture that is there with its channels first only. */
const picture = (graph: TinyGraph): string =>
  graph.node('Conv2D', ['x', graph.floats([1, 1, 4, 4])], { ...ONES, padding: 'VALID' });

const convolutions: Cases = {
  'Conv2D, same size, odd stride': (g) =>
    g.node('Conv2D', ['x', g.floats([3, 3, 4, 5])], { ...STRIDES, padding: 'SAME' }),
  'Conv2D, valid, 5 × 3': (g) => g.node('Conv2D', ['x', g.floats([5, 3, 4, 2])], { ...ONES, padding: 'VALID' }),
  'Conv2D, dilated': (g) =>
    g.node('Conv2D', ['x', g.floats([3, 3, 4, 2])], { ...ONES, dilations: [1, 2, 2, 1], padding: 'SAME' }),
  'depthwise with two outputs a channel': (g) =>
    g.node('DepthwiseConv2dNative', ['x', g.floats([3, 3, 4, 2])], { ...STRIDES, padding: 'SAME' }),
  'fused with bias and Relu6': (g) =>
    g.node('_FusedConv2D', ['x', g.floats([3, 3, 4, 5]), g.floats([5])], {
      ...STRIDES,
      padding: 'SAME',
      num_args: 1,
      fused_ops: ['BiasAdd', 'Relu6'],
    }),
  'fused with bias and LeakyRelu': (g) =>
    g.node('_FusedConv2D', ['x', g.floats([1, 1, 4, 5]), g.floats([5])], {
      ...ONES,
      padding: 'SAME',
      num_args: 1,
      fused_ops: ['BiasAdd', 'LeakyRelu'],
      leakyrelu_alpha: { f: 0.3 },
    }),
  'fused with bias and Prelu': (g) =>
    g.node('_FusedConv2D', ['x', g.floats([1, 1, 4, 5]), g.floats([5]), g.floats([5])], {
      ...ONES,
      padding: 'SAME',
      num_args: 2,
      fused_ops: ['BiasAdd', 'Prelu'],
    }),
  'fused depthwise': (g) =>
    g.node('FusedDepthwiseConv2dNative', ['x', g.floats([3, 3, 4, 1]), g.floats([4])], {
      ...ONES,
      padding: 'SAME',
      num_args: 1,
      fused_ops: ['BiasAdd', 'Relu'],
    }),
  'a padding that the convolution takes over': (g) => {
    const padded = g.node('Pad', ['x', g.pads([0, 0, 1, 2, 2, 1, 0, 0])]);
    return g.node('Conv2D', [padded, g.floats([3, 3, 4, 2])], { ...STRIDES, padding: 'VALID' });
  },
  'a padding by another value, which stays': (g) => {
    const padded = g.node('PadV2', ['x', g.pads([0, 0, 1, 1, 1, 1, 0, 0]), g.floats([], [1.5])]);
    return [padded, g.node('Conv2D', [padded, g.floats([3, 3, 4, 2])], { ...ONES, padding: 'VALID' })];
  },
  'a padding of channels, which stays': (g) => {
    const padded = g.node('Pad', [picture(g), g.pads([0, 0, 0, 0, 0, 0, 1, 2])]);
    return g.node('Conv2D', [padded, g.floats([1, 1, 7, 2])], { ...ONES, padding: 'VALID' });
  },
  'MaxPool over a padding by the lowest number': (g) => {
    const padded = g.node('PadV2', ['x', g.pads([0, 0, 1, 1, 1, 1, 0, 0]), g.floats([], [-3.4028234663852886e38])]);
    return g.node('MaxPool', [padded], { ksize: [1, 3, 3, 1], strides: [1, 2, 2, 1], padding: 'VALID' });
  },
  'MaxPool over a padding by zeros': (g) => {
    const lower = g.node('Sub', ['x', g.floats([], [9])]);
    const padded = g.node('Pad', [lower, g.pads([0, 0, 1, 1, 1, 1, 0, 0])]);
    return g.node('MaxPool', [padded], { ksize: [1, 3, 3, 1], strides: [1, 2, 2, 1], padding: 'VALID' });
  },
  'AvgPool, same size': (g) =>
    g.node('AvgPool', ['x'], { ksize: [1, 3, 3, 1], strides: [1, 2, 2, 1], padding: 'SAME' }),
  FusedBatchNormV3: (g) =>
    g.node('FusedBatchNormV3', ['x', g.floats([4]), g.floats([4]), g.floats([4]), g.floats([4], [0.5, 1, 2, 3])], {
      epsilon: { f: 0.001 },
      is_training: false,
    }),
  'BiasAdd on a picture': (g) => g.node('BiasAdd', [picture(g), g.floats([4])]),
  DepthToSpace: (g) => g.node('DepthToSpace', ['x'], { block_size: 2, data_format: 'NHWC' }),
};

const resizes: Cases = Object.fromEntries(
  [
    [false, false],
    [true, false],
    [false, true],
  ].flatMap(([corners = false, centres = false]) =>
    ['ResizeBilinear', 'ResizeNearestNeighbor'].flatMap((op) =>
      [
        [12, 16],
        [3, 4],
        [9, 5],
      ].map((size): [string, Build] => [
        `${op} to ${size}${corners ? ', corners' : ''}${centres ? ', centres' : ''}`,
        (g) => g.node(op, [picture(g), g.ints(size)], { align_corners: corners, half_pixel_centers: centres }),
      ]),
    ),
  ),
);

const positive = (g: TinyGraph): string => g.node('Add', [g.node('Abs', ['x']), g.floats([], [0.5])]);
const wholes = (g: TinyGraph): string => g.node('Cast', ['x'], { DstT: { type: 'DT_INT32' } });

const elementwise: Cases = {
  activations: (g) =>
    ['Relu', 'Relu6', 'Elu', 'Sigmoid', 'Tanh', 'Softplus', 'Selu'].map((op) => g.node(op, [picture(g)])),
  'LeakyRelu and Prelu': (g) => [
    g.node('LeakyRelu', ['x'], { alpha: { f: 0.1 } }),
    g.node('Prelu', [picture(g), g.floats([4])]),
    g.node('Prelu', ['x', g.floats([4])]),
  ],
  'functions of one number': (g) =>
    ['Abs', 'Neg', 'Exp', 'Floor', 'Ceil', 'Round', 'Sin', 'Cos', 'Square'].map((op) => g.node(op, ['x'])),
  'functions of a positive number': (g) =>
    ['Log', 'Sqrt', 'Rsqrt', 'Reciprocal'].map((op) => g.node(op, [positive(g)])),
  'two pictures': (g) =>
    ['Add', 'AddV2', 'Sub', 'Mul', 'Maximum', 'Minimum', 'SquaredDifference'].map((op) =>
      g.node(op, [picture(g), 'x']),
    ),
  'a picture and a number a channel': (g) =>
    ['AddV2', 'Mul', 'Sub'].map((op) => g.node(op, [picture(g), g.floats([4])])),
  'a number a channel and a picture': (g) => ['Sub', 'RealDiv'].map((op) => g.node(op, [g.floats([4]), positive(g)])),
  'a picture and one number': (g) => [
    g.node('Mul', [picture(g), g.floats([], [2])]),
    g.node('Mul', [picture(g), g.floats([1], [2])]),
  ],
  'a picture and a number a row': (g) => g.node('Mul', [picture(g), g.floats([6, 1, 1])]),
  'a picture and what is left of it without rows and columns': (g) => {
    const scale = g.node('Mean', [picture(g), g.ints([1, 2])], { keep_dims: true });
    return g.node('Mul', [picture(g), scale]);
  },
  'division that rounds down, also below zero': (g) => [
    g.node('FloorDiv', [wholes(g), g.int(2)]),
    g.node('FloorMod', [wholes(g), g.int(2)]),
    g.node('FloorDiv', ['x', g.floats([], [0.7])]),
    g.node('FloorMod', ['x', g.floats([], [0.7])]),
  ],
  comparisons: (g) =>
    ['Equal', 'NotEqual', 'Greater', 'GreaterEqual', 'Less', 'LessEqual'].map((op) =>
      g.node('Cast', [g.node(op, [wholes(g), g.int(1)])], { DstT: { type: 'DT_FLOAT' }, SrcT: { type: 'DT_BOOL' } }),
    ),
  'logic and choice': (g) => {
    const above = g.node('Greater', ['x', g.floats([], [0])]);
    const below = g.node('Less', ['x', g.floats([], [1])]);
    const both = g.node('LogicalAnd', [above, below]);
    return [
      g.node('SelectV2', [both, 'x', g.floats([], [7])]),
      g.node('Cast', [g.node('LogicalNot', [both])], { DstT: { type: 'DT_FLOAT' } }),
    ];
  },
};

const shapes: Cases = {
  'Reshape with an open size': (g) => g.node('Reshape', [picture(g), g.ints([1, -1, 8])]),
  'a size that is computed': (g) => {
    const rows = g.node('StridedSlice', [g.node('Shape', ['x']), g.ints([1]), g.ints([2]), g.ints([1])], {
      shrink_axis_mask: 1,
    });
    const wanted = g.node('Pack', [g.int(1), rows, g.int(-1)], { axis: 0, N: 3 });
    return g.node('Reshape', [picture(g), wanted]);
  },
  'Transpose, there and back and otherwise': (g) => {
    const first = g.node('Transpose', [picture(g), g.ints([0, 3, 1, 2])]);
    const back = g.node('Transpose', [g.node('Relu', [first]), g.ints([0, 2, 3, 1])]);
    return [first, back, g.node('Transpose', [picture(g), g.ints([0, 2, 1, 3])])];
  },
  'a padding between two transpositions': (g) => {
    const first = g.node('Transpose', [picture(g), g.ints([0, 3, 1, 2])]);
    const padded = g.node('Pad', [first, g.pads([0, 0, 0, 0, 1, 2, 2, 1])]);
    const back = g.node('Transpose', [padded, g.ints([0, 2, 3, 1])]);
    return [padded, g.node('Conv2D', [back, g.floats([3, 3, 4, 2])], { ...ONES, padding: 'VALID' })];
  },
  'ExpandDims and Squeeze': (g) => {
    const more = g.node('ExpandDims', [picture(g), g.int(-1)]);
    return [more, g.node('Squeeze', [more], { squeeze_dims: [0, 4] })];
  },
  'ConcatV2 of pictures': (g) => [
    g.node('ConcatV2', [picture(g), 'x', g.int(3)], { N: 2 }),
    g.node('ConcatV2', [picture(g), 'x', g.int(-3)], { N: 2 }),
  ],
  'Split and SplitV': (g) => {
    const two = g.node('Split', [g.int(3), picture(g)], { num_split: 2 });
    const parts = g.node('SplitV', ['x', g.ints([1, 5, 2]), g.int(2)], { num_split: 3 });
    return [two, `${two}:1`, `${parts}:1`, `${parts}:2`];
  },
  'Unpack and Pack': (g) => {
    const parts = g.node('Unpack', [picture(g)], { axis: 3, num: 4 });
    return [`${parts}:2`, g.node('Pack', [`${parts}:1`, `${parts}:3`], { axis: 1, N: 2 })];
  },
  'Tile and BroadcastTo': (g) => [
    g.node('Tile', ['x', g.ints([1, 2, 1, 3])]),
    g.node('BroadcastTo', [g.node('Mean', ['x', g.ints([1])], { keep_dims: true }), g.ints([1, 6, 8, 4])]),
  ],
  Slice: (g) => g.node('Slice', [picture(g), g.ints([0, 1, 2, 1]), g.ints([1, 3, -1, 2])]),
  'StridedSlice with every mask': (g) => [
    g.node('StridedSlice', [picture(g), g.ints([0, 1, -3, 0]), g.ints([1, -1, 8, 2]), g.ints([1, 2, 1, 1])], {
      end_mask: 1,
    }),
    g.node('StridedSlice', ['x', g.ints([0, 2]), g.ints([0, 3]), g.ints([1, 1])], {
      ellipsis_mask: 1,
      shrink_axis_mask: 2,
    }),
    g.node('StridedSlice', ['x', g.ints([0, 0, 1]), g.ints([0, 0, 4]), g.ints([1, 1, 1])], {
      new_axis_mask: 2,
      begin_mask: 1,
      end_mask: 1,
    }),
    g.node('StridedSlice', ['x', g.ints([0, 5]), g.ints([1, 0]), g.ints([1, -2])], { end_mask: 2 }),
  ],
};

const reductions: Cases = {
  'over rows and columns': (g) =>
    ['Mean', 'Sum', 'Max', 'Min'].flatMap((op) =>
      [true, false].map((keep) => g.node(op, [picture(g), g.ints([1, 2])], { keep_dims: keep })),
    ),
  'over channels, and over rows': (g) => [
    g.node('Sum', [picture(g), g.ints([-1])], { keep_dims: false }),
    g.node('Max', [picture(g), g.ints([1])], { keep_dims: false }),
  ],
  'ArgMax and ArgMin': (g) =>
    ['ArgMax', 'ArgMin'].map((op) => g.node(op, [picture(g), g.int(3)], { output_type: { type: 'DT_INT32' } })),
  TopKV2: (g) => {
    const best = g.node('TopKV2', [g.node('Reshape', ['x', g.ints([1, -1])]), g.int(5)], { sorted: true });
    return [best, `${best}:1`];
  },
  'Gather and GatherNd': (g) => [
    g.node('GatherV2', [picture(g), g.ints([3, 0, 3]), g.int(3)], { batch_dims: 0 }),
    g.node('GatherNd', ['x', g.node('Reshape', [g.ints([0, 2, 3, 0, 5, 7]), g.ints([2, 3])])]),
  ],
  Softmax: (g) => [g.node('Softmax', [g.node('Reshape', ['x', g.ints([24, 8])])])],
  'MatMul, turned': (g) => {
    const rows = g.node('Reshape', ['x', g.ints([24, 8])]);
    return [
      g.node('MatMul', [rows, g.floats([8, 3])], { transpose_a: false, transpose_b: false }),
      g.node('MatMul', [rows, g.floats([3, 24])], { transpose_a: true, transpose_b: true }),
    ];
  },
  _FusedMatMul: (g) =>
    g.node('_FusedMatMul', [g.node('Reshape', ['x', g.ints([24, 8])]), g.floats([8, 3]), g.floats([3])], {
      num_args: 1,
      fused_ops: ['BiasAdd', 'Relu'],
      transpose_a: false,
      transpose_b: false,
    }),
};

const weights: Cases = {
  'weights of 8 bits': (g) =>
    g.node('Conv2D', ['x', g.quantized([1, 1, 4, 2], 'uint8', [0, 255, 10, 20, 128, 1, 2, 3])], {
      ...ONES,
      padding: 'SAME',
    }),
  'weights of 16 bits': (g) => g.node('Mul', ['x', g.quantized([4], 'uint16', [0, 65_535, 1, 300])]),
};

describe.each(Object.entries({ convolutions, resizes, elementwise, shapes, reductions, weights }))('%s', (_, cases) => {
  test.each(Object.entries(cases))('%s', async (_name, build) => {
    const graph = new TinyGraph();
    const outputs = [build(graph)].flat();
    expect(await graph.difference(...outputs)).toBeLessThan(2e-5);
  });
});

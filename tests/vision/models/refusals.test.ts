import { expect, test } from 'vitest';
import { QuanweiError } from '../../../src/kernel/errors.ts';
import { convertGraph } from '../../../src/vision/models/convert/convert.ts';
import { TinyGraph } from './tiny-graph.ts';

/** What cannot be converted is told by name, and nothing is written. */

function refusal(attempt: () => unknown): QuanweiError {
  try {
    attempt();
  } catch (thrown) {
    if (thrown instanceof QuanweiError) return thrown;
    throw thrown;
  }
  throw new Error('it was not refused');
}

const WANTED = {
  name: 'tiny',
  input: { name: 'x', layout: 'nhwc', type: 'float32', width: 8, height: 6 },
  outputs: ['y'],
  cut: {},
} as const;

/** x + a number for each channel */
function adding(): { json: string; weights: Buffer; end: string } {
  const graph = new TinyGraph();
  const end = graph.node('AddV2', ['x', graph.floats([4])]);
  return { ...graph.files(), end };
}

test('an operator that is not known is named, with its node', () => {
  const graph = new TinyGraph();
  const node = graph.node('FancyNewThing', ['x']);
  const { code, message, hint } = refusal(() => graph.convert([node]));
  expect({ code, message }).toEqual({
    code: 'BAD_MODEL',
    message: `the operator FancyNewThing (node ${node}) cannot be converted`,
  });
  expect(hint).toContain('cut');
});

test('an operator that is not known is no matter where the graph was cut before it', () => {
  const graph = new TinyGraph();
  const kept = graph.node('Relu', ['x']);
  graph.node('FancyNewThing', [kept]);
  expect(graph.convert([kept]).length).toBeGreaterThan(50);
});

test.each([
  ['cut short', -1, /the weights end early: w0 needs bytes 0 to 16 of 15/],
  ['too long', 1, /longer than the graph says: 17 instead of 16/],
])('weights that are %s are refused', (_, more, expected) => {
  const { json, weights, end } = adding();
  const wrong = more < 0 ? weights.subarray(0, more) : Buffer.concat([weights, Buffer.alloc(more)]);
  expect(refusal(() => convertGraph(json, [wrong], { ...WANTED, cut: { y: end } })).message).toMatch(expected);
});

test('a number of weight files that is not the graph’s is refused', () => {
  const { json, weights, end } = adding();
  const wanted = { ...WANTED, cut: { y: end } };
  expect(refusal(() => convertGraph(json, [weights, weights], wanted)).message).toMatch(/names 1 weight files/);
  expect(refusal(() => convertGraph(json, [], wanted)).code).toBe('BAD_MODEL');
});

test.each([
  ['no JSON', '{"modelTopology":'],
  [
    'another kind of model',
    '{"format":"layers-model","modelTopology":{"node":[{"name":"a","op":"b"}]},"weightsManifest":[]}',
  ],
  ['nothing', ''],
  ['a list', '[]'],
])('%s is no graph model', (_, json) => {
  expect(refusal(() => convertGraph(json, [], WANTED)).message).toMatch(/^not a TensorFlow.js graph model/);
});

test('an input or output that the graph does not have is named', () => {
  const { json, weights, end } = adding();
  const convert = (change: object) =>
    refusal(() => convertGraph(json, [weights], { ...WANTED, cut: { y: end }, ...change }));
  expect(convert({ cut: { y: 'nowhere' } }).message).toBe('the graph has no node nowhere');
  expect(convert({ cut: { y: `${end}:3` } }).message).toBe(`the graph has no output ${end}:3`);
  expect(convert({ input: { ...WANTED.input, name: 'z' } }).describe()).toBe('the graph has no input z — it has: x');
  expect(convert({ input: { ...WANTED.input, type: 'int32' } }).message).toBe('the input x is float32, not int32');
});

test('a loop of nodes, as the old control flow has them, is refused and not followed', () => {
  const graph = new TinyGraph();
  const first = graph.node('Relu', ['n2']);
  const second = graph.node('Relu', [first]);
  expect(second).toBe('n2');
  expect(refusal(() => graph.convert([second])).message).toMatch(/is part of a loop/);
});

test('a shape that is only known while it runs is refused', () => {
  const graph = new TinyGraph();
  const wanted = graph.node('Cast', [graph.node('Reshape', ['x', graph.ints([-1])])], { DstT: { type: 'DT_INT32' } });
  const node = graph.node('Reshape', ['x', wanted]);
  expect(refusal(() => graph.convert([node])).message).toBe(`Reshape ${node}: input 1 must be a constant`);
});

test('a size that does not come out in whole pixels is refused', () => {
  const graph = new TinyGraph([1, 6, 8, 4]);
  const node = graph.node('ResizeBilinear', ['x', graph.ints([3, 4])], {
    align_corners: false,
    half_pixel_centers: true,
  });
  const { json, weights } = graph.files();
  const input = { ...WANTED.input, height: 7 };
  expect(refusal(() => convertGraph(json, [weights], { ...WANTED, input, cut: { y: node } })).message).toMatch(
    /whole pixels/,
  );
});

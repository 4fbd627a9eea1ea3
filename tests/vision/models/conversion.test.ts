import { beforeAll, expect, test } from 'vitest';
import { BUILT_IN_MODELS, loadModels } from '../../../src/vision/models/catalogue.ts';
import { convertGraph } from '../../../src/vision/models/convert/convert.ts';
import { frames, model, pedestrians } from '../../support/vision-material.ts';
import { difference, type Feed, graphOf, largest, ortRun, rescaled, type TfjsGraph, tfjsRun } from './reference.ts';

/** The defaults on real frames: what ONNX Runtime makes of the converted model beside what TensorFlow.js makes of the graph. */

const NANODET = ['cls8', 'cls16', 'cls32', 'reg8', 'reg16', 'reg32'];
const IDENTITIES = ['Identity', 'Identity_1', 'Identity_2', 'Identity_3', 'Identity_4', 'Identity_5'];

/** rgb24 as nanodet wants it: BGR planes, normalised. */
function planes(rgb: Uint8Array, width: number, height: number): Feed {
  const { mean, std } = loadModels([BUILT_IN_MODELS]).get('nanodet').entry.input;
  const pixels = width * height;
  const data = new Float32Array(pixels * 3);
  for (let at = 0; at < pixels; at++) {
    for (const [channel, from] of [2, 1, 0].entries()) {
      const [m, s] = [mean, std].map((triple) => (Array.isArray(triple) ? (triple[channel] as number) : 0)) as [
        number,
        number,
      ];
      data[channel * pixels + at] = ((rgb[at * 3 + from] as number) - m) / s;
    }
  }
  return { type: 'float32', shape: [1, 3, height, width], data };
}

const bytes = (rgb: Uint8Array, width: number, height: number, type: Feed['type']): Feed => ({
  type,
  shape: [1, height, width, 3],
  data: type === 'float32' ? Float32Array.from(rgb) : Int32Array.from(rgb),
});

// Set-up has brought the models; where nobody ran it, this takes as long as the download.
beforeAll(async () => {
  for (const id of ['nanodet', 'centernet', 'movenet-lightning']) await graphOf(id);
  await pedestrians();
}, 600_000);

const shots = async (width: number, height: number, count: number): Promise<Uint8Array[]> =>
  frames(await pedestrians(), { width, height, every: 250, count });

async function convertedAs(
  graph: TfjsGraph,
  id: string,
  width: number,
  height: number,
  outputs: Record<string, string>,
) {
  const { entry } = loadModels([BUILT_IN_MODELS]).get(id);
  const { name, layout, type } = entry.input;
  const input = { name, layout, type, width, height };
  const beginning = entry.cut?.[name];
  const cut = { ...outputs, ...(beginning === undefined ? {} : { [name]: beginning }) };
  return convertGraph(graph.json, [graph.weights], { name: id, input, outputs: Object.keys(outputs), cut });
}

test('NanoDet at the size its graph was made for says what TensorFlow.js says, on pedestrians', async () => {
  const graph = await graphOf('nanodet');
  const names = Object.fromEntries(NANODET.map((name, at) => [name, IDENTITIES[at] as string]));
  const onnx = await convertedAs(graph, 'nanodet', 416, 416, names);
  for (const shot of await shots(416, 416, 1)) {
    const feed = planes(shot, 416, 416);
    const wanted = await tfjsRun(graph, { input_1: feed }, IDENTITIES);
    const found = await ortRun(onnx, { input: feed }, NANODET);
    expect(largest(wanted[0] ?? { shape: [], data: [] }), 'there is somebody in the frame').toBeGreaterThan(0.4);
    for (const [at, result] of wanted.entries()) {
      expect(difference(result, found[at] as typeof result), NANODET[at]).toBeLessThan(at < 3 ? 1e-5 : 1e-4);
    }
  }
});

test.each([
  ['nanodet', 416, 256],
  ['nanodet@640x384', 640, 384],
])(
  '%s, made for another size than its graph, says what the graph would say if it were made for it',
  async (id, width, height) => {
    const { file } = await model(id);
    const graph = rescaled(await graphOf('nanodet'), width, height);
    const [shot] = await shots(width, height, 1);
    const feed = planes(shot as Uint8Array, width, height);
    const wanted = await tfjsRun(graph, { input_1: feed }, IDENTITIES);
    const found = await ortRun(file, { input: feed }, NANODET);
    for (const [at, result] of wanted.entries()) {
      expect(difference(result, found[at] as typeof result), NANODET[at]).toBeLessThan(at < 3 ? 1e-5 : 1e-4);
    }
  },
);

test('CenterNet, cut before its list and made for 512×288, gives the heat of people and their sides', async () => {
  const { file } = await model('centernet');
  const graph = rescaled(await graphOf('centernet'), 512, 288);
  const [shot] = await shots(512, 288, 1);
  const feed = bytes(shot as Uint8Array, 512, 288, 'float32');
  const [all, sides] = await tfjsRun(graph, { 'tower_0/images': feed }, ['tower_0/keypoints', 'tower_0/wh']);
  const [heat, wh] = await ortRun(file, { input: feed }, ['heat', 'wh']);
  if (all === undefined || sides === undefined || heat === undefined || wh === undefined) throw new Error('no outputs');
  const person = {
    shape: [1, 72, 128, 1],
    data: Array.from({ length: 72 * 128 }, (_, at) => all.data[at * 80] as number),
  };
  expect(largest(person), 'there is somebody in the frame').toBeGreaterThan(0.4);
  expect(difference(person, heat)).toBeLessThan(1e-5);
  // Sides are looked at where somebody is; elsewhere they are large numbers that mean nothing.
  const there = person.data.flatMap((score, at) => (score > 0.05 ? [at * 4, at * 4 + 1, at * 4 + 2, at * 4 + 3] : []));
  const at = ({ data }: typeof wh) => ({ shape: [there.length], data: there.map((place) => data[place] as number) });
  expect(difference(at(sides), at(wh))).toBeLessThan(1e-3);
  expect(difference(sides, wh) / largest(sides)).toBeLessThan(1e-4);
});

test('CenterNet uncut, with the list its graph makes, agrees to a thousandth of a pixel', async () => {
  const graph = await graphOf('centernet');
  const onnx = await convertedAs(graph, 'centernet', 512, 512, { detections: 'tower_0/detections' });
  const [shot] = await shots(512, 512, 1);
  const feed = bytes(shot as Uint8Array, 512, 512, 'float32');
  const [wanted] = await tfjsRun(graph, { 'tower_0/images': feed }, ['tower_0/detections']);
  const [found] = await ortRun(onnx, { input: feed }, ['detections']);
  if (wanted === undefined || found === undefined) throw new Error('no outputs');
  const first = (result: typeof wanted) => Array.from(result.data).slice(0, 20 * 6);
  // Of the hundred, those with a score; the last are cells of equal heat in any order.
  expect(difference({ shape: [20, 6], data: first(wanted) }, { shape: [20, 6], data: first(found) })).toBeLessThan(
    1e-3,
  );
});

test('MoveNet finds the same joints', async () => {
  const { file } = await model('movenet-lightning');
  const graph = await graphOf('movenet-lightning');
  for (const shot of await shots(192, 192, 2)) {
    const feed = bytes(shot, 192, 192, 'int32');
    const [wanted] = await tfjsRun(graph, { input: feed }, ['Identity']);
    const [found] = await ortRun(file, { input: feed }, ['pose']);
    if (wanted === undefined || found === undefined) throw new Error('no outputs');
    expect(difference(wanted, found)).toBeLessThan(1e-5);
  }
});

test('the same graph gives the same bytes', async () => {
  const graph = await graphOf('movenet-lightning');
  const once = await convertedAs(graph, 'movenet-lightning', 192, 192, { pose: 'Identity' });
  expect(once.equals(await convertedAs(graph, 'movenet-lightning', 192, 192, { pose: 'Identity' }))).toBe(true);
});

import { fileURLToPath } from 'node:url';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import * as tf from '@tensorflow/tfjs-core';
import { ort } from '../../src/vision/inference/onnxruntime.ts';
import { model } from '../support/vision-material.ts';
import { graphOf } from '../vision/models/reference.ts';
import { figure, median, type Report } from './figure.ts';

/** Models that are converted, each at the size its graph was published for: the same work on both sides. */
const CONVERTED = ['nanodet@416x416', 'centernet@512x512', 'movenet-lightning'];
const WARM_UP = 3;

/** What a picture costs in the converted model on ONNX Runtime, one thread, beside its own graph in TensorFlow.js (wasm). */
export async function models(report: Report, runs: number): Promise<void> {
  setWasmPaths(fileURLToPath(new URL('../../node_modules/@tensorflow/tfjs-backend-wasm/dist/', import.meta.url)));
  await tf.setBackend('wasm');
  for (const id of CONVERTED) {
    const { file, entry, width, height } = await model(id);
    const { json, weights } = await graphOf(entry.id);
    const graph = JSON.parse(json) as { modelTopology: object; weightsManifest: { weights: [] }[] };
    const theirs = await loadGraphModel({
      load: () =>
        Promise.resolve({
          modelTopology: graph.modelTopology,
          weightSpecs: graph.weightsManifest.flatMap((group) => group.weights),
          weightData: Uint8Array.from(weights).buffer,
          format: 'graph-model',
        }),
    });
    const ours = await ort.InferenceSession.create(file, { intraOpNumThreads: 1, interOpNumThreads: 1 });
    const { layout, type, name } = entry.input;
    const shape = layout === 'nchw' ? [1, 3, height, width] : [1, height, width, 3];
    const values = { length: width * height * 3 };
    const data =
      type === 'int32'
        ? Int32Array.from(values, (_, i) => (i * 7919) & 255)
        : Float32Array.from(values, (_, i) => ((i * 7919) & 255) / 255);
    const feed = { [name]: new ort.Tensor(type, data as Float32Array & Int32Array, shape) };
    const input = tf.tensor(data, shape, type);
    const [ms, peerMs]: [number[], number[]] = [[], []];
    // In turn, so that both see the same moments of the machine.
    for (let i = 0; i < runs + WARM_UP; i++) {
      const begun = performance.now();
      await ours.run(feed);
      const between = performance.now();
      const answer = theirs.execute(input);
      const tensors = Array.isArray(answer) ? answer : [answer];
      await Promise.all(tensors.map((one) => one.data()));
      const ended = performance.now();
      for (const one of tensors) one.dispose();
      if (i < WARM_UP) continue;
      ms.push(between - begun);
      peerMs.push(ended - between);
    }
    report(figure(`converted ${id}, a picture`, median(ms), 'ms', 'TensorFlow.js wasm', median(peerMs)));
    await ours.release();
    input.dispose();
    theirs.dispose();
  }
}

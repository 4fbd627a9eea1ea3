import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { QuanweiError } from '../../kernel/errors.ts';
import type { Decode, Output } from '../decoders/decoder.ts';
import { loadDecoder } from './decoders.ts';
import type { Found, Task } from './inference.ts';
import { ort } from './onnxruntime.ts';
import { dimsOf, type Fill, filler, type Values } from './tensor.ts';
import type { ModelSpec } from './wire.ts';

/** One thread each: many cameras share few cores, and a session that spins on all of them starves the rest. */
const OPTIONS: InferenceSession.SessionOptions = {
  executionProviders: ['cpu'],
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  logSeverityLevel: 3,
};

/** A model in memory, ready to run. Lives in the infer child; one run at a time. */
export class LoadedModel {
  readonly #spec: ModelSpec;
  readonly #session: InferenceSession;
  readonly #decode: Decode<Task>;
  readonly #fill: Fill;
  readonly #values: Values;
  readonly #feeds: Record<string, Tensor>;

  private constructor(spec: ModelSpec, session: InferenceSession, decode: Decode<Task>) {
    this.#spec = spec;
    this.#session = session;
    this.#decode = decode;
    this.#fill = filler(spec);
    const dims = dimsOf(spec);
    const size = dims.reduce((all, one) => all * one, 1);
    const { type, name } = spec.input;
    if (type === 'int32') {
      const values = new Int32Array(size);
      this.#values = values;
      this.#feeds = { [name]: new ort.Tensor('int32', values, dims) };
    } else {
      const values = new Float32Array(size);
      this.#values = values;
      this.#feeds = { [name]: new ort.Tensor('float32', values, dims) };
    }
  }

  /**
   * Loads and runs once, so that what does not fit is found now and the first picture is not the slow one.
   * @throws QuanweiError BAD_MODEL
   */
  static async load(spec: ModelSpec): Promise<LoadedModel> {
    const decoder = await loadDecoder(spec.decoder);
    if (decoder.task !== spec.task) {
      throw new QuanweiError(
        'BAD_MODEL',
        `${spec.id}: its task is ${spec.task}, decoder \`${spec.decoder}\` finds ${decoder.task}`,
      );
    }
    const session = await ort.InferenceSession.create(spec.file, OPTIONS);
    if (!session.inputNames.includes(spec.input.name)) {
      throw new QuanweiError('BAD_MODEL', `${spec.id}: the graph has no input \`${spec.input.name}\``, {
        hint: `it has: ${session.inputNames.join(', ')}`,
      });
    }
    const model = new LoadedModel(spec, session, decoder.prepare(spec));
    await model.run(new Uint8Array(spec.width * spec.height * 3).fill(127));
    return model;
  }

  /** @param picture rgb24 of the input's size */
  async run(picture: Uint8Array): Promise<Found[Task]> {
    this.#fill(picture, this.#values);
    const results = await this.#session.run(this.#feeds, [...this.#spec.outputs]);
    const outputs = this.#spec.outputs.map((name): Output => {
      const { dims, data } = results[name] as Tensor;
      return { dims, data: data instanceof Float32Array ? data : Float32Array.from(data as Int32Array) };
    });
    return this.#decode(outputs);
  }
}

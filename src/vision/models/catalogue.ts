import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { explainIssues, nearest } from '../../config/issues.ts';
import { readText } from '../../config/text-file.ts';
import { type ConfigProblem, YamlSource } from '../../config/yaml-source.ts';
import { messageOf, QuanweiError } from '../../kernel/errors.ts';
import { ModelEntry } from './entry.ts';
import { checkEntry } from './entry-rules.ts';

/** The entries that come with the program. */
export const BUILT_IN_MODELS: string = fileURLToPath(new URL('../../../models', import.meta.url));

/** An entry, and the directory its relative paths are relative to. */
export interface ListedModel {
  readonly entry: ModelEntry;
  readonly directory: string;
}

/** A model for one input size. */
export interface WantedModel extends ListedModel {
  /** `nanodet`, or `nanodet@640x384` for another size than the entry's own */
  readonly id: string;
  readonly width: number;
  readonly height: number;
}

export interface ReadEntry {
  readonly entry: ModelEntry | null;
  readonly problems: readonly ConfigProblem[];
}

const MAX_BYTES = 64 * 1_024;
const REFERENCE = 'docs/models.md';

/** Reads one entry. Either an entry and no problems, or problems and no entry. */
export function readEntry(file: string, bytes: Buffer): ReadEntry {
  const failed = (problems: readonly ConfigProblem[]): ReadEntry => ({ entry: null, problems });
  const { text, problem } = readText(file, bytes);
  if (text === null) return failed([problem]);
  const source = new YamlSource(file, text.slice(0, MAX_BYTES));
  if (text.length > MAX_BYTES) {
    return failed([
      { where: source.locate([]), path: '', what: `is longer than ${MAX_BYTES}`, hint: 'one model a file' },
    ]);
  }
  const mistakes = source.mistakes();
  if (mistakes.length > 0) return failed(mistakes);
  let raw: unknown;
  try {
    raw = source.document.toJS({ maxAliasCount: 50 });
  } catch (thrown) {
    return failed([{ where: source.locate([]), path: '', what: messageOf(thrown), hint: 'use fewer aliases' }]);
  }
  const parsed = ModelEntry.safeParse(raw);
  if (!parsed.success) return failed(explainIssues(parsed.error.issues, ModelEntry, raw, source, REFERENCE));
  const problems = checkEntry(parsed.data, basename(file, '.yaml')).map(({ path, what, hint }) => ({
    where: source.locate(path),
    path: path.map(String).join('.'),
    what,
    hint,
  }));
  return problems.length > 0 ? failed(problems) : { entry: parsed.data, problems };
}

/** Every model there is an entry for. */
export class ModelCatalogue {
  readonly #models: ReadonlyMap<string, ListedModel>;

  constructor(models: Iterable<ListedModel>) {
    this.#models = new Map([...models].map((model) => [model.entry.id, model]));
  }

  /** Sorted by id. */
  all(): ListedModel[] {
    return [...this.#models.keys()].sort().map((id) => this.get(id));
  }

  /** @throws QuanweiError NOT_FOUND */
  get(id: string): ListedModel {
    const model = this.#models.get(id);
    if (model === undefined) {
      const known = [...this.#models.keys()].sort();
      const near = nearest(id, known);
      throw new QuanweiError('NOT_FOUND', `there is no model ${id}`, {
        hint: near === null ? `known: ${known.join(', ')}` : `did you mean ${near}?`,
      });
    }
    return model;
  }

  /**
   * @param reference `ID`, or `ID@WIDTHxHEIGHT`
   * @throws QuanweiError NOT_FOUND; BAD_MODEL for a size the model cannot be made for
   */
  wanted(reference: string): WantedModel {
    const [, id = reference, width, height] = /^([^@]*)@(\d{1,5})x(\d{1,5})$/.exec(reference) ?? [];
    const model = this.get(id);
    const { input } = model.entry;
    if (width === undefined || (Number(width) === input.width && Number(height) === input.height)) {
      return { ...model, id, width: input.width, height: input.height };
    }
    const size = { width: Number(width), height: Number(height) };
    const mistake = sizeMistake(model.entry, size);
    if (mistake !== null) throw new QuanweiError('BAD_MODEL', `${reference}: ${mistake.what}`, { hint: mistake.hint });
    return { ...model, id: `${id}@${width}x${height}`, ...size };
  }

  /** A model with every size its entry names; those that are not for everybody only when `all`. */
  usual(all = false): WantedModel[] {
    return this.all()
      .filter(({ entry }) => all || !entry.optional)
      .flatMap(({ entry: { id, input } }) => [
        this.wanted(id),
        ...input.sizes.map((size) => this.wanted(`${id}@${size}`)),
      ]);
  }
}

/** Why a model cannot be made for a size; `null` when it can. */
export function sizeMistake(
  { form, input: { width, height, multiple } }: ModelEntry,
  size: { readonly width: number; readonly height: number },
): { what: string; hint: string } | null {
  if (form !== 'tfjs' || multiple === undefined) {
    return { what: 'the model is for one input size only', hint: `its size is ${width}x${height}` };
  }
  if (size.width % multiple !== 0 || size.height % multiple !== 0 || size.width * size.height === 0) {
    const near = (length: number) => Math.max(1, Math.round(length / multiple)) * multiple;
    return {
      what: `width and height must be multiples of ${multiple}`,
      hint: `near it: ${near(size.width)}x${near(size.height)}`,
    };
  }
  return size.width > 1_920 || size.height > 1_920 ? { what: 'the size is too large', hint: 'at most 1920' } : null;
}

/**
 * Knows every `*.yaml` of the directories.
 * @param directories usually `BUILT_IN_MODELS` and the site's own
 * @throws QuanweiError BAD_MODEL with the first mistake's file:line:column; a directory that is not there is one too
 */
export function loadModels(directories: readonly string[]): ModelCatalogue {
  const models: ListedModel[] = [];
  const files = new Map<string, string>();
  for (const file of directories.flatMap(entryFiles)) {
    const { entry, problems } = readEntry(file, readFileSync(file));
    if (entry === null) throw badEntry(problems);
    const other = files.get(entry.id);
    if (other !== undefined) {
      throw badEntry([
        {
          where: `${file}:1:1`,
          path: 'id',
          what: `model ${entry.id} is already in ${other}`,
          hint: 'give yours an id of its own',
        },
      ]);
    }
    files.set(entry.id, file);
    models.push({ entry, directory: dirname(file) });
  }
  return new ModelCatalogue(models);
}

export function entryFiles(directory: string): string[] {
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) {
    throw badEntry([
      {
        where: directory,
        path: '',
        what: 'there is no such directory of models',
        hint: 'check vision.models in gateway.yaml',
      },
    ]);
  }
  return readdirSync(directory)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => join(directory, name));
}

function badEntry([first, ...more]: readonly ConfigProblem[]): QuanweiError {
  const rest = more.length === 0 ? '' : ` (and ${more.length} more: quanwei models check shows all)`;
  const path = first?.path === undefined || first.path === '' ? '' : `${first.path} `;
  return new QuanweiError('BAD_MODEL', `${path}${first?.what ?? 'unknown mistake'}${rest}`, {
    where: first?.where ?? '',
    hint: first?.hint ?? '',
  });
}

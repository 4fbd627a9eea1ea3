import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, QuanweiError } from '../../kernel/errors.ts';
import type { WantedModel } from './catalogue.ts';
import { convertGraph } from './convert/convert.ts';
import { type Bringing, openPlace, placeOf, readChecked } from './sources.ts';
import { type ModelStore, storageError } from './store.ts';

/** What is being done, for people. @property bytes so far, where that is known */
export interface Progress {
  readonly step: string;
  readonly bytes: number | null;
}

export interface Fetched {
  readonly id: string;
  /** `null` when it was there already. */
  readonly made: { readonly bytes: number; readonly sha256: string } | null;
  /** Why it could not be had. */
  readonly failed: QuanweiError | null;
}

export interface FetchOptions {
  readonly progress: (progress: Progress) => void;
  /** A directory with npm tarballs to be used instead of the network. */
  readonly from?: string;
}

/**
 * Brings models into the store: what is there and whole is left alone, each finished one stays whatever becomes of the
 * others. A place that fails spoils only the models that come from it.
 */
export async function fetchModels(
  models: readonly WantedModel[],
  store: ModelStore,
  { progress, from }: FetchOptions,
): Promise<Fetched[]> {
  const results = new Map<string, Fetched>();
  const missing = new Map<string, WantedModel[]>();
  for (const model of models) {
    if ((await store.state(model)) === 'ready') results.set(model.id, { id: model.id, made: null, failed: null });
    else missing.set(placeOf(model), [...(missing.get(placeOf(model)) ?? []), model]);
  }
  for (const group of missing.values()) {
    const scratch = await scratchIn(store.directory);
    try {
      const bringing: Bringing = {
        scratch,
        from: from ?? null,
        progress: (step, bytes) => progress({ step, bytes }),
      };
      for (const result of await fetchGroup(group, store, bringing)) results.set(result.id, result);
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }
  return models.flatMap(({ id }) => results.get(id) ?? []);
}

/** Models of one place: it is opened when the first of them needs it. */
async function fetchGroup(group: readonly WantedModel[], store: ModelStore, bringing: Bringing): Promise<Fetched[]> {
  let opened: ReturnType<typeof openPlace> | null = null;
  const results: Fetched[] = [];
  for (const model of group) {
    const { id } = model;
    try {
      const files: Buffer[] = [];
      for (const file of model.entry.files) {
        const kept = converted(model) ? await store.keptSource(file.path, file.sha256) : null;
        if (kept === null) opened ??= openPlace(model, bringing);
        const bytes = kept ?? (opened === null ? null : await readChecked(await opened, file));
        if (bytes === null) continue;
        if (kept === null && converted(model)) await store.keepSource(file.path, file.sha256, bytes);
        files.push(bytes);
      }
      bringing.progress(`${model.entry.form === 'tfjs' ? 'convert' : 'keep'} ${id}`, null);
      results.push({ id, made: await store.put(model, finished(model, files)), failed: null });
    } catch (thrown) {
      const failed =
        thrown instanceof QuanweiError ? thrown : new QuanweiError('BAD_MODEL', messageOf(thrown), { cause: thrown });
      results.push({ id, made: null, failed });
    }
  }
  return results;
}

const converted = ({ entry }: WantedModel): boolean => entry.form === 'tfjs';

function finished({ entry, width, height }: WantedModel, [first, ...rest]: readonly Buffer[]): Buffer {
  if (first === undefined) throw new QuanweiError('BAD_MODEL', `${entry.id} has no files`);
  if (entry.form === 'onnx') return first;
  const { name, layout, type } = entry.input;
  return convertGraph(first.toString('utf8'), rest, {
    name: entry.id,
    input: { name, layout, type, width, height },
    outputs: entry.outputs,
    cut: entry.cut ?? {},
  });
}

const SCRATCH = '.fetching-';
/** Left by a process that was killed; no download of ours takes so long. */
const ABANDONED_MS = 24 * 3_600_000;

async function scratchIn(directory: string): Promise<string> {
  try {
    await mkdir(directory, { recursive: true });
    for (const name of await readdir(directory)) {
      const left = join(directory, name);
      if (!name.startsWith(SCRATCH)) continue;
      const { mtimeMs } = await stat(left);
      if (Date.now() - mtimeMs > ABANDONED_MS) await rm(left, { recursive: true, force: true });
    }
    return await mkdtemp(join(directory, SCRATCH));
  } catch (cause) {
    throw storageError(directory, cause);
  }
}

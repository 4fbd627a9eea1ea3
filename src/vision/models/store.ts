import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { messageOf, QuanweiError } from '../../kernel/errors.ts';
import { BUILT_IN_MODELS, type WantedModel } from './catalogue.ts';
import { CONVERTER_VERSION } from './convert/convert.ts';
import type { ModelFile } from './entry.ts';

/** Where models are kept that were fetched: `QUANWEI_MODELS_DIR`, else `models/cache` of the program. */
export const modelsDirectory = (env: NodeJS.ProcessEnv = process.env): string => {
  const told = env['QUANWEI_MODELS_DIR'];
  return told === undefined || told === '' ? join(BUILT_IN_MODELS, 'cache') : resolve(told);
};

/** Beside each model: what it was made of and what it must be. */
const Stamp = z.object({
  id: z.string(),
  /** Digest of everything that decides the file's bytes; see `recipeOf`. */
  recipe: z.string(),
  sha256: z.string(),
  bytes: z.int(),
  sources: z.array(z.object({ path: z.string(), sha256: z.string() })),
  converter: z.string().nullable(),
});
type Stamp = z.output<typeof Stamp>;

/**
 * - `ready` there, whole, and what its entry asks for
 * - `stale` made of another entry, or by another version of the converter
 * - `damaged` its digest is not what it was when it was made
 */
export type ModelState = 'ready' | 'missing' | 'stale' | 'damaged';

/** The directory of fetched models. Every file in it is whole: it is written under another name and then renamed. */
export class ModelStore {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  path({ entry, width, height }: WantedModel): string {
    return join(this.directory, `${entry.id}@${width}x${height}.onnx`);
  }

  async state(model: WantedModel): Promise<ModelState> {
    const stamp = await this.#stamp(model);
    const file = this.path(model);
    const size = await sizeOf(file);
    if (stamp === null || size === null) return 'missing';
    if (stamp.recipe !== recipeOf(model)) return 'stale';
    return size === stamp.bytes && (await digestOfFile(file)) === stamp.sha256 ? 'ready' : 'damaged';
  }

  /**
   * The file to load, after its digest was checked.
   * @throws QuanweiError BAD_MODEL when it was not fetched, or is not what was fetched
   */
  async open(model: WantedModel): Promise<ModelFile> {
    const state = await this.state(model);
    if (state !== 'ready') {
      const what = {
        missing: `model ${model.id} has not been fetched`,
        stale: `model ${model.id} was made for another entry or by another version`,
        damaged: `model ${model.id} is damaged: its digest is not what it was`,
      }[state];
      throw new QuanweiError('BAD_MODEL', what, { where: this.path(model), hint: `quanwei models fetch ${model.id}` });
    }
    const { id, entry, width, height } = model;
    return { id, entry, width, height, file: this.path(model) };
  }

  /** Keeps a finished model. */
  async put(model: WantedModel, bytes: Uint8Array): Promise<{ sha256: string; bytes: number }> {
    const stamp: Stamp = {
      id: model.id,
      recipe: recipeOf(model),
      sha256: digestOf(bytes),
      bytes: bytes.length,
      sources: model.entry.files.map(({ path, sha256 }) => ({ path, sha256 })),
      converter: model.entry.form === 'tfjs' ? CONVERTER_VERSION : null,
    };
    await this.#write(this.path(model), bytes);
    await this.#write(this.#stampPath(model), Buffer.from(`${JSON.stringify(stamp, null, 2)}\n`));
    return { sha256: stamp.sha256, bytes: stamp.bytes };
  }

  /** Files of a graph are kept, so that another size, or a newer converter, needs no network. */
  async keepSource(path: string, sha256: string, bytes: Uint8Array): Promise<void> {
    await this.#write(this.#sourcePath(path, sha256), bytes);
  }

  /** `null` when it is not kept, or no longer what it was. */
  async keptSource(path: string, sha256: string): Promise<Buffer | null> {
    const file = this.#sourcePath(path, sha256);
    if ((await sizeOf(file)) === null) return null;
    const bytes = await readFile(file);
    return digestOf(bytes) === sha256 ? bytes : null;
  }

  #sourcePath(path: string, sha256: string): string {
    return join(this.directory, 'sources', `${sha256.slice(0, 16)}-${basename(path)}`);
  }

  #stampPath(model: WantedModel): string {
    return this.path(model).replace(/\.onnx$/, '.json');
  }

  async #stamp(model: WantedModel): Promise<Stamp | null> {
    const file = this.#stampPath(model);
    if ((await sizeOf(file)) === null) return null;
    const text = await readFile(file, 'utf8');
    const parsed = Stamp.safeParse(parseJson(text));
    return parsed.success ? parsed.data : null;
  }

  async #write(file: string, bytes: Uint8Array): Promise<void> {
    const partial = `${file}.${process.pid}.part`;
    try {
      await mkdir(join(file, '..'), { recursive: true });
      const handle = await open(partial, 'w', 0o644);
      try {
        await handle.writeFile(bytes);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(partial, file);
    } catch (cause) {
      await rm(partial, { force: true });
      throw storageError(file, cause);
    }
  }
}

/** What goes wrong when models are written: a full disk, a directory of somebody else. */
export function storageError(where: string, cause: unknown): QuanweiError {
  const full = cause instanceof Error && 'code' in cause && cause.code === 'ENOSPC';
  return new QuanweiError(full ? 'STORAGE_FULL' : 'MODEL_UNAVAILABLE', messageOf(cause), {
    where,
    hint: full ? 'free some space' : 'is the directory yours? QUANWEI_MODELS_DIR names another one',
    cause,
  });
}

function recipeOf({ entry, width, height }: WantedModel): string {
  const { form, files, input, outputs, cut } = entry;
  const digests = files.map(({ sha256 }) => sha256);
  const { name, layout, type } = input;
  const made =
    form === 'onnx' ? {} : { converter: CONVERTER_VERSION, name, layout, type, width, height, outputs, cut: cut ?? {} };
  return digestOf(Buffer.from(JSON.stringify({ form, digests, ...made })));
}

export const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

export async function digestOfFile(file: string): Promise<string> {
  const hash: Hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** `null` when there is no such file. */
async function sizeOf(file: string): Promise<number | null> {
  try {
    const { size } = await stat(file);
    return size;
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && (thrown.code === 'ENOENT' || thrown.code === 'ENOTDIR'))
      return null;
    throw storageError(file, thrown);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    // A stamp cut short is as good as none: what it belongs to is fetched again.
    if (thrown instanceof SyntaxError) return null;
    throw thrown;
  }
}

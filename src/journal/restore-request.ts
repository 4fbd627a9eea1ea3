import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { storageError, syncDirectory } from './database.ts';

/** Asked for while the gateway runs, done before it opens its journal the next time: nothing is replaced under its feet. */
export interface StagedRestore {
  /** The backup, absolute. */
  readonly file: string;
  readonly actor: string;
  /** ms since the epoch */
  readonly at: number;
}

const fileOf = (dir: string): string => join(dir, 'restore-at-start.json');

/** Whole or not at all, and on disk. @throws QuanweiError STORAGE_* */
export function stageRestore(dir: string, staged: StagedRestore): void {
  const partial = `${fileOf(dir)}.new`;
  try {
    const handle = openSync(partial, 'w', 0o600);
    try {
      writeSync(handle, JSON.stringify(staged));
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(partial, fileOf(dir));
    syncDirectory(dir);
  } catch (thrown) {
    throw storageError(thrown, partial);
  }
}

export function stagedRestore(dir: string): StagedRestore | null {
  return existsSync(fileOf(dir)) ? (JSON.parse(readFileSync(fileOf(dir), 'utf8')) as StagedRestore) : null;
}

export function cancelRestore(dir: string): void {
  rmSync(fileOf(dir), { force: true });
}

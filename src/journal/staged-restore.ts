import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/errors.ts';
import { restore } from './backup.ts';
import { storageError, syncDirectory } from './database.ts';

/** Asked for while the gateway runs, done before it opens its journal the next time: nothing is replaced under its feet. */
export interface StagedRestore {
  /** The backup, absolute. */
  readonly file: string;
  readonly actor: string;
  /** ms since the epoch */
  readonly at: number;
}

export type RestoreOutcome = StagedRestore & { readonly setAside: string | null; readonly why: string | null };

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

/**
 * Does what was asked for. What fails leaves the journal that is there and is told, never tried again by itself: a
 * gateway that stands still over a bad backup watches over nobody. A power cut in the middle is begun again.
 * @returns what came of it; `null` when nothing was asked for
 */
export async function runStagedRestore(dir: string, clock: Clock): Promise<RestoreOutcome | null> {
  let staged: StagedRestore | null = null;
  try {
    staged = stagedRestore(dir);
    if (staged === null) return null;
    const { setAside } = await restore({ file: staged.file, dir, clock });
    return { ...staged, setAside, why: null };
  } catch (thrown) {
    return { ...(staged ?? { file: '', actor: 'system', at: 0 }), setAside: null, why: messageOf(thrown) };
  } finally {
    cancelRestore(dir);
  }
}

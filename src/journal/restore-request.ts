import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { syncDirectory, writeDurably } from '../kernel/durable-file.ts';
import { storageError } from './database.ts';

/** Asked for while the gateway runs, done before it opens its journal the next time: nothing is replaced under its feet. */
export interface StagedRestore {
  /** The backup, absolute. */
  readonly file: string;
  readonly actor: string;
  /** ms since the epoch */
  readonly at: number;
  /** How often it has been begun. More than once only when a power cut or an end from outside came in between. */
  readonly begun?: number;
  /** Where the journal goes that makes room for it; `null` when there was none as it was begun the last time. */
  readonly aside?: string | null;
  /** It is over, and not yet told in the journal. */
  readonly done?: RestoreDone;
}

/** What came of it. */
export interface RestoreDone {
  /** Where the old journal is now. */
  readonly setAside: string | null;
  /** Why nothing was replaced; `null` when the backup is in force. */
  readonly why: string | null;
}

const fileOf = (dir: string): string => join(dir, 'restore-at-start.json');

/** Whole or not at all, and on disk. @throws QuanweiError STORAGE_* */
export function stageRestore(dir: string, staged: StagedRestore): void {
  try {
    writeDurably(fileOf(dir), JSON.stringify(staged), 0o600);
  } catch (thrown) {
    throw storageError(thrown, fileOf(dir));
  }
}

export function stagedRestore(dir: string): StagedRestore | null {
  return existsSync(fileOf(dir)) ? (JSON.parse(readFileSync(fileOf(dir), 'utf8')) as StagedRestore) : null;
}

/** Durably: one that came back after a power cut would put the backup over all that was written since. */
export function cancelRestore(dir: string): void {
  if (!existsSync(fileOf(dir))) return;
  rmSync(fileOf(dir));
  syncDirectory(dir);
}

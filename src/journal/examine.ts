import { closeSync, fsyncSync, openSync } from 'node:fs';
import Sqlite, { type Database } from 'better-sqlite3';
import { checkVersion } from './migrate.ts';
import { type Verification, verifyChain } from './verify.ts';

export interface Examination extends Verification {
  /** What SQLite says about the pages of the file; `null` when they are sound. */
  readonly damage: string | null;
}

/** Whether all is well with a database: its pages, and its chain from the first entry to the last. */
export const sound = (examination: Examination): boolean => examination.damage === null && examination.broken === null;

/** Reads the whole file: pages first, then the chain. @throws QuanweiError STORAGE_NEWER for a later version's */
export function examine(db: Database): Examination {
  checkVersion(db);
  const said = db.pragma('integrity_check(1)', { simple: true });
  if (said !== 'ok') {
    return { entries: 0, head: 0, erased: 0, removed: 0, broken: null, damage: String(said) };
  }
  return { ...verifyChain(db), damage: null };
}

/**
 * Copies a database that may be in use, and examines the copy. In one step: in several, each commit of the gateway
 * would make SQLite begin again, and under load it would never end. The copy is one file with no log beside it, on
 * disk when this resolves.
 */
export async function copyDatabase(db: Database, to: string): Promise<Examination> {
  await db.backup(to, { progress: () => 0x7fff_ffff });
  const copy = new Sqlite(to, { fileMustExist: true });
  try {
    copy.pragma('journal_mode = DELETE');
    return examine(copy);
  } finally {
    copy.close();
    const handle = openSync(to, 'r+');
    fsyncSync(handle);
    closeSync(handle);
  }
}

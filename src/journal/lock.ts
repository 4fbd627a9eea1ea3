import { existsSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { QuanweiError } from '../kernel/errors.ts';
import { storageCode, storageError } from './database.ts';

/** Held while a data directory is in use. */
export interface Lock {
  release(): void;
}

/**
 * Takes the data directory for this process. The lock is an exclusive transaction on an empty database: the kernel
 * lets go of it when the process ends, however it ends, so there is never a stale one to clean up.
 * @throws QuanweiError STORAGE_LOCKED when another process (or another journal of this one) holds it
 */
export function lockDirectory(dir: string): Lock {
  const file = join(dir, 'quanwei.lock');
  let db: Database.Database | null = null;
  try {
    db = new Database(file, { timeout: 0 });
    db.exec('BEGIN EXCLUSIVE');
    const held = db;
    return { release: () => void held.close() };
  } catch (thrown) {
    db?.close();
    const code = (thrown as { code?: unknown }).code;
    if (code === 'SQLITE_BUSY' || code === 'SQLITE_LOCKED') {
      throw new QuanweiError('STORAGE_LOCKED', 'another gateway uses this data directory', {
        where: dir,
        hint: 'stop it first, or name another directory with --data',
        cause: thrown,
      });
    }
    throw storageCode(code) === null
      ? new QuanweiError('STORAGE_UNAVAILABLE', 'the data directory cannot be used', { where: dir, cause: thrown })
      : storageError(thrown, dir);
  }
}

/** Whether a gateway has the directory now. Takes nothing from it: a reader's lock for the blink of an eye. */
export function directoryInUse(dir: string): boolean {
  const file = join(dir, 'quanwei.lock');
  if (!existsSync(file)) return false;
  let db: Database.Database | null = null;
  try {
    db = new Database(file, { readonly: true, timeout: 0 });
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    return false;
  } catch (thrown) {
    // Anything but "busy" is a file that nobody holds, such as what a killed gateway leaves.
    return (thrown as { code?: unknown }).code === 'SQLITE_BUSY';
  } finally {
    db?.close();
  }
}

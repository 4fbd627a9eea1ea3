import { existsSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { syncDirectory } from '../kernel/durable-file.ts';
import { type ErrorCode, messageOf, QuanweiError } from '../kernel/errors.ts';

/** Name of the journal inside the data directory. */
export const DATABASE = 'quanwei.db';
/** `QWJ1`: tells `file(1)` and us whose database this is. */
const APPLICATION_ID = 0x51574a31;
/** Size the write-ahead log is cut back to after a burst, bytes. */
export const WAL_KEPT = 8 * 1024 * 1024;

/** A backup on its way into the journal's place. */
export const restoringFile = (dir: string): string => `${databaseFile(dir)}.restoring`;

export const databaseFile = (dir: string): string => join(dir, DATABASE);

/** A connection that writes. Every commit is on disk when it returns; checkpoints are the writer's own business. */
export function openForWriting(file: string): Database.Database {
  let db: Database.Database | null = null;
  try {
    db = new Database(file, { timeout: 5_000 });
    // Ours in a fresh file only; harmless to ask in any other.
    if (db.pragma('application_id', { simple: true }) === 0 && db.pragma('page_count', { simple: true }) === 0) {
      db.pragma(`application_id = ${APPLICATION_ID}`);
    }
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma('wal_autocheckpoint = 0');
    db.pragma(`journal_size_limit = ${WAL_KEPT}`);
    db.pragma('cache_size = -2000');
    db.pragma('foreign_keys = ON');
    db.pragma('secure_delete = FAST');
    db.pragma('temp_store = MEMORY');
    return db;
  } catch (thrown) {
    db?.close();
    throw storageError(thrown, file);
  }
}

/** A connection that only reads; works beside a running gateway and needs no lock. */
export function openForReading(file: string): Database.Database {
  if (!existsSync(file)) {
    throw new QuanweiError('NOT_FOUND', 'there is no journal here', {
      where: file,
      hint: 'name the data directory of a gateway with --data',
    });
  }
  try {
    const db = new Database(file, { readonly: true, fileMustExist: true, timeout: 5_000 });
    db.pragma('cache_size = -2000');
    return db;
  } catch (thrown) {
    throw storageError(thrown, file);
  }
}

/** What a failure of SQLite or of the file system means to us; anything else is given back as it is. */
export function storageError(thrown: unknown, where: string): unknown {
  if (thrown instanceof QuanweiError) return thrown;
  const code = storageCode((thrown as { code?: unknown } | null)?.code);
  if (code === null) return thrown;
  return new QuanweiError(code, messageOf(thrown), { where, hint: HINTS[code] ?? '', cause: thrown });
}

const HINTS: Partial<Record<ErrorCode, string>> = {
  STORAGE_FULL: 'make room on the disk; writing goes on by itself',
  STORAGE_UNAVAILABLE: 'check the disk, its cable and its permissions',
  STORAGE_CORRUPT: 'run `quanwei verify`, then restore a backup',
};

export function storageCode(code: unknown): ErrorCode | null {
  if (typeof code !== 'string') return null;
  if (code === 'SQLITE_FULL' || code === 'ENOSPC' || code === 'EDQUOT') return 'STORAGE_FULL';
  if (/^SQLITE_(CORRUPT|NOTADB)/.test(code)) return 'STORAGE_CORRUPT';
  if (/^SQLITE_(READONLY|IOERR|CANTOPEN|BUSY|LOCKED|PERM|NOMEM|AUTH|PROTOCOL|NOLFS)/.test(code)) {
    return 'STORAGE_UNAVAILABLE';
  }
  return /^(EROFS|EIO|EACCES|EPERM|ENODEV|ENXIO|EMFILE|ENFILE|ENOTDIR|EISDIR|EEXIST|ENOENT|EBUSY)$/.test(code)
    ? 'STORAGE_UNAVAILABLE'
    : null;
}

/**
 * Moves a database with its log to another name, durably. The log must go along: it holds the newest commits. The
 * database goes first: cut short in between, a log without its database is noticed, the other way round it is not.
 */
export function moveDatabase(from: string, to: string): void {
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(from + suffix)) renameSync(from + suffix, to + suffix);
  }
  syncDirectory(dirname(to));
}

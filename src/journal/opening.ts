import { existsSync, mkdirSync, statSync } from 'node:fs';
import type { Database } from 'better-sqlite3';
import type { Clock } from '../kernel/clock.ts';
import { syncDirectory } from '../kernel/durable-file.ts';
import { QuanweiError } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import { databaseFile, moveDatabase, openForReading, openForWriting, restoringFile, storageError } from './database.ts';
import { checkVersion, migrate } from './migrate.ts';
import { settleSwap } from './swap.ts';
import { verifyChain } from './verify.ts';

/** Newest entries whose chain is verified at every start. */
const TAIL = 500;
/** Up to this size a database whose gateway was cut short is checked page by page before it is used, bytes. */
const SMALL = 32 * 1024 * 1024;

/** What was found when the journal was opened. */
export interface Opened {
  /** Where a damaged database was moved to; `null` when it was sound. */
  readonly setAside: string | null;
  /** What was wrong with it. */
  readonly damage: string | null;
  readonly fromVersion: number;
  readonly toVersion: number;
  /** The process before this one did not end in order. */
  readonly unclean: boolean;
  /** The pages of a large database are still to be checked, beside the running gateway. */
  readonly checkLater: boolean;
}

/** A database that was moved out of the way, and why. */
export interface SetAside {
  readonly file: string;
  readonly damage: string;
}

/**
 * Brings the database of a locked data directory into a state that can be appended to, and records this process start.
 * @param setAside what this one takes the place of
 * @returns a connection for the caller to close, once another one is open (so that the log is not folded in meanwhile),
 *   and what the one commit took, ms
 * @throws QuanweiError STORAGE_NEWER, STORAGE_CORRUPT, STORAGE_FULL, STORAGE_UNAVAILABLE
 */
export function prepareDatabase(
  dir: string,
  clock: Clock,
  setAside: SetAside | null,
): { opened: Opened; db: Database; commitMs: number } {
  const file = databaseFile(dir);
  try {
    settleSwap(dir);
  } catch (thrown) {
    throw storageError(thrown, dir);
  }
  const known = existsSync(file);
  if (!known) refuseHalves(dir);
  const { unclean, checkLater } = known ? inspect(file) : { unclean: false, checkLater: false };
  const db = openForWriting(file);
  try {
    const { from, to } = migrate(db, clock.wall());
    const begun = performance.now();
    db.prepare('INSERT INTO boots (boot, wall) VALUES (?, ?) ON CONFLICT (boot) DO UPDATE SET stopped = NULL').run(
      clock.boot,
      clock.wall(),
    );
    const commitMs = performance.now() - begun;
    if (!known) syncDirectory(dir);
    const opened: Opened = {
      setAside: setAside?.file ?? null,
      damage: setAside?.damage ?? null,
      fromVersion: from,
      toVersion: to,
      unclean,
      checkLater,
    };
    return { opened, db, commitMs };
  } catch (thrown) {
    db.close();
    throw storageError(thrown, file);
  }
}

/** Moves a damaged database out of the way with its log; never repaired in place, never deleted. */
export function setDamagedAside(dir: string, clock: Clock, log: Log, error: QuanweiError): SetAside {
  const file = asideName(databaseFile(dir), 'damaged', clock.wall());
  moveDatabase(databaseFile(dir), file);
  log.error({ err: error, setAside: file }, 'the database is damaged: it was set aside and a new one is started');
  return { file, damage: error.message };
}

/** `quanwei.db` → `quanwei.db.damaged-20260601T040000Z`, or with a number when that is taken. */
export function asideName(file: string, why: string, wall: number): string {
  const stamp = new Date(wall).toISOString().replace(/[-:]|\.\d+/g, '');
  let name = `${file}.${why}-${stamp}`;
  for (let n = 2; existsSync(name); n += 1) name = `${file}.${why}-${stamp}-${n}`;
  return name;
}

/** @throws QuanweiError STORAGE_UNAVAILABLE */
export function makeDirectory(dir: string): void {
  try {
    mkdirSync(dir, { recursive: true, mode: 0o750 });
  } catch (thrown) {
    throw storageError(thrown, dir);
  }
}

/** Without a database there must be nothing that belongs to one: a fresh start would bury it. */
function refuseHalves(dir: string): void {
  const file = databaseFile(dir);
  if (existsSync(restoringFile(dir))) {
    throw new QuanweiError('STORAGE_UNAVAILABLE', 'restoring a backup was cut short', {
      where: dir,
      hint: 'run `quanwei restore` again',
    });
  }
  if (existsSync(`${file}-wal`)) {
    throw new QuanweiError('STORAGE_CORRUPT', 'there is a log without its database', { where: `${file}-wal` });
  }
}

function checkTail(db: Database): void {
  const { broken } = verifyChain(db, { newest: TAIL });
  if (broken !== null) {
    throw new QuanweiError('STORAGE_CORRUPT', `entry ${broken.seq}: ${broken.why}`, { where: db.name });
  }
}

/**
 * Looks at a database before anything is written to it. Through a connection that only reads: one that writes would,
 * when it is closed, fold the log into a file that is perhaps damaged.
 */
function inspect(file: string): { unclean: boolean; checkLater: boolean } {
  const db = openForReading(file);
  try {
    const fresh = checkVersion(db) === 0;
    const unclean = !fresh && db.prepare('SELECT stopped FROM boots ORDER BY n DESC LIMIT 1').pluck().get() === null;
    const small = statSync(file).size <= SMALL;
    if (unclean && small) checkPages(db);
    if (!fresh) checkTail(db);
    return { unclean, checkLater: unclean && !small };
  } catch (thrown) {
    throw storageError(thrown, file);
  } finally {
    db.close();
  }
}

/** @throws QuanweiError STORAGE_CORRUPT */
function checkPages(db: Database): void {
  const result = db.pragma('quick_check(1)', { simple: true });
  if (result !== 'ok') throw new QuanweiError('STORAGE_CORRUPT', String(result), { where: db.name });
}

import { existsSync, readdirSync, renameSync, rmSync, truncateSync } from 'node:fs';
import { basename, join } from 'node:path';
import { syncDirectory } from '../kernel/durable-file.ts';
import { DATABASE, databaseFile, moveDatabase, restoringFile } from './database.ts';

/**
 * Puts an examined copy in the journal's place. A database is up to three files, and no rename moves three at once, so
 * the copy first takes a name that says what is to be done: `quanwei.db.replacing-TIME` means that whatever still has
 * the journal's name is moved to `quanwei.db.replaced-TIME`, each file of it, and then the copy gets the journal's name.
 * Every step can be done again: whoever finds such a name finishes it, whichever step a power cut fell into. The log
 * of the old one never lies beside the new one, into which SQLite would write it.
 */
const REPLACING = `${DATABASE}.replacing-`;
const REPLACED = `${DATABASE}.replaced-`;

const SUFFIXES = ['', '-wal', '-shm'];

/**
 * @param copy examined, on disk, one file; gone afterwards
 * @param aside where the old one shall go: `quanwei.db.replaced-TIME`, not taken
 * @throws what the disk says; then the old one is back, or the new one has its place, or `settleSwap` goes on at the
 *   next start
 */
export function swapIn(dir: string, copy: string, aside: string): void {
  const ready = join(dir, basename(aside).replace(REPLACED, REPLACING));
  renameSync(copy, ready);
  try {
    syncDirectory(dir);
    finish(dir, ready);
  } catch (thrown) {
    takeBack(dir, ready);
    throw thrown;
  }
}

/**
 * Finishes what was cut short, before the journal is opened: a swap is carried to its end, and a copy that was not
 * whole yet is removed when there is a journal; when there is none, somebody must know that it is missing.
 * @returns where the old one is when a swap was finished now (it may be that there was none), otherwise `null`
 */
export function settleSwap(dir: string): string | null {
  if (!existsSync(dir)) return null;
  let aside: string | null = null;
  for (const name of readdirSync(dir).filter((one) => one.startsWith(REPLACING))) {
    finish(dir, join(dir, name));
    aside = asideOf(dir, name);
  }
  if (existsSync(databaseFile(dir))) discardDatabase(restoringFile(dir));
  return aside;
}

/** Any file of it: its log alone is one that is damaged, not none. */
export const hasDatabase = (file: string): boolean => SUFFIXES.some((suffix) => existsSync(file + suffix));

export function discardDatabase(file: string): void {
  for (const suffix of [...SUFFIXES, '-journal']) rmSync(file + suffix, { force: true });
}

/** Makes room for a copy. Where there is no journal the name of the one before stays, which says so. */
export function clearRestoring(dir: string): void {
  const file = restoringFile(dir);
  if (existsSync(databaseFile(dir)) || !existsSync(file)) discardDatabase(file);
  else {
    truncateSync(file);
    for (const suffix of ['-wal', '-shm', '-journal']) rmSync(file + suffix, { force: true });
  }
}

const asideOf = (dir: string, ready: string): string => join(dir, basename(ready).replace(REPLACING, REPLACED));

function finish(dir: string, ready: string): void {
  const target = databaseFile(dir);
  if (hasDatabase(target)) moveDatabase(target, asideOf(dir, ready));
  renameSync(ready, target);
  syncDirectory(dir);
}

/** As far as the disk lets us: with the copy still there under its telling name, the next start does the rest. */
function takeBack(dir: string, ready: string): void {
  const [target, aside] = [databaseFile(dir), asideOf(dir, ready)];
  // The renaming itself may have been done and only its way to the disk have failed: then the new one stays.
  if (!existsSync(ready)) return;
  try {
    if (hasDatabase(aside)) moveDatabase(aside, target);
    if (existsSync(target)) discardDatabase(ready);
    else renameSync(ready, restoringFile(dir));
    syncDirectory(dir);
  } catch {
    // Whoever asked hears what went wrong first.
  }
}

import { existsSync, readdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../kernel/clock.ts';
import { syncDirectory } from '../kernel/durable-file.ts';
import { QuanweiError } from '../kernel/errors.ts';
import { databaseFile, restoringFile, storageError } from './database.ts';
import { type Examination, sound } from './examine.ts';
import { lockDirectory } from './lock.ts';
import { inThread } from './maintenance.ts';
import { asideName, makeDirectory } from './opening.ts';
import { stagedRestore } from './restore-request.ts';
import { clearRestoring, discardDatabase, hasDatabase, settleSwap, swapIn } from './swap.ts';

const NAME = /^quanwei-(\d{8}T\d{6}Z)(?:-(\d+))?\.db$/;

export interface Backup {
  readonly file: string;
  readonly bytes: number;
  /** Newest entry in it. */
  readonly head: number;
  /** Older backups removed because of `keep`. */
  readonly removed: readonly string[];
}

/**
 * Copies the journal while the gateway runs (or after), examines the copy page by page and link by link, and only then
 * gives it its name and removes what is more than `keep`.
 * @param options.dir data directory
 * @param options.to directory of the backups; `<dir>/backups` by default. Better on another disk.
 * @throws QuanweiError STORAGE_CORRUPT when the copy is not sound; the older backups are then all kept
 */
export async function backup(options: { dir: string; to?: string; keep: number; clock: Clock }): Promise<Backup> {
  const to = options.to ?? join(options.dir, 'backups');
  makeDirectory(to);
  const file = freeName(to, options.clock.wall());
  const partial = `${file}.partial`;
  try {
    const examination = await inThread({ do: 'copy', file: databaseFile(options.dir), to: partial });
    requireSound(examination, partial);
    renameSync(partial, file);
    syncDirectory(to);
    const removed = rotate(to, options.keep, stagedRestore(options.dir)?.file ?? null);
    return { file, bytes: statSync(file).size, head: examination.head, removed };
  } catch (thrown) {
    discardDatabase(partial);
    throw storageError(thrown, partial);
  }
}

/** Backups in a directory, oldest first. */
export const backupsIn = (dir: string): string[] =>
  existsSync(dir)
    ? readdirSync(dir)
        .filter((name) => NAME.test(name))
        .sort(byAge)
        .map((name) => join(dir, name))
    : [];

/** Of two made in the same second, the numbered one is the newer. */
function byAge(a: string, b: string): number {
  const [, stampA = '', nA = '1'] = NAME.exec(a) ?? [];
  const [, stampB = '', nB = '1'] = NAME.exec(b) ?? [];
  return stampA < stampB ? -1 : stampA > stampB ? 1 : Number(nA) - Number(nB);
}

/**
 * Puts a backup in the place of the journal. Refuses while a gateway runs; what was there is set aside, not deleted, and
 * is back when this fails. Where nothing was, a half copy stays: its name says that a journal is missing.
 * @param options.begun called once nobody else can have the directory, before anything is done, with where the journal
 *   that is there will go, if one is; what it throws ends it
 * @returns where the replaced database is now; `null` when there was none
 * @throws QuanweiError STORAGE_LOCKED, STORAGE_CORRUPT, STORAGE_NEWER, NOT_FOUND
 */
export async function restore(options: {
  file: string;
  dir: string;
  clock: Clock;
  begun?: (aside: string | null) => void;
}): Promise<{ setAside: string | null; head: number }> {
  const { file, dir, clock } = options;
  if (!existsSync(file)) throw new QuanweiError('NOT_FOUND', 'there is no such backup', { where: file });
  makeDirectory(dir);
  const lock = lockDirectory(dir);
  const partial = restoringFile(dir);
  try {
    settleSwap(dir);
    const aside = asideName(databaseFile(dir), 'replaced', clock.wall());
    options.begun?.(hasDatabase(databaseFile(dir)) ? aside : null);
    clearRestoring(dir);
    const examination = await inThread({ do: 'copy', file, to: partial });
    requireSound(examination, file);
    swapIn(dir, partial, aside);
    return { setAside: hasDatabase(aside) ? aside : null, head: examination.head };
  } catch (thrown) {
    if (existsSync(databaseFile(dir))) discardDatabase(partial);
    throw storageError(thrown, file);
  } finally {
    lock.release();
  }
}

function requireSound(examination: Examination, where: string): void {
  if (sound(examination)) return;
  const { broken, damage } = examination;
  throw new QuanweiError('STORAGE_CORRUPT', damage ?? `entry ${broken?.seq}: ${broken?.why}`, {
    where,
    hint: 'run `quanwei verify`',
  });
}

function freeName(dir: string, wall: number): string {
  const stamp = new Date(wall).toISOString().replace(/[-:]|\.\d+/g, '');
  let name = join(dir, `quanwei-${stamp}.db`);
  for (let n = 2; existsSync(name); n += 1) name = join(dir, `quanwei-${stamp}-${n}.db`);
  return name;
}

/** @param spared waits to be put back at the next start */
function rotate(dir: string, keep: number, spared: string | null): string[] {
  const old = backupsIn(dir)
    .slice(0, -keep)
    .filter((file) => file !== spared);
  for (const file of old) discardDatabase(file);
  return old;
}

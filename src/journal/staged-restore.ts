import type { Clock } from '../kernel/clock.ts';
import { messageOf, QuanweiError } from '../kernel/errors.ts';
import { restore } from './backup.ts';
import { databaseFile, storageError } from './database.ts';
import type { Journal } from './journal.ts';
import { lockDirectory } from './lock.ts';
import { cancelRestore, type RestoreDone, type StagedRestore, stagedRestore, stageRestore } from './restore-request.ts';
import { hasDatabase, settleSwap } from './swap.ts';

/** So often a restore is begun. What is cut short twice will be a third time, and nobody is watched over meanwhile. */
const MOST_BEGUN = 2;
/** Newest entries about backups among which the one of a restore is, if it was written before the power failed. */
const RECENT = 50;

export type RestoreOutcome = Pick<StagedRestore, 'file' | 'actor' | 'at'> & RestoreDone;

/**
 * Does what was asked for. What fails leaves the journal that is there and is told, never tried again by itself: a
 * gateway that stands still over a bad backup watches over nobody. A power cut in the middle is begun again, once.
 * What came of it stays beside the journal until `recordRestore`, so that no power cut leaves it untold.
 * @returns what came of it; `null` when nothing was asked for
 * @throws QuanweiError STORAGE_LOCKED while another gateway has the directory; STORAGE_* while the disk lets neither
 *   journal be in force: the next start does it
 */
export async function runStagedRestore(dir: string, clock: Clock): Promise<RestoreOutcome | null> {
  let staged: StagedRestore = { file: '', actor: 'system', at: Math.round(clock.wall()) };
  let done: RestoreDone;
  try {
    const found = stagedRestore(dir);
    if (found === null) return null;
    staged = found;
    const count = (aside: string | null) => {
      staged = { ...staged, begun: (staged.begun ?? 0) + 1, aside };
      stageRestore(dir, staged);
    };
    done = staged.done ?? { setAside: await bringAbout(dir, staged, clock, count), why: null };
  } catch (thrown) {
    if (thrown instanceof QuanweiError && thrown.code === 'STORAGE_LOCKED') throw thrown;
    // The disk may have refused the last word only, or not let the old one back: what is in force decides. A copy that
    // still lies ready would take the journal's place later, whatever were told now: then this start is none.
    settle(dir);
    done = isInForce(dir, staged)
      ? { setAside: asideOf(staged), why: null }
      : { setAside: null, why: messageOf(thrown) };
  }
  if (staged.done === undefined) keep(dir, { ...staged, done });
  const { file, actor, at } = staged;
  return { file, actor, at, ...done };
}

/**
 * Writes into the journal who asked for it, what came of it, and where what was there before is now; only then the wish
 * goes. Once: what an earlier start wrote before the power failed is not written again.
 * @throws QuanweiError STORAGE_*
 */
export async function recordRestore(journal: Journal, outcome: RestoreOutcome): Promise<void> {
  const { actor, file, at, setAside, why } = outcome;
  const body = { what: why === null ? 'restored' : 'restore failed', file, asked: at, setAside, why };
  const told = journal.read({ kinds: ['system.backup'], limit: RECENT, newestFirst: true }).some((entry) => {
    const before = entry.body as Partial<typeof body> | null;
    return before?.what === body.what && before.file === file && before.asked === at;
  });
  if (!told) await journal.append([{ kind: 'system.backup', actor, subject: null, body }]);
  cancelRestore(journal.dir);
}

function keep(dir: string, staged: StagedRestore): void {
  try {
    stageRestore(dir, staged);
  } catch {
    // Whoever starts next finds out by what is in force; what failed is at worst tried once more.
  }
}

/** @returns where the old journal is now, if there was one */
async function bringAbout(
  dir: string,
  staged: StagedRestore,
  clock: Clock,
  count: (aside: string | null) => void,
): Promise<string | null> {
  const { file, begun = 0 } = staged;
  if (begun > 0) {
    settle(dir);
    if (isInForce(dir, staged)) return asideOf(staged);
  }
  if (begun >= MOST_BEGUN) {
    throw new QuanweiError('STORAGE_UNAVAILABLE', `begun ${begun} times and cut short each time: given up`, {
      where: file,
    });
  }
  return (await restore({ file, dir, clock, begun: count })).setAside;
}

/** The copy was whole, and something failed while it took the journal's place: carried to its end. */
function settle(dir: string): void {
  const lock = lockDirectory(dir);
  try {
    settleSwap(dir);
  } catch (thrown) {
    throw storageError(thrown, dir);
  } finally {
    lock.release();
  }
}

/**
 * Whether a restore that was begun came to its end, once what was cut short is settled. The old journal makes room for
 * the copy alone, and is back when that fails: it is aside now, or there was none and there is one.
 */
const isInForce = (dir: string, { aside }: StagedRestore): boolean =>
  aside !== undefined && hasDatabase(aside ?? databaseFile(dir));

const asideOf = ({ aside }: StagedRestore): string | null =>
  typeof aside === 'string' && hasDatabase(aside) ? aside : null;

import { existsSync } from 'node:fs';
import type { Clock } from '../kernel/clock.ts';
import { messageOf, QuanweiError } from '../kernel/errors.ts';
import { restore } from './backup.ts';
import { lockDirectory } from './lock.ts';
import { cancelRestore, type StagedRestore, stagedRestore, stageRestore } from './restore-request.ts';
import { settleSwap } from './swap.ts';

/** So often a restore is begun. What is cut short twice will be a third time, and nobody is watched over meanwhile. */
const MOST_BEGUN = 2;

export type RestoreOutcome = Omit<StagedRestore, 'begun'> & {
  readonly setAside: string | null;
  readonly why: string | null;
};

/**
 * Does what was asked for. What fails leaves the journal that is there and is told, never tried again by itself: a
 * gateway that stands still over a bad backup watches over nobody. A power cut in the middle is begun again, once.
 * @returns what came of it; `null` when nothing was asked for
 * @throws QuanweiError STORAGE_LOCKED while another gateway has the directory: its next start does it
 */
export async function runStagedRestore(dir: string, clock: Clock): Promise<RestoreOutcome | null> {
  let staged: StagedRestore | null = null;
  let setAside: string | null = null;
  let why: string | null = null;
  try {
    staged = stagedRestore(dir);
    if (staged === null) return null;
    setAside = await bringAbout(dir, staged, clock);
  } catch (thrown) {
    if (thrown instanceof QuanweiError && thrown.code === 'STORAGE_LOCKED') throw thrown;
    why = messageOf(thrown);
  }
  cancelRestore(dir);
  const { file, actor, at } = staged ?? { file: '', actor: 'system', at: 0 };
  return { file, actor, at, setAside, why };
}

/** @returns where the old journal is now, if there was one */
async function bringAbout(dir: string, staged: StagedRestore, clock: Clock): Promise<string | null> {
  const begun = staged.begun ?? 0;
  const finished = begun === 0 ? null : settled(dir);
  if (finished !== null) return existsSync(finished) ? finished : null;
  if (begun >= MOST_BEGUN) {
    throw new QuanweiError('STORAGE_UNAVAILABLE', `begun ${begun} times and cut short each time: given up`, {
      where: staged.file,
    });
  }
  const count = () => stageRestore(dir, { ...staged, begun: begun + 1 });
  return (await restore({ file: staged.file, dir, clock, begun: count })).setAside;
}

/** The copy was whole, and the power failed while it took the journal's place. */
function settled(dir: string): string | null {
  const lock = lockDirectory(dir);
  try {
    return settleSwap(dir);
  } finally {
    lock.release();
  }
}

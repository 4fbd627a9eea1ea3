import type { Clock } from '../kernel/clock.ts';
import { messageOf, QuanweiError } from '../kernel/errors.ts';
import { restore } from './backup.ts';
import { cancelRestore, type StagedRestore, stagedRestore } from './restore-request.ts';

export type RestoreOutcome = StagedRestore & { readonly setAside: string | null; readonly why: string | null };

/**
 * Does what was asked for. What fails leaves the journal that is there and is told, never tried again by itself: a
 * gateway that stands still over a bad backup watches over nobody. A power cut in the middle is begun again.
 * @returns what came of it; `null` when nothing was asked for
 * @throws QuanweiError STORAGE_LOCKED while another gateway has the directory: its next start does it
 */
export async function runStagedRestore(dir: string, clock: Clock): Promise<RestoreOutcome | null> {
  let staged: StagedRestore | null = null;
  try {
    staged = stagedRestore(dir);
    if (staged === null) return null;
    const { setAside } = await restore({ file: staged.file, dir, clock });
    cancelRestore(dir);
    return { ...staged, setAside, why: null };
  } catch (thrown) {
    if (thrown instanceof QuanweiError && thrown.code === 'STORAGE_LOCKED') throw thrown;
    cancelRestore(dir);
    return { ...(staged ?? { file: '', actor: 'system', at: 0 }), setAside: null, why: messageOf(thrown) };
  }
}

import { join } from 'node:path';
import type { Clock } from '../../kernel/clock.ts';
import { QuanweiError } from '../../kernel/errors.ts';
import { mediaFile } from '../../kernel/media.ts';
import type { ServedTrials } from '../serve/trial-route.ts';
import { forkTrial } from './launch.ts';
import { freeMemory } from './memory.ts';
import { type SettingsInUse, Trials } from './trials.ts';
import { Uploads } from './uploads.ts';

interface Parts {
  /** Directory of evidence; footage that is sent lies in it for a while. */
  readonly data: string;
  settings(): SettingsInUse;
  /** Bytes of the disk that are left to others. */
  readonly minFree: number;
  readonly clock: Clock;
  readonly newId: () => string;
  /** Of nice(2). */
  readonly priority?: number;
}

/** Everything else on the box is served first. */
const PRIORITY = 15;

export interface OpenTrials {
  readonly served: ServedTrials;
  /** Resolves when no process of it is left. */
  close(): Promise<void>;
}

/** Everything that settings are tried with on footage. */
export function openTrials({ data, settings, minFree, clock, newId, priority = PRIORITY }: Parts): OpenTrials {
  const trials = new Trials({
    ...{ settings, clock, newId, priority },
    launch: forkTrial(clock),
    freeMemory,
  });
  const uploads = new Uploads({
    ...{ directory: join(data, 'vision', 'trial'), clock, newId, minFree },
    inUse: (file) => trials.plays(file),
  });
  return {
    served: {
      trials,
      uploads,
      clip: (ref) => {
        const file = ref.endsWith('.mp4') ? mediaFile(data, ref) : null;
        if (file === null) throw new QuanweiError('NOT_FOUND', 'this clip is not kept any more');
        return file;
      },
    },
    close: async () => {
      await trials.close();
      await uploads.close();
    },
  };
}

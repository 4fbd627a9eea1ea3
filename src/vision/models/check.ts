import { SystemClock } from '../../kernel/clock.ts';
import { QuanweiError } from '../../kernel/errors.ts';
import type { Log } from '../../kernel/log.ts';
import { ForkedInference } from '../inference/forked.ts';
import type { WantedModel } from './catalogue.ts';
import type { ModelStore } from './store.ts';

export interface CheckedModel {
  readonly id: string;
  readonly file: string;
  /** Of the runs, the middle one; `null` when it could not be run. */
  readonly ms: number | null;
  readonly error: QuanweiError | null;
}

const RUNS = 5;

/**
 * Whether a model is there, whole, and gives its decoder what that wants: its digest is looked at, and it is run in a child
 * of its own, where a broken file can do no harm.
 */
export async function checkModel(model: WantedModel, store: ModelStore, log: Log): Promise<CheckedModel> {
  const { id, entry, width, height } = model;
  const about = { id, file: store.path(model) };
  let inference: ForkedInference | null = null;
  try {
    const models = [await store.open(model)];
    inference = await ForkedInference.start({ models, clock: new SystemClock(), log, random: Math.random });
    const times: number[] = [];
    for (let run = 0; run < RUNS; run++) {
      const began = performance.now();
      await inference.run(entry.task, id, new Uint8Array(width * height * 3).fill(127), 'check');
      times.push(performance.now() - began);
    }
    return { ...about, ms: times.sort((a, b) => a - b)[RUNS >> 1] ?? null, error: null };
  } catch (thrown) {
    if (thrown instanceof QuanweiError) return { ...about, ms: null, error: thrown };
    throw thrown;
  } finally {
    await inference?.close();
  }
}

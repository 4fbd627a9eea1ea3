import { setImmediate } from 'node:timers/promises';

/** A fire alarm waits for this long at most behind a search, and for one piece of it, ms. */
const SLICE_MS = 8;

/**
 * Long work on the event loop, piece by piece: to be awaited after each piece. Whatever else has come goes first once
 * the pieces since the last time took so long. It is real time that others wait for, whatever any clock says.
 * @param sliceMs 0: after every piece
 */
export function turns(sliceMs = SLICE_MS): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < sliceMs) return;
    await setImmediate();
    since = performance.now();
  };
}

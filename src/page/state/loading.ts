import { onScopeDispose, type ShallowRef, shallowRef } from 'vue';
import { useBackAgain } from './back-again.ts';

/** What a view reads from the gateway: nothing yet, the value, or why not. A value that is there stays while it is read again. */
export interface Loading<T> {
  readonly value: ShallowRef<T | null>;
  readonly error: ShallowRef<unknown>;
  readonly busy: ShallowRef<boolean>;
  /** Reads it (again). Never rejects; of two at once the later one counts, and both are over when it is. */
  read(): Promise<void>;
}

/**
 * Read again also when the gateway is back after it was lost: nobody has told meanwhile what changed.
 * @param ask gets a signal that is raised when the view goes away or it is asked again
 * @param every ms after which it is read again by itself, unless it still is being read
 */
export function useLoading<T>(ask: (signal: AbortSignal) => Promise<T>, every: number | null = null): Loading<T> {
  const value = shallowRef<T | null>(null);
  const error = shallowRef<unknown>(null);
  const busy = shallowRef(false);
  let last: AbortController | null = null;
  let newest = Promise.resolve();
  let over = false;

  async function take(): Promise<void> {
    last?.abort();
    const mine = new AbortController();
    last = mine;
    busy.value = true;
    try {
      const found = await ask(mine.signal);
      if (!mine.signal.aborted) {
        value.value = found;
        error.value = null;
      }
    } catch (thrown) {
      if (!mine.signal.aborted) error.value = thrown;
    }
    if (last === mine) busy.value = false;
    else await newest;
  }
  function read(): Promise<void> {
    if (!over) newest = take();
    return newest;
  }

  const timer = every === null ? undefined : setInterval(() => (busy.value ? undefined : void read()), every);
  useBackAgain(() => void read());
  onScopeDispose(() => {
    over = true;
    clearInterval(timer);
    last?.abort();
  });
  void read();
  return { value, error, busy, read };
}

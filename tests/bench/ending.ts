/** Ends one thing that was started: a process, a connection, a directory. */
export type End = () => unknown;

const open = new Set<() => Promise<void>>();

/**
 * Runs what starts things; each is handed to `after` as soon as it is there and ended when the work is over, the last one
 * first, also when the work throws in the middle or the benchmark is told to stop.
 * @throws what the work throws, else what the first end that failed throws
 */
export async function ending<T>(work: (after: (end: End) => void) => Promise<T>): Promise<T> {
  const ends: End[] = [];
  const endAll = async (): Promise<void> => {
    const failed: unknown[] = [];
    for (let end = ends.pop(); end !== undefined; end = ends.pop()) {
      try {
        await end();
      } catch (thrown) {
        failed.push(thrown);
      }
    }
    if (failed.length > 0) throw failed[0];
  };
  open.add(endAll);
  let result: T;
  try {
    result = await work((end) => void ends.push(end));
  } catch (thrown) {
    // Why it failed says more than what could not be ended afterwards.
    await endAll().catch((further: unknown) => console.error('not everything could be ended:', further));
    throw thrown;
  } finally {
    open.delete(endAll);
  }
  await endAll();
  return result;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void Promise.allSettled([...open].reverse().map((end) => end())).then(() => process.exit(1));
  });
}

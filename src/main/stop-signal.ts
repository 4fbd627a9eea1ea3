/** One press of Ctrl-C may arrive twice: from the terminal, and from an npm that passes it on. */
const SAME_PRESS_MS = 1_000;

/**
 * Resolves with the name of the first signal that asks this process to end; a later one ends it at once. Whoever started
 * us with a channel and is gone, killed perhaps, has asked too.
 */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let asked = Number.NaN;
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (performance.now() - asked > SAME_PRESS_MS) process.exit(130);
        if (Number.isNaN(asked)) asked = performance.now();
        resolve(signal);
      });
    }
    // `null` once it is broken: they may be gone before we listen.
    const channel = process.channel as typeof process.channel | null;
    if (channel === null) resolve('SIGTERM');
    else if (channel !== undefined) {
      process.once('disconnect', () => resolve('SIGTERM'));
      // Nobody lives for the sake of being told to end.
      channel.unref();
    }
  });
}

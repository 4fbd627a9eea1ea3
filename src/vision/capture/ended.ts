/**
 * `wait`, but no longer than until `ending`: what is asked may take a minute to give up, and whoever stops it must not.
 * @throws what `wait` throws; an Error `stopped`
 */
export function unlessEnded<T>(wait: Promise<T>, ending: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stopped = () => reject(new Error('stopped'));
    if (ending.aborted) stopped();
    ending.addEventListener('abort', stopped, { once: true });
    void wait.then(resolve, reject).finally(() => ending.removeEventListener('abort', stopped));
  });
}

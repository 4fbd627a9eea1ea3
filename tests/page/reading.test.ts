import { expect, onTestFinished, test, vi } from 'vitest';
import { effectScope } from 'vue';
import { useLoading } from '../../src/page/state/loading.ts';

test('what takes longer to read than the time until the next reading is still read to its end', async () => {
  vi.useFakeTimers();
  const scope = effectScope();
  onTestFinished(() => {
    scope.stop();
    vi.useRealTimers();
  });
  let asked = 0;
  const slowly = async (signal: AbortSignal): Promise<number> => {
    asked += 1;
    const mine = asked;
    await new Promise((resolve) => setTimeout(resolve, 25_000));
    signal.throwIfAborted();
    return mine;
  };
  const loading = scope.run(() => useLoading(slowly, 10_000));
  await vi.advanceTimersByTimeAsync(26_000);
  expect(loading?.value.value).toBe(1);
  // And again by itself; whoever asks for it begins anew, and who waits for one waits for the last.
  await vi.advanceTimersByTimeAsync(5_000);
  expect([asked, loading?.busy.value]).toEqual([2, true]);
  const waited = loading?.read().then(() => loading.value.value);
  void loading?.read();
  await vi.advanceTimersByTimeAsync(26_000);
  expect([await waited, loading?.value.value]).toEqual([4, 4]);
});

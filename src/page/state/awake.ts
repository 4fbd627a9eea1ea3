import { onScopeDispose, watch } from 'vue';

/**
 * Keeps the screen on for as long as `wanted` says. A browser lets go of it when the page goes into the background, and
 * may refuse (battery low, plain http): then the screen goes dark as it always did.
 */
export function useAwake(wanted: () => boolean): void {
  let lock: WakeLockSentinel | null = null;
  let asking = false;

  async function settle(): Promise<void> {
    if (asking || !('wakeLock' in navigator)) return;
    asking = true;
    try {
      if (wanted() && document.visibilityState === 'visible' && (lock === null || lock.released)) {
        lock = await navigator.wakeLock.request('screen');
      } else if (!wanted() && lock !== null) {
        await lock.release();
        lock = null;
      }
    } catch (thrown) {
      if (!(thrown instanceof DOMException)) throw thrown;
    } finally {
      asking = false;
    }
  }

  const onVisible = () => void settle();
  document.addEventListener('visibilitychange', onVisible);
  watch(wanted, () => void settle(), { immediate: true });
  onScopeDispose(() => {
    document.removeEventListener('visibilitychange', onVisible);
    void lock?.release();
  });
}

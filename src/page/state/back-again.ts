import { watch } from 'vue';
import { useLive } from './live.ts';

/** Says that the gateway is there again after it was not: whoever has read a list has missed what came meanwhile. */
export function useBackAgain(fn: () => void): void {
  const live = useLive();
  // Not there yet is not lost: before its first word there was nothing to miss.
  let lost = live.state !== null && !live.up;
  watch(
    () => live.up,
    (up) => {
      if (up && lost) fn();
      lost = !up;
    },
  );
}

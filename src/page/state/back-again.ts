import { onScopeDispose } from 'vue';

const waiting = new Set<() => void>();

/** The gateway was lost and is there again, or is another than before. */
export function tellBackAgain(): void {
  for (const fn of [...waiting]) fn();
}

/** Calls `fn` when the gateway is there again after it was not: whoever has read a list has missed what came meanwhile. */
export function useBackAgain(fn: () => void): void {
  waiting.add(fn);
  onScopeDispose(() => void waiting.delete(fn));
}

import { defineStore } from 'pinia';
import { shallowRef } from 'vue';
import { spoken } from '../words/words.ts';

export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly kind: 'good' | 'bad';
}

/** Lines at the foot of the screen that go by themselves. */
export const useToasts = defineStore('toasts', () => {
  const all = shallowRef<readonly Toast[]>([]);
  let next = 1;

  function tell(text: string, kind: Toast['kind'] = 'good'): void {
    const id = next++;
    all.value = [...all.value.slice(-4), { id, text, kind }];
    setTimeout(
      () => {
        all.value = all.value.filter((one) => one.id !== id);
      },
      kind === 'bad' ? 8_000 : 4_000,
    );
  }

  /** Runs what a click starts; what goes wrong is said. @returns whether it went well */
  async function attempt(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (thrown) {
      tell(spoken(thrown), 'bad');
      return false;
    }
  }

  return { all, tell, attempt };
});

import { defineStore } from 'pinia';
import { shallowRef } from 'vue';

/** A password that is shown this once, until whoever made it has noted it. */
export const useOnce = defineStore('once', () => {
  const shown = shallowRef<{ readonly name: string; readonly password: string } | null>(null);
  function show(name: string, password: string): void {
    shown.value = { name, password };
  }
  function hide(): void {
    shown.value = null;
  }
  return { shown, show, hide };
});

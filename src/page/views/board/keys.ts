import { onBeforeUnmount, onMounted } from 'vue';
import type { Deed } from '../../state/alarm.ts';

/** The key of each deed, on the board and in its menu. */
export const DEED_KEYS: Readonly<Record<Deed, string>> = {
  acknowledge: 'a',
  accept: 't',
  dispatch: 'd',
  handle: 'h',
  close: 'x',
  false: 'f',
  reset: 'z',
  return: 'b',
  shelve: 's',
  unshelve: 'u',
  regrade: 'l',
  merge: 'g',
  note: 'i',
};

/**
 * The letter of a key, also while a Chinese input method holds the keyboard and calls every key `Process`; '' with a
 * modifier, which belongs to the browser.
 */
export function keyOf(event: KeyboardEvent): string {
  if (event.ctrlKey || event.metaKey || event.altKey) return '';
  if (event.key === 'Process') return event.code.startsWith('Key') ? event.code.slice(3).toLowerCase() : '';
  return event.key.length === 1 ? event.key.toLowerCase() : event.key;
}

/** Keys go to the page only while nobody types and no dialog asks something. */
const isTaken = (target: EventTarget | null): boolean =>
  (target instanceof Element && target.closest('input, textarea, select, [contenteditable]') !== null) ||
  document.querySelector('dialog[open]') !== null;

/** @param onKey gets the letter; says whether it did something with it */
export function useKeys(onKey: (key: string) => boolean): void {
  const listen = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing || isTaken(event.target)) return;
    if (onKey(keyOf(event))) event.preventDefault();
  };
  onMounted(() => window.addEventListener('keydown', listen));
  onBeforeUnmount(() => window.removeEventListener('keydown', listen));
}

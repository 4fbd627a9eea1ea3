import { onBeforeUpdate, onUpdated, type ShallowRef, shallowRef } from 'vue';

/** Where the focus is in the list: on which alarm, and on which of its controls. */
interface Place {
  readonly id: string;
  readonly control: string;
}

/**
 * Keeps the focus on the alarm it was on while lines move, come and go: the browser drops it from an element that is
 * put elsewhere. When the alarm itself is gone, the focus goes to what lies in its place.
 * @param stand the id of the alarm that lies there now instead of this one, or `null` for none
 */
export function useKeptFocus(
  list: Readonly<ShallowRef<HTMLElement | null>>,
  stand: (gone: string) => string | null,
): { active: ShallowRef<string | null>; onFocus(event: FocusEvent): void; go(id: string, control?: string): boolean } {
  /** The alarm that has or last had the focus; its line stays drawn wherever it is. */
  const active = shallowRef<string | null>(null);
  let before: Place | null = null;

  const lineOf = (id: string) => list.value?.querySelector<HTMLElement>(`[data-id="${CSS.escape(id)}"]`) ?? null;

  function placeOf(element: Element | null): Place | null {
    const line = element?.closest<HTMLElement>('[data-id]') ?? null;
    const id = line?.dataset['id'];
    if (id === undefined || list.value?.contains(line) !== true) return null;
    return { id, control: (element as HTMLElement).dataset['control'] ?? 'open' };
  }

  /** @returns whether its line is drawn */
  function go(id: string, control = 'open'): boolean {
    const line = lineOf(id);
    const wanted =
      line?.querySelector<HTMLElement>(`[data-control="${control}"]:not(:disabled)`) ??
      line?.querySelector<HTMLElement>('[data-control="open"]');
    wanted?.focus({ preventScroll: true });
    return wanted != null;
  }

  function onFocus(event: FocusEvent): void {
    const place = placeOf(event.target as Element);
    if (place !== null) active.value = place.id;
  }

  onBeforeUpdate(() => {
    before = placeOf(document.activeElement) ?? (document.activeElement === document.body ? before : null);
  });
  onUpdated(() => {
    if (before === null || document.activeElement !== document.body) return;
    const id = lineOf(before.id) === null ? stand(before.id) : before.id;
    if (id !== null) go(id, before.control);
  });

  return { active, onFocus, go };
}

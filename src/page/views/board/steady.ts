import { onScopeDispose, type ShallowRef, shallowRef, watch } from 'vue';
import { inPlace, type Line, sameOrder } from './lines.ts';

/** A pointer that has moved within this time is about to press something, ms. */
const REST_MS = 700;
/** However busy the hand: after this what is new is shown, ms. */
const MOST_MS = 2_500;
/** Nobody sees a line move and decides anew within this time, ms. */
const REACTION_MS = 350;

export interface SteadyLines {
  /** The lines as they are to be drawn. */
  readonly shown: ShallowRef<readonly Line[]>;
  /** A pointer moves, presses or lets go over the lines. */
  onPointer(event: PointerEvent): void;
  /** Whether this click was meant for what lay there a moment ago. */
  misled(click: MouseEvent): boolean;
}

/**
 * An order that does not change under a hand: while a pointer is about its business over the lines they stay where they
 * are, though each says what is so now. A press that comes right after a change, by a pointer that has not moved since
 * or by a finger, was meant for another line.
 */
export function useSteadyLines(lines: () => readonly Line[]): SteadyLines {
  const shown = shallowRef<readonly Line[]>(lines());
  let latest = shown.value;
  let moved = Number.NEGATIVE_INFINITY;
  let touched = Number.NEGATIVE_INFINITY;
  let reordered = Number.NEGATIVE_INFINITY;
  let heldSince: number | null = null;
  let pressed = false;
  let wrong = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function settle(): void {
    const now = performance.now();
    clearTimeout(timer);
    if (sameOrder(shown.value, latest)) {
      heldSince = null;
      shown.value = latest;
      return;
    }
    const rest = pressed ? REST_MS : touched + REST_MS - now;
    if (rest > 0 && (heldSince === null || now - heldSince < MOST_MS)) {
      heldSince ??= now;
      shown.value = inPlace(shown.value, latest);
      timer = setTimeout(settle, rest);
      return;
    }
    heldSince = null;
    reordered = now;
    shown.value = latest;
  }

  watch(lines, (next) => {
    latest = next;
    settle();
  });
  onScopeDispose(() => clearTimeout(timer));

  function onPointer(event: PointerEvent): void {
    const now = performance.now();
    touched = now;
    if (event.type === 'pointerdown') {
      pressed = true;
      wrong = now - reordered < REACTION_MS && moved < reordered;
    } else if (event.type === 'pointermove') {
      if (event.pointerType !== 'touch') moved = now;
    } else pressed = false;
  }

  // A click by key has no pointer, and goes to what has the focus, wherever that is.
  const misled = (click: MouseEvent): boolean => click.detail > 0 && wrong;

  return { shown, onPointer, misled };
}

import { computed, onBeforeUnmount, onMounted, type Ref, shallowRef, watch } from 'vue';
import type { Point } from './types.ts';

/** The whole plan is 1. */
const LARGEST = 24;
/** px a finger or mouse may move and still have clicked. */
const STILL = 5;
const STEP = 1.5;

interface Look {
  /** px from the stage's upper left to the plan's */
  readonly x: number;
  readonly y: number;
  readonly k: number;
}

/** Moves and enlarges a plan in its stage: mouse, wheel, one finger, two fingers, keys. */
export function useViewport(stage: Readonly<Ref<HTMLElement | null>>, ratio: () => number) {
  const size = shallowRef({ width: 0, height: 0 });
  const look = shallowRef<Look>({ x: 0, y: 0, k: 1 });
  /** Steps of the zoom: what is grouped changes with these and not with every turn of the wheel. */
  const step = computed(() => 2 ** (Math.round(Math.log2(look.value.k) * 2) / 2));
  /** px of the whole plan at zoom 1. */
  const fit = computed(() => {
    const { width, height } = size.value;
    const w = Math.min(width, height * ratio());
    return { width: w, height: w / ratio() };
  });
  const fingers = new Map<number, Point>();
  let moved = 0;

  /** A plan smaller than the stage is in its middle; a larger one covers it. */
  function keep(x: number, y: number, k: number): Look {
    const inside = (at: number, plan: number, room: number) =>
      plan <= room ? (room - plan) / 2 : Math.min(0, Math.max(room - plan, at));
    return {
      x: inside(x, fit.value.width * k, size.value.width),
      y: inside(y, fit.value.height * k, size.value.height),
      k,
    };
  }

  /** @param at px in the stage that stays where it is; its middle when left out */
  function zoom(by: number, at: Point = [size.value.width / 2, size.value.height / 2]): void {
    const { x, y, k } = look.value;
    const next = Math.min(LARGEST, Math.max(1, k * by));
    look.value = keep(at[0] - ((at[0] - x) * next) / k, at[1] - ((at[1] - y) * next) / k, next);
  }
  const pan = (dx: number, dy: number): void => {
    look.value = keep(look.value.x + dx, look.value.y + dy, look.value.k);
  };
  const whole = (): void => {
    look.value = keep(0, 0, 1);
  };
  /** Brings a point of the plan into the middle. @param k zoom at least */
  function show([px, py]: Point, k = 1): void {
    const zoomed = Math.min(LARGEST, Math.max(look.value.k, k));
    const { width, height } = fit.value;
    look.value = keep(size.value.width / 2 - px * width * zoomed, size.value.height / 2 - py * height * zoomed, zoomed);
  }

  /** Where on the plan a point of the screen is; `null` beside it. */
  function toPlan(clientX: number, clientY: number): Point | null {
    const box = stage.value?.getBoundingClientRect();
    if (box === undefined || fit.value.width === 0) return null;
    if (clientX < box.left || clientX > box.right || clientY < box.top || clientY > box.bottom) return null;
    const { x, y, k } = look.value;
    const at: Point = [
      (clientX - box.left - x) / (fit.value.width * k),
      (clientY - box.top - y) / (fit.value.height * k),
    ];
    return at.every((n) => n >= 0 && n <= 1) ? at : null;
  }
  const middle = (): Point => {
    const box = stage.value?.getBoundingClientRect();
    return (box && toPlan(box.left + box.width / 2, box.top + box.height / 2)) ?? [0.5, 0.5];
  };

  function onDown(event: PointerEvent): void {
    if (event.button !== 0) return;
    if (fingers.size === 0) moved = 0;
    fingers.set(event.pointerId, [event.clientX, event.clientY]);
  }
  function onMove(event: PointerEvent): void {
    const before = fingers.get(event.pointerId);
    if (before === undefined) return;
    const after: Point = [event.clientX, event.clientY];
    moved += Math.hypot(after[0] - before[0], after[1] - before[1]);
    if (moved > STILL) stage.value?.setPointerCapture(event.pointerId);
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    fingers.set(event.pointerId, after);
    if (other === undefined) {
      if (moved > STILL) pan(after[0] - before[0], after[1] - before[1]);
      return;
    }
    const box = stage.value?.getBoundingClientRect();
    if (box === undefined) return;
    const apart = (a: Point) => Math.max(1, Math.hypot(a[0] - other[0], a[1] - other[1]));
    pan((after[0] - before[0]) / 2, (after[1] - before[1]) / 2);
    zoom(apart(after) / apart(before), [(after[0] + other[0]) / 2 - box.left, (after[1] + other[1]) / 2 - box.top]);
  }
  const onUp = (event: PointerEvent): void => void fingers.delete(event.pointerId);

  function onWheel(event: WheelEvent): void {
    event.preventDefault();
    const box = stage.value?.getBoundingClientRect();
    if (box === undefined) return;
    zoom(2 ** (-event.deltaY / (event.ctrlKey ? 80 : 400)), [event.clientX - box.left, event.clientY - box.top]);
  }
  function onKey(event: KeyboardEvent): void {
    if (event.target !== stage.value) return;
    const keys: Record<string, () => void> = {
      ArrowLeft: () => pan(60, 0),
      ArrowRight: () => pan(-60, 0),
      ArrowUp: () => pan(0, 60),
      ArrowDown: () => pan(0, -60),
      '+': () => zoom(STEP),
      '=': () => zoom(STEP),
      '-': () => zoom(1 / STEP),
      0: whole,
    };
    const act = keys[event.key];
    if (act === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  }
  /** What was dragged was not clicked. */
  const dragged = (): boolean => moved > STILL;

  let observer: ResizeObserver | null = null;
  onMounted(() => {
    observer = new ResizeObserver(([entry]) => {
      if (entry === undefined) return;
      const { width, height } = entry.contentRect;
      size.value = { width, height };
      look.value = keep(look.value.x, look.value.y, look.value.k);
    });
    if (stage.value !== null) observer.observe(stage.value);
  });
  onBeforeUnmount(() => observer?.disconnect());
  watch(ratio, whole);

  const handlers = {
    pointerdown: onDown,
    pointermove: onMove,
    pointerup: onUp,
    pointercancel: onUp,
    keydown: onKey,
  };
  return { look, step, fit, zoom, whole, show, toPlan, middle, dragged, handlers, onWheel, largest: LARGEST, by: STEP };
}

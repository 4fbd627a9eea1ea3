import { computed, type ShallowRef, shallowRef } from 'vue';
import type { At, EdgeRef, PointRef, Settings, ShapeList, ShapeRef } from '../types.ts';
import { added, edgesOf, inserted, leastPoints, MOST_POINTS, pointsOf, readyMade, withPoints } from './shapes.ts';

/** Steps that can be taken back. */
const STEPS = 200;

/** A shape that is being drawn: its edges one after the other. */
export interface Sketch {
  readonly list: ShapeList;
  readonly done: readonly (readonly At[])[];
  readonly points: readonly At[];
}

/** The settings as they are being changed, with a way back and forth, what is selected, and what is being drawn. */
export function useDrawing(start: Settings) {
  const settings: ShallowRef<Settings> = shallowRef(start);
  const saved = shallowRef(start);
  const past = shallowRef<readonly Settings[]>([]);
  const future = shallowRef<readonly Settings[]>([]);
  const selected = shallowRef<ShapeRef | null>(null);
  const point = shallowRef<PointRef | null>(null);
  const sketch = shallowRef<Sketch | null>(null);
  /** What is changed in one go, a drag or a held key, is one step back. */
  let gesture: string | null = null;

  const changed = computed(() => JSON.stringify(settings.value) !== JSON.stringify(saved.value));

  function change(to: Settings, going: string | null = null): void {
    if (going === null || going !== gesture) past.value = [...past.value, settings.value].slice(-STEPS);
    gesture = going;
    future.value = [];
    settings.value = to;
  }
  function endGesture(): void {
    gesture = null;
  }

  function step(from: ShallowRef<readonly Settings[]>, to: ShallowRef<readonly Settings[]>): void {
    const next = from.value.at(-1);
    if (next === undefined) return;
    gesture = null;
    from.value = from.value.slice(0, -1);
    to.value = [...to.value, settings.value];
    settings.value = next;
    const { list, index } = selected.value ?? { list: 'fences', index: 0 };
    if (settings.value[list][index] === undefined) select(null);
    point.value = null;
  }
  /** Of a shape that is being drawn, the last point. */
  function undo(): void {
    const now = sketch.value;
    if (now === null) step(past, future);
    else if (now.points.length > 0) sketch.value = { ...now, points: now.points.slice(0, -1) };
    else if (now.done.length > 0) sketch.value = { ...now, done: now.done.slice(0, -1), points: now.done.at(-1) ?? [] };
    else sketch.value = null;
  }
  const redo = (): void => step(future, past);

  function select(shape: ShapeRef | null): void {
    selected.value = shape;
    point.value = null;
  }

  function begin(list: ShapeList): void {
    select(null);
    sketch.value = { list, done: [], points: [] };
  }
  function put(at: At): void {
    const now = sketch.value;
    if (now === null || now.points.length >= MOST_POINTS) return;
    sketch.value = { ...now, points: inserted(now.list, now.points, at) };
  }
  const complete = computed(() => {
    const now = sketch.value;
    return now !== null && now.points.length >= leastPoints(now.list);
  });
  /** The edge is done; with the last one, the shape. */
  function finish(): void {
    const now = sketch.value;
    if (now === null || !complete.value) return;
    const done = [...now.done, now.points];
    if (done.length < edgesOf(now.list).length) sketch.value = { ...now, done, points: [] };
    else enter(now.list, done);
  }
  function place(list: ShapeList): void {
    enter(list, readyMade(list));
  }
  function enter(list: ShapeList, drawn: readonly (readonly At[])[]): void {
    sketch.value = null;
    change(added(settings.value, list, drawn));
    select({ list, index: settings.value[list].length - 1 });
  }
  function giveUp(): void {
    sketch.value = null;
  }

  function removePoint({ point: n, ...edge }: PointRef): void {
    const points = pointsOf(settings.value, edge);
    if (points.length <= leastPoints(edge.list)) return;
    change(withPoints(settings.value, edge, points.toSpliced(n, 1)));
    point.value = null;
  }
  /** @returns the new point */
  function addPoint(edge: EdgeRef, at: At, after: number, going: string | null = null): PointRef {
    const before = pointsOf(settings.value, edge);
    const points = inserted(edge.list, before, at, after);
    change(withPoints(settings.value, edge, points), going);
    point.value = { ...edge, point: points.findIndex((one) => !before.includes(one)) };
    return point.value;
  }

  /** What the gateway has now. */
  function settle(now: Settings): void {
    settings.value = now;
    saved.value = now;
    past.value = [];
    future.value = [];
    sketch.value = null;
    if (selected.value !== null && now[selected.value.list][selected.value.index] === undefined) select(null);
    point.value = null;
  }

  return {
    ...{ settings, saved, past, future, selected, point, sketch, changed, complete },
    ...{ change, endGesture, undo, redo, select, begin, put, finish, place, giveUp, removePoint, addPoint, settle },
  };
}
export type Drawing = ReturnType<typeof useDrawing>;

import type { Trial } from '../types.ts';

export interface Boxed {
  readonly key: string;
  readonly box: readonly [number, number, number, number];
}

/** A frame's people are shown until the next one is due, and no longer than this, s. */
const LASTS = 0.35;

/** Who was seen at a moment of the footage. @param event finding that is looked at, by its place in the list */
export function boxesAt(trial: Trial | null, time: number, event: number | null): Boxed[] {
  if (trial === null) return [];
  const found = event === null ? undefined : trial.events[event];
  if (found !== undefined) return found.box === null ? [] : [{ key: 'found', box: found.box }];
  const sightings = trial.sightings ?? [];
  const last = sightings.findLast(([t]) => t <= time + 0.05)?.[0];
  if (last === undefined || time - last > LASTS) return [];
  return sightings.filter(([t]) => t === last).map(([, track, ...box]) => ({ key: String(track), box }));
}

import type { Category } from '../devices/event.ts';
import type { Change, Draft } from '../journal/entry.ts';
import type { Alarm } from './alarm.ts';
import type { Deadlines } from './deadlines.ts';

/** An alarm in memory, with what belongs to it and is nobody else's business. Immutable, as the alarm is. */
export interface Held {
  readonly alarm: Alarm;
  readonly deadlines: Deadlines;
  /** The count its newest journal entry tells; behind `alarm.count` while it chatters. */
  readonly entered: number;
  /** Monotonic time of its last event; `null` when an earlier process took it. */
  readonly heard: number | null;
  /** What its rows say; `null` when it has none yet. */
  readonly stored: { readonly alarm: Alarm; readonly deadlines: Deadlines; readonly entered: number } | null;
}

/** Practice, backlog and the real thing are different cases even of one device. */
export type Mode = 'live' | 'replayed' | 'drill';
export const modeOf = ({ drill, replayed }: { drill: boolean; replayed: boolean }): Mode =>
  drill ? 'drill' : replayed ? 'replayed' : 'live';

/** What can be one alarm. */
export const keyOf = (device: string, category: Category, mode: Mode): string => `${device}\n${category}\n${mode}`;
export const keyOfAlarm = (alarm: Alarm): string => keyOf(alarm.device, alarm.category, modeOf(alarm));

/** Something alarms can be found in. */
export interface Layer {
  /** @param id of an alarm */
  find(id: string): Held | undefined;
  /** Id of the newest alarm with this key. */
  newest(key: string): string | undefined;
}

/** Changes on top of a layer that may still be thrown away whole: of one piece of work, and of one commit. */
export class Overlay implements Layer {
  readonly held = new Map<string, Held>();
  readonly keys = new Map<string, string>();
  readonly drafts: Draft[] = [];
  readonly changes: Change[] = [];
  readonly #below: Layer;

  constructor(below: Layer) {
    this.#below = below;
  }

  find(id: string): Held | undefined {
    return this.held.get(id) ?? this.#below.find(id);
  }

  newest(key: string): string | undefined {
    return this.keys.get(key) ?? this.#below.newest(key);
  }

  /** Whatever was changed in this commit so far, by this work or by one before it. */
  *changed(): Iterable<Held> {
    yield* this.held.values();
    if (this.#below instanceof Overlay) yield* this.#below.changed();
  }

  /** Takes over what was done on top of it, and leaves that as good as new. */
  absorb(above: Overlay): void {
    if (above.held.size > 0) for (const [id, held] of above.held) this.held.set(id, held);
    if (above.keys.size > 0) for (const [key, id] of above.keys) this.keys.set(key, id);
    for (const draft of above.drafts) this.drafts.push(draft);
    for (const change of above.changes) this.changes.push(change);
    above.clear();
  }

  /** Nothing was done. */
  clear(): void {
    if (this.held.size > 0) this.held.clear();
    if (this.keys.size > 0) this.keys.clear();
    this.drafts.length = 0;
    this.changes.length = 0;
  }
}

import type { Category, Detail, DeviceEvent } from '../devices/event.ts';
import type { AlarmDeed, By } from './actions.ts';
import type { Alarm, AlarmKind, Evidence, Level } from './alarm.ts';

/** One step of an alarm's life: becomes one journal entry of that kind. */
export interface Transition {
  readonly kind: AlarmKind;
  /** As it is after the step. */
  readonly alarm: Alarm;
  readonly change: Detail;
}

/** Where a device's event comes from; what the device is called and stands. */
export interface About {
  readonly name: string;
  readonly place: string;
  readonly channel: string;
  /** Id of the journal entry of the message; empty when there is none. */
  readonly cause: string;
}

/** What somebody told who is no device. */
export interface Told {
  readonly channel: string;
  readonly device: string;
  readonly name: string;
  readonly place: string;
  readonly category: Category;
  readonly level: Level;
  readonly drill: boolean;
  readonly detail: Detail;
  readonly evidence: readonly Evidence[];
  readonly change: Detail;
}

export type Input =
  | {
      readonly type: 'event';
      readonly event: DeviceEvent;
      readonly level: Level;
      readonly drill: boolean;
      readonly about: About;
    }
  | { readonly type: 'told'; readonly told: Told }
  | {
      readonly type: 'deed';
      readonly deed: AlarmDeed;
      readonly by: By;
      readonly revision?: number | undefined;
      /** The alarm to merge into, when the deed is a merge. */
      readonly target?: Alarm | null;
    }
  | {
      readonly type: 'overdue';
      readonly deadline: 'acknowledge' | 'close';
      /** Who is told. */
      readonly to: string | null;
      readonly due: number;
    }
  | { readonly type: 'shelf-over' }
  | { readonly type: 'drill-over' }
  | { readonly type: 'clock-stepped'; readonly ms: number };

export interface Context {
  /** Gateway wall clock, ms since the epoch. */
  readonly now: number;
  /** Id of the alarm, should one be raised. */
  readonly id: string;
  /** Flood window, ms. */
  readonly window: number;
  /** ms since the alarm's last event, by a clock that does not step where there is one. */
  readonly sinceLast: number;
  /** The alarm of this device and category before, when `alarm` is `null`. */
  readonly previous: string | null;
  /** The alarm that `alarm` was merged into is still open. */
  readonly mergedIntoOpen: boolean;
}

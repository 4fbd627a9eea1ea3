import type { Category, Detail } from '../devices/event.ts';

/** 1 fire and SOS · 2 climbing, forced door · 3 held door, silent device · 4 residents' reports (design §6). */
export type Level = 1 | 2 | 3 | 4;

/** Condition, after ISA-18.2 / IEC 62682 §5: is it still so, and has somebody seen it? */
export type Condition =
  | 'active-unacknowledged'
  | 'active-acknowledged'
  | 'cleared-unacknowledged'
  | 'latched' // acknowledged and gone, or a pulse: stays until a person resets (fire, SOS)
  | 'normal';

/** Handling (分级管理 · 定期销号): what people have done about it. */
export type Handling = 'open' | 'accepted' | 'dispatched' | 'handled' | 'closed' | 'merged' | 'false';

export interface Alarm {
  /** Id of the entry that raised it. */
  readonly id: string;
  /** Where it came from: `device` messages, `camera`, `resident`, `centre`, `system`, `phone`, `visit`, `letter`. */
  readonly channel: string;
  readonly device: string;
  readonly deviceName: string;
  readonly place: string;
  readonly category: Category;
  readonly level: Level;
  readonly condition: Condition;
  readonly handling: Handling;
  readonly drill: boolean;
  readonly replayed: boolean;
  /** How often the same condition came inside the window; 1 when raised. */
  readonly count: number;
  /** ms since the epoch, gateway wall clock */
  readonly raisedAt: number;
  readonly lastAt: number;
  readonly clearedAt: number | null;
  readonly acknowledgedAt: number | null;
  readonly acknowledgedBy: string | null;
  readonly closedAt: number | null;
  /** Who has it now; a user name or a role. */
  readonly assignee: string | null;
  /** How many times a deadline was missed. */
  readonly escalations: number;
  readonly shelvedUntil: number | null;
  readonly mergedInto: string | null;
  readonly detail: Detail;
  readonly evidence: readonly { kind: 'picture' | 'clip'; ref: string; sha256: string }[];
  /** Counts every transition; a person who acts on an older revision is told so (no lost updates). */
  readonly revision: number;
}

/** Body of every `alarm.*` entry: the alarm as it is after the change, and the change itself. */
export interface AlarmEntryBody {
  readonly alarm: Alarm;
  /** `reason`, `note`, `to`, `deadline`, `cause` (seq of the message) … by kind. */
  readonly change: Detail;
}

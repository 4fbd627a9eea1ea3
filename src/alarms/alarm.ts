import { CATEGORIES, type Category, type Detail } from '../devices/event.ts';
import type { EntryKind, Lane } from '../journal/entry.ts';

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

export interface Evidence {
  readonly kind: 'picture' | 'clip';
  readonly ref: string;
  readonly sha256: string;
}

export interface Alarm {
  /** Id of the entry that raised it. */
  readonly id: string;
  /** Where it came from: `device` messages, `camera`, `resident`, `centre`, `system`, `phone`, `visit`, `letter`, `drill`. */
  readonly channel: string;
  /** Empty for an alarm that people told. */
  readonly device: string;
  readonly deviceName: string;
  readonly place: string;
  readonly category: Category;
  /** `pulse` happened and has no end: only a person ends it. `level` clears by itself. */
  readonly kind: 'pulse' | 'level';
  readonly level: Level;
  readonly condition: Condition;
  readonly handling: Handling;
  readonly drill: boolean;
  /** Told late; to be looked at, but it never rings and opens nothing. */
  readonly replayed: boolean;
  /** How many events it stands for; 1 when raised. */
  readonly count: number;
  /** ms since the epoch, gateway wall clock */
  readonly raisedAt: number;
  /** The device's own time of the first event, ms since the epoch; `null` when it gave none. */
  readonly deviceTime: number | null;
  readonly lastAt: number;
  /** Since when it has been asking for the present acknowledgement: raised, came again, or became graver. */
  readonly askedAt: number;
  readonly clearedAt: number | null;
  readonly acknowledgedAt: number | null;
  readonly acknowledgedBy: string | null;
  /** The longest it has asked for an acknowledgement before it got one, ms; `null` while it never did. */
  readonly answeredMs: number | null;
  readonly closedAt: number | null;
  readonly closedBy: string | null;
  /** Who has it now; a user name or a role. */
  readonly assignee: string | null;
  /** What was done about it, in the words of whoever handled it. */
  readonly result: string | null;
  /** Who handled it last; need not be who had it. */
  readonly handledBy: string | null;
  /** How many times a deadline was missed. */
  readonly escalations: number;
  readonly shelvedUntil: number | null;
  readonly mergedInto: string | null;
  /** The alarm of the same device and category before this one. */
  readonly previous: string | null;
  /** Of the newest event that told any. */
  readonly detail: Detail;
  /** Of the newest events. */
  readonly evidence: readonly Evidence[];
  /**
   * Counts the transitions somebody should know of before acting; who acts on an older one is told so (no lost
   * updates). Plain repeats, escalations and notes change nothing a decision rests on and leave it.
   */
  readonly revision: number;
}

/** Body of every `alarm.*` entry: the alarm as it is after the change, and the change itself. */
export interface AlarmEntryBody {
  readonly alarm: Alarm;
  /** `reason`, `note`, `to`, `deadline`, `cause` (id of the entry of the message), `role` … by kind. */
  readonly change: Detail;
}

export type AlarmKind = Extract<EntryKind, `alarm.${string}`>;
export const ALARM_KINDS = [
  'alarm.raised',
  'alarm.repeated',
  'alarm.regraded',
  'alarm.cleared',
  'alarm.acknowledged',
  'alarm.escalated',
  'alarm.accepted',
  'alarm.dispatched',
  'alarm.handled',
  'alarm.returned',
  'alarm.closed',
  'alarm.false',
  'alarm.merged',
  'alarm.shelved',
  'alarm.unshelved',
  'alarm.reset',
  'alarm.noted',
] as const satisfies readonly AlarmKind[];

/** The case is done with: closed 销号, merged 并案 or a false alarm. It never opens again. */
export const isClosed = (alarm: Alarm): boolean =>
  alarm.handling === 'closed' || alarm.handling === 'merged' || alarm.handling === 'false';

export const isUnacknowledged = (alarm: Alarm): boolean =>
  alarm.condition === 'active-unacknowledged' || alarm.condition === 'cleared-unacknowledged';

/** A state the device still reports, as opposed to something that happened. */
export const isStillActive = (alarm: Alarm): boolean =>
  alarm.kind === 'level' && (alarm.condition === 'active-unacknowledged' || alarm.condition === 'active-acknowledged');

/** Somebody has to look at it now. */
export const asks = (alarm: Alarm): boolean =>
  !isClosed(alarm) && isUnacknowledged(alarm) && alarm.shelvedUntil === null;

/** May sound a siren, light a lamp, open a door. */
export const rings = (alarm: Alarm): boolean => asks(alarm) && !alarm.drill && !alarm.replayed;

/** Fire, SOS and whatever the rules put on level 1: counts on until closed, whatever the window. */
export const isGrave = (alarm: Pick<Alarm, 'level' | 'category'>): boolean =>
  alarm.level === 1 || CATEGORIES[alarm.category].lifeSafety;

/** Stays, once acknowledged and gone, until a person resets it. What is practice or long past needs no reset. */
export const latches = (alarm: Alarm): boolean => isGrave(alarm) && !alarm.drill && !alarm.replayed;

/**
 * A drill that is under way: for so long, what devices at its place report in its family of categories is practice too.
 * @returns ms from when it was raised; `null` for anything else
 */
export function drillLasts(alarm: Alarm): number | null {
  const minutes = alarm.drill ? alarm.detail['drillMinutes'] : undefined;
  return alarm.channel === 'drill' && typeof minutes === 'number' ? minutes * 60_000 : null;
}

/** Queue to the centre: level 1 overtakes everything, unless it is practice or told late. */
export const laneOf = (alarm: Alarm): Lane => (alarm.level === 1 && !alarm.drill && !alarm.replayed ? 0 : 1);

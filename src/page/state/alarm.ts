import type { Alarm, Role, Vocabulary } from '../api/types.ts';

/** What the page needs to know about an alarm; the same rules as the gateway's. */

export const isClosed = ({ handling }: Alarm): boolean =>
  handling === 'closed' || handling === 'merged' || handling === 'false';
export const isUnacknowledged = ({ condition }: Alarm): boolean => condition.endsWith('unacknowledged');
export const isStillActive = ({ kind, condition }: Alarm): boolean =>
  kind === 'level' && condition.startsWith('active-');
/** Practice and what is told late is work, but nobody jumps up for it. */
export const isAside = (alarm: Alarm): boolean => alarm.shelvedUntil !== null || alarm.drill || alarm.replayed;
export const asks = (alarm: Alarm): boolean =>
  !isClosed(alarm) && isUnacknowledged(alarm) && alarm.shelvedUntil === null;
export const rings = (alarm: Alarm): boolean => alarm.level === 1 && asks(alarm) && !alarm.drill && !alarm.replayed;

export interface Deadline {
  readonly what: 'acknowledge' | 'close';
  /** ms since the epoch, by the box's clock */
  readonly due: number;
}

/** What it waits for next, or `null`. */
export function deadline(alarm: Alarm, levels: Vocabulary['levels']): Deadline | null {
  if (isClosed(alarm) || alarm.shelvedUntil !== null || alarm.drill) return null;
  const { acknowledgeMs = null, closeMs = null } = levels[alarm.level] ?? {};
  if (isUnacknowledged(alarm) && !alarm.replayed && acknowledgeMs !== null) {
    return { what: 'acknowledge', due: alarm.askedAt + acknowledgeMs };
  }
  return closeMs === null ? null : { what: 'close', due: alarm.raisedAt + closeMs };
}

export type Section = 'now' | 'hand' | 'aside';

/** `now`: nobody has seen it · `hand`: somebody has · `aside` */
export const section = (alarm: Alarm): Section => (isAside(alarm) ? 'aside' : asks(alarm) ? 'now' : 'hand');

/** Graver first, then whose time runs out first. */
export function byNeed(levels: Vocabulary['levels']): (a: Alarm, b: Alarm) => number {
  const due = (alarm: Alarm) => deadline(alarm, levels)?.due ?? Number.MAX_SAFE_INTEGER;
  return (a, b) => a.level - b.level || due(a) - due(b) || a.raisedAt - b.raisedAt;
}

export type Deed =
  | 'acknowledge'
  | 'accept'
  | 'dispatch'
  | 'handle'
  | 'close'
  | 'false'
  | 'reset'
  | 'return'
  | 'shelve'
  | 'unshelve'
  | 'regrade'
  | 'merge'
  | 'note';

/** What may be done to it now, the next step first. */
export function deeds(alarm: Alarm, role: Role): Deed[] {
  if (role === 'viewer') return [];
  if (isClosed(alarm)) return ['note'];
  const manager = role === 'manager' || role === 'admin';
  const { handling } = alarm;
  const offered: (Deed | null)[] = [
    isUnacknowledged(alarm) ? 'acknowledge' : null,
    handling === 'open' ? 'accept' : null,
    handling === 'handled' ? 'close' : null,
    handling !== 'handled' ? 'handle' : null,
    handling !== 'handled' ? 'dispatch' : null,
    handling !== 'handled' ? 'close' : null,
    alarm.condition === 'latched' ? 'reset' : null,
    'false',
    handling === 'handled' && manager ? 'return' : null,
    alarm.shelvedUntil !== null ? 'unshelve' : null,
    alarm.level > 1 && alarm.shelvedUntil === null && manager ? 'shelve' : null,
    alarm.level > 1 ? 'regrade' : null,
    'merge',
    'note',
  ];
  return offered.filter((deed): deed is Deed => deed !== null);
}

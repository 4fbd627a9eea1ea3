import { now } from './time.js';

/** What the page needs to know about an alarm; the same rules as the gateway's. */

export const isClosed = ({ handling }) => handling === 'closed' || handling === 'merged' || handling === 'false';
export const isUnacknowledged = ({ condition }) => condition.endsWith('unacknowledged');
export const isStillActive = ({ kind, condition }) => kind === 'level' && condition.startsWith('active-');
/** Practice and what is told late is work, but nobody jumps up for it. */
export const isAside = (alarm) => alarm.shelvedUntil !== null || alarm.drill || alarm.replayed;
export const asks = (alarm) => !isClosed(alarm) && isUnacknowledged(alarm) && alarm.shelvedUntil === null;
export const rings = (alarm) => alarm.level === 1 && asks(alarm) && !alarm.drill && !alarm.replayed;

let levels = {};
/** Times to acknowledge and to close by level, ms, from the gateway's configuration. */
export function learnLevels(known) {
  levels = known;
}

/** What it waits for next: `{ what: 'acknowledge' | 'close', left }`, `left` ms and negative when late; or `null`. */
export function deadline(alarm) {
  if (isClosed(alarm) || alarm.shelvedUntil !== null || alarm.drill) return null;
  const { acknowledgeMs = null, closeMs = null } = levels[alarm.level] ?? {};
  if (isUnacknowledged(alarm) && !alarm.replayed && acknowledgeMs !== null) {
    return { what: 'acknowledge', left: alarm.askedAt + acknowledgeMs - now() };
  }
  return closeMs === null ? null : { what: 'close', left: alarm.raisedAt + closeMs - now() };
}

/** `now`: nobody has seen it · `hand`: somebody has · `aside` */
export const section = (alarm) => (isAside(alarm) ? 'aside' : asks(alarm) ? 'now' : 'hand');

/** Graver first, then whose time runs out first. */
export function byNeed(a, b) {
  const due = (alarm) => deadline(alarm)?.left ?? Number.MAX_SAFE_INTEGER;
  return a.level - b.level || due(a) - due(b) || a.raisedAt - b.raisedAt;
}

/** What may be done to it now, the next step first. @param role of the person */
export function deeds(alarm, role) {
  if (role === 'viewer') return [];
  if (isClosed(alarm)) return ['note'];
  const manager = role === 'manager' || role === 'admin';
  const { handling } = alarm;
  return [
    isUnacknowledged(alarm) ? 'acknowledge' : null,
    handling === 'open' ? 'accept' : null,
    handling === 'handled' ? 'closeCase' : null,
    handling !== 'handled' ? 'handle' : null,
    handling !== 'handled' ? 'dispatch' : null,
    handling !== 'handled' ? 'closeCase' : null,
    alarm.condition === 'latched' ? 'reset' : null,
    'false',
    handling === 'handled' && manager ? 'return' : null,
    alarm.shelvedUntil !== null ? 'unshelve' : null,
    alarm.level > 1 && alarm.shelvedUntil === null && manager ? 'shelve' : null,
    alarm.level > 1 ? 'regrade' : null,
    'merge',
    'note',
  ].filter((deed) => deed !== null);
}

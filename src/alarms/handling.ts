import type { Detail } from '../devices/event.ts';
import { type AlarmDeed, type By, LONGEST_SHELVING_MS } from './actions.ts';
import { type Alarm, isClosed, isStillActive, isUnacknowledged, latches } from './alarm.ts';
import type { Refusal } from './refusal.ts';
import type { Context, Input, Transition } from './transition.ts';

type DeedInput = Extract<Input, { type: 'deed' }>;
type Steps = readonly Transition[] | Refusal;

/**
 * What a person does about an alarm. Whoever accepts, dispatches, handles or closes it has seen it: the acknowledgement
 * is then a step of its own before it, so that followers need to know only one sign of it.
 */
export function deed(alarm: Alarm, input: DeedInput, context: Context): Steps {
  const { deed: what, by, revision } = input;
  if (what.type === 'note') return [next(alarm, 'alarm.noted', by, {}, { note: what.note }, alarm.revision)];
  if (isClosed(alarm)) return 'CLOSED';
  if (revision !== undefined && revision !== alarm.revision) return 'STALE';
  switch (what.type) {
    case 'acknowledge':
      return isUnacknowledged(alarm) ? [acknowledged(alarm, by, context, said(what.note))] : 'ACKNOWLEDGED';
    case 'accept':
      if (alarm.handling === 'handled') return 'HANDLED';
      return seen(alarm, by, context, (from) => [
        next(from, 'alarm.accepted', by, { handling: 'accepted', assignee: nameOf(by) }, said(what.note)),
      ]);
    case 'dispatch':
      if (alarm.handling === 'handled') return 'HANDLED';
      return seen(alarm, by, context, (from) => [
        next(
          from,
          'alarm.dispatched',
          by,
          { handling: 'dispatched', assignee: what.to },
          { to: what.to, ...said(what.note) },
        ),
      ]);
    case 'handle':
      return alarm.handling === 'handled'
        ? 'HANDLED'
        : seen(alarm, by, context, (from) => [handled(from, by, what.result, what.evidence ?? [])]);
    case 'return':
      return alarm.handling === 'handled'
        ? [
            next(
              alarm,
              'alarm.returned',
              by,
              { handling: what.to === undefined ? 'accepted' : 'dispatched', assignee: what.to ?? alarm.assignee },
              { reason: what.reason, ...(what.to === undefined ? {} : { to: what.to }) },
            ),
          ]
        : 'NOT_HANDLED';
    case 'close':
      return close(alarm, what, by, context);
    case 'false':
      return seen(alarm, by, context, (from) => [
        ended(from, 'alarm.false', 'false', by, context, { reason: what.reason }),
      ]);
    case 'merge':
      return merge(alarm, what, input.target ?? null, by, context);
    case 'shelve':
      if (alarm.level === 1) return 'LEVEL_ONE';
      if (what.until <= context.now || what.until > context.now + LONGEST_SHELVING_MS) return 'SHELF_TIME';
      return [
        next(alarm, 'alarm.shelved', by, { shelvedUntil: what.until }, { reason: what.reason, until: what.until }),
      ];
    case 'unshelve':
      return alarm.shelvedUntil === null
        ? 'NOT_SHELVED'
        : [next(alarm, 'alarm.unshelved', by, { shelvedUntil: null }, reason(what.reason))];
    case 'reset':
      if (isUnacknowledged(alarm)) return 'NOT_ACKNOWLEDGED';
      if (isStillActive(alarm)) return 'SOURCE_ACTIVE';
      if (alarm.condition !== 'latched') return 'NOT_LATCHED';
      return [next(alarm, 'alarm.reset', by, { condition: 'normal' }, { reason: what.reason })];
    case 'regrade':
      return regrade(alarm, what, by, context);
  }
}

/** The alarm as acknowledged; what it then waits for. */
function acknowledged(alarm: Alarm, by: By, { now }: Context, change: Detail): Transition {
  const gone = alarm.condition === 'cleared-unacknowledged' || alarm.kind === 'pulse';
  const stays = latches(alarm) ? 'latched' : alarm.kind === 'pulse' ? 'active-acknowledged' : 'normal';
  return next(
    alarm,
    'alarm.acknowledged',
    by,
    {
      condition: gone ? stays : 'active-acknowledged',
      acknowledgedAt: now,
      acknowledgedBy: nameOf(by),
      answeredMs: longestWait(alarm, now),
    },
    change,
  );
}

/** It may ask more than once; the quick answer to a repeat must not hide how long the first one took. */
function longestWait({ answeredMs, askedAt }: Alarm, now: number): number | null {
  // A clock that was stepped back in between measured nothing.
  return now < askedAt ? answeredMs : Math.max(answeredMs ?? 0, now - askedAt);
}

function seen(alarm: Alarm, by: By, context: Context, then: (from: Alarm) => Transition[]): Transition[] {
  if (!isUnacknowledged(alarm)) return then(alarm);
  const first = acknowledged(alarm, by, context, { implied: true });
  return [first, ...then(first.alarm)];
}

const handled = (alarm: Alarm, by: By, result: string, evidence: Alarm['evidence']): Transition =>
  next(
    alarm,
    'alarm.handled',
    by,
    {
      handling: 'handled',
      result,
      handledBy: nameOf(by),
      assignee: alarm.assignee ?? nameOf(by),
      evidence: [...alarm.evidence, ...evidence].slice(-20),
    },
    { result },
  );

/**
 * 销号. Needs a result, unless it was only practice. A device that still reports the condition contradicts the result:
 * then a reason is needed too, and stays beside it. Closing a latched alarm resets it.
 */
function close(alarm: Alarm, what: Extract<AlarmDeed, { type: 'close' }>, by: By, context: Context): Steps {
  if (!alarm.drill) {
    if (alarm.handling !== 'handled' && what.result === undefined) return 'NOT_HANDLED';
    if (isStillActive(alarm) && what.reason === undefined) return 'STILL_ACTIVE';
  }
  return seen(alarm, by, context, (from) => {
    const steps = what.result === undefined ? [] : [handled(from, by, what.result, [])];
    const last = steps[0]?.alarm ?? from;
    return [
      ...steps,
      ended(last, 'alarm.closed', 'closed', by, context, {
        ...reason(what.reason),
        ...(isStillActive(last) ? { stillActive: true } : {}),
        ...(last.condition === 'latched' ? { reset: true } : {}),
      }),
    ];
  });
}

function merge(
  alarm: Alarm,
  what: Extract<AlarmDeed, { type: 'merge' }>,
  target: Alarm | null,
  by: By,
  context: Context,
): Steps {
  if (what.into === alarm.id) return 'MERGE_SELF';
  if (target === null || isClosed(target)) return 'MERGE_TARGET';
  if (target.drill !== alarm.drill) return 'MERGE_DRILL';
  if (target.level > alarm.level) return 'MERGE_GRAVER';
  return seen(alarm, by, context, (from) => [
    ended({ ...from, mergedInto: target.id }, 'alarm.merged', 'merged', by, context, {
      into: target.id,
      ...reason(what.reason),
    }),
  ]);
}

function regrade(alarm: Alarm, what: Extract<AlarmDeed, { type: 'regrade' }>, by: By, { now }: Context): Steps {
  if (what.level >= alarm.level) return 'NOT_GRAVER';
  const from = alarm.level;
  const shelf: Transition[] =
    what.level === 1 && alarm.shelvedUntil !== null
      ? [next(alarm, 'alarm.unshelved', by, { shelvedUntil: null }, { reason: 'level 1' })]
      : [];
  return [
    ...shelf,
    next(
      shelf[0]?.alarm ?? alarm,
      'alarm.regraded',
      by,
      {
        level: what.level,
        condition: alarm.kind === 'level' && !isStillActive(alarm) ? 'cleared-unacknowledged' : 'active-unacknowledged',
        handling: alarm.handling === 'handled' ? 'accepted' : alarm.handling,
        askedAt: now,
        acknowledgedAt: null,
        acknowledgedBy: null,
      },
      { from, reason: what.reason },
    ),
  ];
}

/** The case is over. A condition that still holds stays on record as such, so that its end can be recorded too. */
const ended = (
  alarm: Alarm,
  kind: 'alarm.closed' | 'alarm.false' | 'alarm.merged',
  handling: 'closed' | 'false' | 'merged',
  by: By,
  { now }: Context,
  change: Detail,
): Transition =>
  next(
    alarm,
    kind,
    by,
    {
      handling,
      condition: isStillActive(alarm) ? 'active-acknowledged' : 'normal',
      closedAt: now,
      closedBy: nameOf(by),
      shelvedUntil: null,
    },
    change,
  );

const next = (
  alarm: Alarm,
  kind: Transition['kind'],
  by: By,
  patch: Partial<Alarm>,
  change: Detail,
  revision = alarm.revision + 1,
): Transition => ({ kind, alarm: { ...alarm, ...patch, revision }, change: { ...change, role: by.role } });

/** `user:li` → `li`; a name as people know it. */
const nameOf = ({ actor }: By): string => actor.replace(/^user:/, '');
const said = (note: string | undefined): Detail => (note === undefined ? {} : { note });
const reason = (text: string | undefined): Detail => (text === undefined ? {} : { reason: text });

import type { Detail } from '../devices/event.ts';
import { type Alarm, isClosed, isGrave, isStillActive, isUnacknowledged, latches } from './alarm.ts';
import { isTest, NOTHING_HEARD } from './device-test.ts';
import { deed } from './handling.ts';
import type { Refusal } from './refusal.ts';
import type { About, Context, Input, Told, Transition } from './transition.ts';

const EVIDENCE_KEPT = 20;

/**
 * One input to one alarm → the steps that follow, in order; none when nothing changes. Pure: time, ids and the level
 * come in. Condition after ISA-18.2 / IEC 62682, handling after design §6; `docs/alarms.md` has both as tables.
 * @param alarm the newest alarm of this device and category, or the one a person names; `null` when there is none
 * @returns a `Refusal` when a person asked for what is not possible now
 */
export function step(alarm: Alarm | null, input: Input, context: Context): readonly Transition[] | Refusal {
  switch (input.type) {
    case 'told':
      return [raisedBy(input.told, context)];
    case 'event':
      return input.event.active ? began(alarm, input, context) : ended(alarm, input, context);
    case 'deed':
      return alarm === null ? 'CLOSED' : deed(alarm, input, context);
    case 'overdue':
      return alarm === null || isClosed(alarm) ? [] : [escalated(alarm, input, context)];
    case 'drill-over':
      return alarm === null || isClosed(alarm) ? [] : [drillEnded(alarm, context)];
    case 'shelf-over':
      return alarm === null || alarm.shelvedUntil === null || isClosed(alarm)
        ? []
        : [unshelved(alarm, { expired: true })];
    case 'clock-stepped':
      return alarm === null || alarm.shelvedUntil === null || isClosed(alarm)
        ? []
        : [
            {
              kind: 'alarm.shelved',
              alarm: { ...alarm, shelvedUntil: alarm.shelvedUntil + input.ms },
              change: { reason: 'clock stepped', stepMs: input.ms },
            },
          ];
  }
}

type EventInput = Extract<Input, { type: 'event' }>;

function began(alarm: Alarm | null, input: EventInput, context: Context): Transition[] {
  if (alarm === null) return [raisedByDevice(input, context)];
  if (isClosed(alarm)) {
    return isKnown(alarm, input, context) ? [] : [raisedByDevice(input, context)];
  }
  // A state is one case until it is closed; so is a fire. Things that merely happen are one case for a while.
  const goesOn = alarm.kind === 'level' || isGrave(alarm) || context.sinceLast <= context.window;
  return goesOn ? again(alarm, input, context) : [raisedByDevice(input, context)];
}

/**
 * A person closed the case knowing that the device goes on reporting it: the same unbroken condition is no news. On
 * level 1 it is, unless it was merged into a case that is still open.
 */
function isKnown(alarm: Alarm, input: EventInput, context: Context): boolean {
  if (!isStillActive(alarm) || input.event.kind !== 'level' || input.level < alarm.level) return false;
  return isGrave({ level: input.level, category: alarm.category })
    ? alarm.handling === 'merged' && context.mergedIntoOpen
    : true;
}

function raisedByDevice(input: EventInput, context: Context): Transition {
  const { event, about, level, drill } = input;
  const { previous } = context;
  const { device, category, kind, replayed, deviceTime, detail } = event;
  const evidence = event.evidence?.slice(-EVIDENCE_KEPT) ?? [];
  const { name, place, channel } = about;
  const what = { channel, device, name, place, category, kind, level, drill, replayed, deviceTime, detail, evidence };
  return {
    kind: 'alarm.raised',
    alarm: newAlarm(what, context.id, context.now, previous),
    change: previous === null ? causedBy(about) : { ...causedBy(about), previous },
  };
}

function raisedBy(told: Told, context: Context): Transition {
  const what = { ...told, kind: 'pulse', replayed: false, deviceTime: null } as const;
  return { kind: 'alarm.raised', alarm: newAlarm(what, context.id, context.now, null), change: told.change };
}

/** The one place where alarms begin. All of them have their fields in one order, which keeps them quick to copy. */
const newAlarm = (
  what: Omit<Told, 'change'> & Pick<Alarm, 'kind' | 'replayed' | 'deviceTime'>,
  id: string,
  now: number,
  previous: string | null,
): Alarm => ({
  id,
  channel: what.channel,
  device: what.device,
  deviceName: what.name,
  place: what.place,
  category: what.category,
  kind: what.kind,
  level: what.level,
  condition: 'active-unacknowledged',
  handling: 'open',
  drill: what.drill,
  replayed: what.replayed,
  count: 1,
  raisedAt: now,
  deviceTime: what.deviceTime,
  lastAt: now,
  askedAt: now,
  clearedAt: null,
  acknowledgedAt: null,
  acknowledgedBy: null,
  answeredMs: null,
  closedAt: null,
  closedBy: null,
  assignee: null,
  result: null,
  handledBy: null,
  escalations: 0,
  shelvedUntil: null,
  mergedInto: null,
  previous,
  detail: what.detail,
  evidence: what.evidence,
  revision: 1,
});

const causedBy = ({ cause }: About): Detail => (cause === '' ? {} : { cause });

/** The same condition once more: counted always, asked about again when it is news. */
function again(alarm: Alarm, input: EventInput, context: Context): Transition[] {
  const { event, about } = input;
  const graver = input.level < alarm.level;
  const level = graver ? input.level : alarm.level;
  const asksAgain = !isUnacknowledged(alarm) && (graver || isNews(alarm, context));
  const back = alarm.condition === 'cleared-unacknowledged';
  const returned = asksAgain && alarm.handling === 'handled';
  const before = alarm.shelvedUntil !== null && level === 1 ? unshelved(alarm, { reason: 'level 1' }) : null;
  const from = before?.alarm ?? alarm;
  const after: Alarm = {
    ...from,
    level,
    condition: asksAgain || back ? 'active-unacknowledged' : from.condition,
    handling: returned ? 'accepted' : from.handling,
    count: from.count + 1,
    lastAt: context.now,
    askedAt: asksAgain || graver ? context.now : from.askedAt,
    clearedAt: null,
    acknowledgedAt: asksAgain ? null : from.acknowledgedAt,
    acknowledgedBy: asksAgain ? null : from.acknowledgedBy,
    detail: Object.keys(event.detail).length === 0 ? from.detail : event.detail,
    evidence:
      event.evidence === undefined ? from.evidence : [...from.evidence, ...event.evidence].slice(-EVIDENCE_KEPT),
    revision: asksAgain || back || graver ? from.revision + 1 : from.revision,
  };
  const change: Detail = {
    ...causedBy(about),
    ...(graver ? { from: alarm.level } : {}),
    ...(asksAgain || back ? { again: true } : {}),
    ...(returned ? { returned: true } : {}),
  };
  const transition: Transition = { kind: graver ? 'alarm.regraded' : 'alarm.repeated', alarm: after, change };
  return before === null ? [transition] : [before, transition];
}

/**
 * Acknowledged, and reported once more. A pulse, or a state that had gone, has come again. A state that never went is
 * only being repeated by its device; for fire, after a silence longer than the window, that is news all the same: the
 * message that it had gone may be the one that was lost.
 */
const isNews = (alarm: Alarm, { sinceLast, window }: Context): boolean =>
  alarm.kind === 'pulse' || alarm.condition !== 'active-acknowledged' || (isGrave(alarm) && sinceLast > window);

function ended(alarm: Alarm | null, input: EventInput, context: Context): Transition[] {
  if (alarm === null || !isStillActive(alarm)) return [];
  const acknowledged = alarm.condition === 'active-acknowledged';
  const latched = acknowledged && !isClosed(alarm) && latches(alarm);
  return [
    {
      kind: 'alarm.cleared',
      alarm: {
        ...alarm,
        condition: latched ? 'latched' : acknowledged ? 'normal' : 'cleared-unacknowledged',
        clearedAt: context.now,
        revision: alarm.revision + 1,
      },
      change: { ...causedBy(input.about), ...(input.event.replayed ? { replayed: true } : {}) },
    },
  ];
}

const escalated = (alarm: Alarm, input: Extract<Input, { type: 'overdue' }>, { now }: Context): Transition => ({
  kind: 'alarm.escalated',
  alarm: { ...alarm, escalations: alarm.escalations + 1 },
  change: { deadline: input.deadline, to: input.to, due: input.due, overdueMs: Math.max(0, now - input.due) },
});

const drillEnded = (alarm: Alarm, { now }: Context): Transition => ({
  kind: 'alarm.closed',
  alarm: {
    ...alarm,
    handling: 'closed',
    condition: 'normal',
    closedAt: now,
    closedBy: 'system',
    result: alarm.result ?? (isTest(alarm) ? NOTHING_HEARD : null),
    shelvedUntil: null,
    revision: alarm.revision + 1,
  },
  change: { expired: true },
});

const unshelved = (alarm: Alarm, change: Detail): Transition => ({
  kind: 'alarm.unshelved',
  alarm: { ...alarm, shelvedUntil: null, revision: alarm.revision + 1 },
  change,
});

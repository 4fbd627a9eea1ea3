import type { AlarmsConfig } from '../config/schema.ts';
import type { DeviceEvent } from '../devices/event.ts';
import type { Change, Draft } from '../journal/entry.ts';
import type { Clock } from '../kernel/clock.ts';
import { invariant, QuanweiError } from '../kernel/errors.ts';
import type { NewId } from '../kernel/ids.ts';
import type { AlarmAction, By } from './actions.ts';
import { type Alarm, type AlarmEntryBody, isClosed, isStillActive, laneOf } from './alarm.ts';
import type { Chatter } from './chatter.ts';
import { type Deadlines, deadlinesOf, missed, NO_DEADLINES, shifted } from './deadlines.ts';
import { heard, isTest, isTried } from './device-test.ts';
import type { Grading } from './grading.ts';
import { step } from './lifecycle.ts';
import { type Held, keyOf, keyOfAlarm, type Layer, type Mode, Overlay } from './overlay.ts';
import type { PutOff } from './quiet-hours.ts';
import { refusalError } from './refusal.ts';
import { type Report, toldBy } from './reports.ts';
import type { About, Context, Input, Transition } from './transition.ts';

/** What one piece of work may do. All of it belongs to one commit, together with other people's work. */
export interface Transaction {
  /** Adds an entry of any kind. @returns its id */
  append(draft: Draft): string;
  /** Adds a change of any room's tables. It sees the alarms' rows as they were before this commit. */
  change(change: Change): void;
  /** Grades a device's event and takes it to its alarm. @returns that alarm, or `null` when it concerns none */
  event(event: DeviceEvent, about: About): Alarm | null;
  /**
   * What a person or the centre does.
   * @throws QuanweiError NOT_FOUND, CONFLICT with the reason as `hint` (`REFUSALS`)
   */
  act(action: AlarmAction, by: By): Alarm;
  /** What people told: a resident, a caller, a letter, the centre, or a drill. */
  raise(report: Report, by: By): Alarm;
  get(id: string): Alarm | null;
  /** The test a device is in, also one that began in this very commit. */
  testUnderWay(device: string): Alarm | null;
}

/** What a transaction works with; the board's own. */
export interface Bench {
  readonly clock: Clock;
  readonly newId: NewId;
  readonly config: AlarmsConfig;
  readonly grading: Grading;
  readonly putOff: PutOff;
  readonly chatter: Chatter;
  /** An alarm that has left memory. */
  closed(id: string): Held | undefined;
  /** Drills under way. */
  readonly drills: ReadonlySet<string>;
  /** The newest committed alarm with this key. */
  before(key: string): string | null;
}

/** `Transaction`, and what only the board itself does. */
export class Work extends Overlay implements Transaction {
  readonly #bench: Bench;
  readonly #now: number;

  constructor(below: Layer, bench: Bench) {
    super(below);
    this.#bench = bench;
    this.#now = Math.round(bench.clock.wall());
  }

  append(draft: Draft): string {
    const id = draft.id ?? this.#bench.newId();
    if (draft.id !== undefined) this.drafts.push(draft);
    else {
      const { kind, actor, subject, deviceTime = null, lane = null, key = null, body } = draft;
      this.drafts.push({ id, kind, actor, subject, deviceTime, lane, key, body });
    }
    return id;
  }

  change(change: Change): void {
    this.changes.push(change);
  }

  get(id: string): Alarm | null {
    return this.#held(id)?.alarm ?? null;
  }

  testUnderWay(device: string): Alarm | null {
    const ids = new Set(this.#bench.drills);
    for (const { alarm } of this.changed()) ids.add(alarm.id);
    for (const id of ids) {
      const { alarm } = this.find(id) ?? {};
      if (alarm !== undefined && isTest(alarm) && alarm.device === device && !isClosed(alarm)) return alarm;
    }
    return null;
  }

  event(event: DeviceEvent, about: About): Alarm | null {
    if (!event.active) return this.#ended(event, about);
    const test = event.replayed ? undefined : this.#testOf(event);
    if (test !== undefined) this.#heardInTest(test, event);
    const level = this.#bench.grading.ofEvent(event, about.place, this.#now);
    if (level === null) return null;
    const drill = event.test || test !== undefined || (!event.replayed && this.#isPractised(event, about.place));
    const mode: Mode = drill ? 'drill' : event.replayed ? 'replayed' : 'live';
    const key = keyOf(event.device, event.category, mode);
    const input: Input = { type: 'event', event, level, drill, about };
    return this.#take(this.#newest(key), input, key, event);
  }

  /**
   * What a device says now ends whatever was open. What it says late ends what it said late, and what it reported
   * live only if it is certain that this came after it.
   */
  #ended(event: DeviceEvent, about: About): Alarm | null {
    let changed: Alarm | null = null;
    for (const mode of event.test ? (['drill'] as const) : (['live', 'replayed', 'drill'] as const)) {
      const key = keyOf(event.device, event.category, mode);
      const held = this.#newest(key);
      if (held === undefined || !isStillActive(held.alarm)) continue;
      if (event.replayed && mode !== 'replayed' && (event.deviceTime ?? 0) <= held.alarm.lastAt) continue;
      const input: Input = { type: 'event', event, level: held.alarm.level, drill: held.alarm.drill, about };
      const ended = this.#take(held, input, key, event);
      changed ??= ended;
    }
    return changed;
  }

  #isPractised({ category }: DeviceEvent, place: string): boolean {
    if (this.#bench.drills.size === 0) return false;
    const family = category.split('.', 1)[0];
    return [...this.#bench.drills].some((id) => {
      const drill = this.find(id);
      if (drill === undefined || isTest(drill.alarm) || !place.startsWith(drill.alarm.place)) return false;
      return drill.alarm.category.split('.', 1)[0] === family && this.#isUnderWay(drill);
    });
  }

  /** The test this device is in, when it covers what it reports. */
  #testOf({ device, category }: DeviceEvent): Held | undefined {
    if (this.#bench.drills.size === 0 || !isTried(category)) return undefined;
    for (const id of this.#bench.drills) {
      const test = this.find(id);
      if (test !== undefined && isTest(test.alarm) && test.alarm.device === device && this.#isUnderWay(test))
        return test;
    }
    return undefined;
  }

  /** The first sign is what the test was for; the rest are alarms of their own. */
  #heardInTest(test: Held, { device, category }: DeviceEvent): void {
    if (test.alarm.result !== null) return;
    const alarm = { ...test.alarm, result: heard(category) };
    this.#apply(test, [{ kind: 'alarm.noted', alarm, change: { note: heard(category) } }], `device:${device}`, null);
  }

  #isUnderWay({ alarm, deadlines }: Held): boolean {
    return !isClosed(alarm) && (deadlines.close?.due ?? 0) > this.#now;
  }

  act(action: AlarmAction, by: By): Alarm {
    const { alarm: id, revision, ...deed } = action;
    const held = this.#held(id);
    if (held === undefined) throw new QuanweiError('NOT_FOUND', `没有此警情 · there is no alarm ${id}`, { where: id });
    const target = deed.type === 'merge' ? this.#held(deed.into) : undefined;
    const outcome = step(
      held.alarm,
      { type: 'deed', deed, by, revision, target: target?.alarm ?? null },
      this.#context(held, ''),
    );
    if (typeof outcome === 'string') throw refusalError(outcome, id);
    const after = this.#apply(held, outcome, by.actor, null);
    if (target !== undefined) {
      const change = { merged: id, role: by.role };
      this.#apply(target, [{ kind: 'alarm.noted', alarm: target.alarm, change }], by.actor, null);
    }
    return after;
  }

  raise(report: Report, by: By): Alarm {
    const id = this.#bench.newId();
    const told = toldBy(report, by, id, (what) => this.#bench.grading.grade({ ...what, at: this.#now }));
    const outcome = step(null, { type: 'told', told }, this.#context(undefined, '', id));
    invariant(typeof outcome !== 'string', 'what people tell is never refused');
    return this.#apply(undefined, outcome, by.actor, null);
  }

  /** Every deadline of this alarm that has passed: the next in line is told, or its shelving ends. */
  fallDue(id: string): void {
    const held = this.#held(id);
    if (held === undefined || isClosed(held.alarm)) return;
    if (held.deadlines.shelve !== null && held.deadlines.shelve <= this.#now) {
      this.#take(held, { type: 'shelf-over' }, '', null);
      return;
    }
    if (held.alarm.drill) {
      if ((held.deadlines.close?.due ?? this.#now + 1) <= this.#now) this.#take(held, { type: 'drill-over' }, '', null);
      return;
    }
    for (const deadline of ['acknowledge', 'close'] as const) {
      const current = this.#held(id);
      if (current === undefined) return;
      const row = current.deadlines[deadline];
      if (row === null || row.due === null || row.due > this.#now) continue;
      const ladder = this.#bench.config.escalateTo;
      const rung = Math.min(current.alarm.escalations, ladder.length - 1);
      const next = missed(row, current.alarm, deadline, this.#now, rung >= ladder.length - 1, this.#bench.putOff);
      this.#take(
        { ...current, deadlines: { ...current.deadlines, [deadline]: next } },
        { type: 'overdue', deadline, to: ladder[rung] ?? null, due: row.due },
        '',
        null,
      );
    }
  }

  /** The wall clock was stepped by `ms`: whatever was due in five minutes still is. */
  shift(id: string, ms: number): void {
    const held = this.#held(id);
    if (held === undefined) return;
    const moved = { ...held, deadlines: shifted(held.deadlines, ms) };
    this.held.set(id, moved);
    this.#take(moved, { type: 'clock-stepped', ms }, '', null);
  }

  /** Sets deadlines that are missing, after a rebuild or under new rules. */
  rearm(id: string): void {
    const held = this.#held(id);
    if (held === undefined) return;
    const deadlines = this.#deadlines(held.alarm, held.deadlines);
    if (deadlines !== held.deadlines) this.held.set(id, { ...held, deadlines });
  }

  /** Enters what was only counted. */
  enter(id: string): void {
    const held = this.#held(id);
    if (held === undefined || held.entered >= held.alarm.count) return;
    const change = { coalesced: held.alarm.count - held.entered };
    this.#apply(held, [{ kind: 'alarm.repeated', alarm: held.alarm, change }], `device:${held.alarm.device}`, null);
  }

  #take(held: Held | undefined, input: Input, key: string, event: DeviceEvent | null): Alarm | null {
    const outcome = step(held?.alarm ?? null, input, this.#context(held, key));
    invariant(typeof outcome !== 'string', `nobody refuses ${input.type}`);
    if (outcome.length === 0) return null;
    return this.#apply(held, outcome, event === null ? 'system' : `device:${event.device}`, event);
  }

  #apply(held: Held | undefined, steps: readonly Transition[], actor: string, event: DeviceEvent | null): Alarm {
    const last = steps.at(-1);
    invariant(last !== undefined, 'a change of an alarm has a step');
    const raised = last.kind === 'alarm.raised';
    const { chatter, clock } = this.#bench;
    const mono = clock.mono();
    const plain = event !== null && last.kind === 'alarm.repeated' && last.change['again'] === undefined;
    const entered = !plain || chatter.allows(last.alarm.id, mono);
    if (entered) for (const one of steps) this.#enter(one, actor, event);
    this.held.set(last.alarm.id, {
      alarm: last.alarm,
      deadlines: this.#deadlines(last.alarm, raised ? NO_DEADLINES : (held?.deadlines ?? NO_DEADLINES)),
      entered: entered ? last.alarm.count : (held?.entered ?? 0),
      heard: event === null || !event.active ? (held?.heard ?? null) : mono,
      stored: raised ? null : (held?.stored ?? null),
    });
    if (raised && event !== null) this.keys.set(keyOfAlarm(last.alarm), last.alarm.id);
    return last.alarm;
  }

  #enter({ kind, alarm, change }: Transition, actor: string, event: DeviceEvent | null): void {
    const body: AlarmEntryBody = { alarm, change };
    this.drafts.push({
      id: kind === 'alarm.raised' ? alarm.id : this.#bench.newId(),
      kind,
      actor,
      subject: alarm.id,
      deviceTime: event?.deviceTime ?? null,
      lane: laneOf(alarm),
      body,
    });
  }

  #deadlines(alarm: Alarm, current: Deadlines): Deadlines {
    const { config, putOff } = this.#bench;
    return deadlinesOf(alarm, current, this.#now, config.levels, putOff);
  }

  #context(held: Held | undefined, key: string, id?: string): Context {
    const { clock, newId, config, before } = this.#bench;
    const changed = () => this.#newestChanged(key);
    const find = (into: string) => this.find(into);
    return {
      now: this.#now,
      get id() {
        return id ?? newId();
      },
      window: config.window,
      sinceLast:
        held === undefined
          ? 0
          : held.heard === null
            ? Math.max(0, this.#now - held.alarm.lastAt)
            : clock.mono() - held.heard,
      get previous() {
        return key === '' ? null : (changed() ?? before(key));
      },
      get mergedIntoOpen() {
        const into = held?.alarm.mergedInto ?? null;
        const target = into === null ? undefined : find(into);
        return target !== undefined && !isClosed(target.alarm);
      },
    };
  }

  #held(id: string): Held | undefined {
    return this.find(id) ?? this.#bench.closed(id);
  }

  #newest(key: string): Held | undefined {
    const id = this.newest(key);
    return id === undefined ? undefined : this.#held(id);
  }

  /** Raised in this very commit, and so not in the table yet. */
  #newestChanged(key: string): string | undefined {
    const id = this.newest(key);
    const held = id === undefined ? undefined : this.find(id);
    return held !== undefined && held.stored === null ? id : undefined;
  }
}

import type { Draft } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import type { Cancel, Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { Catalogue } from './catalogue.ts';
import { ClockSetting } from './clock-setting.ts';
import type { Device } from './device.ts';
import { DueQueue } from './due-queue.ts';
import type { Category, Detail, DeviceEvent } from './event.ts';
import type { DeviceLink } from './link.ts';
import type { Registry } from './registry.ts';
import { Silence } from './silence.ts';

const TICK_MS = 1_000;
/** How often those are looked at whose connection is their only sign of life, ms. */
const CONNECTIONS_MS = 10_000;
/** Without a connection for this long they are offline, ms. */
const DISCONNECTED_MS = 60_000;
/** Ticks this far apart: the process stood still (a paused machine), and heard nobody meanwhile, ms. */
const STOOD_STILL_MS = 30_000;
/** Storage failed: whether somebody is silent is not judged, and looked at again after this, ms. */
const POSTPONE_MS = 5_000;
/** Those that were offline at the start have this long to come back before it is an alarm again, ms. */
const RETURN_MS = 120_000;
/** Devices in one transaction. */
const AT_ONCE = 200;

/** What supervision itself notices; all are levels that clear by themselves. */
const WATCHED = ['device.offline', 'battery.low', 'device.clock'] as const satisfies readonly Category[];
type Watched = (typeof WATCHED)[number];

/** The board of alarms as supervision uses it. */
export interface SupervisedBoard {
  open(): readonly { readonly device: string; readonly category: Category; readonly condition: string }[];
  transact<T>(
    work: (tx: {
      append(draft: Draft): string;
      event(event: DeviceEvent, about: { name: string; place: string; channel: string; cause: string }): unknown;
    }) => T,
  ): Promise<T>;
}

export interface SupervisionParts {
  readonly board: SupervisedBoard;
  readonly registry: Registry;
  readonly catalogue: Catalogue;
  readonly journal: Pick<Journal, 'state' | 'onState'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Tells who is connected, and carries the right time to devices whose clock is wrong. */
  readonly link?: DeviceLink;
  /** The site's zone, for devices that are told the time. */
  readonly timezone?: string;
}

/**
 * Silence is an alarm (design §2 promise 6), and so are a low battery and a wrong clock. A hub that falls silent is one
 * alarm and covers those behind it. What should be raised is compared with what is, again and again until it is on disk.
 */
export class Supervision {
  readonly #parts: SupervisionParts;
  readonly #silence: Silence;
  readonly #clocks: ClockSetting | null;
  readonly #due = new DueQueue();
  readonly #raised = new Map<string, Set<Watched>>();
  /** Devices whose alarms may not be what they should be. */
  readonly #dirty = new Set<string>();
  readonly #news = new Map<string, { drafts: Draft[]; detail: Detail }>();
  readonly #disconnected = new Map<string, number>();
  /** Known to be offline. */
  readonly #away = new Set<string>();
  readonly #ends: Cancel[] = [];
  #tickedAt = 0;
  #underWay: Promise<void> | null = null;

  constructor(parts: SupervisionParts) {
    this.#parts = parts;
    const { registry, catalogue, clock, link, timezone = 'UTC', log } = parts;
    this.#silence = new Silence(registry, catalogue, clock);
    this.#clocks = link === undefined ? null : new ClockSetting({ catalogue, clock, link, timezone, log });
  }

  start(): void {
    const { board, registry, journal, clock } = this.#parts;
    this.#silence.restart();
    for (const { device, category, condition } of board.open()) {
      const watched = WATCHED.find((one) => one === category);
      if (watched === undefined || !condition.startsWith('active')) continue;
      this.#raised.set(device, (this.#raised.get(device) ?? new Set()).add(watched));
      // What the box knew when it was cut off counts, not what its tables had been told by then.
      if (watched === 'device.offline') this.#add(device, registry.silent(device, clock.wall()), {});
      this.#dirty.add(device);
    }
    for (const device of registry.all()) {
      if (registry.state(device.id).online === false) this.#away.add(device.id);
      this.#look(device);
    }
    this.#tickedAt = clock.mono();
    this.#ends.push(
      registry.onChange((id) => this.#changed(id)),
      journal.onState(({ ok }) => {
        if (ok) this.#silence.restart();
      }),
      clock.every(TICK_MS, () => this.#tick()),
      clock.every(CONNECTIONS_MS, () => this.#lookAtConnections()),
      clock.after(RETURN_MS, () => {
        for (const id of this.#away) this.#dirty.add(id);
      }),
    );
  }

  /** Resolves when what is under way is on disk, or has failed. */
  async stop(): Promise<void> {
    for (const end of this.#ends.splice(0)) end.cancel();
    await this.#underWay;
  }

  /** The device whose silence covers this one's; `null` when there is none. */
  coveredBy(id: string): Device | null {
    const device = this.#parts.registry.get(id);
    return device === null ? null : this.#silence.coveredBy(device);
  }

  #tick(): void {
    const { registry, clock } = this.#parts;
    const now = clock.mono();
    if (now - this.#tickedAt > STOOD_STILL_MS) this.#silence.restart();
    this.#tickedAt = now;
    const due = this.#due.take(now).flatMap((id) => registry.get(id) ?? []);
    // What others depend on first: its silence may explain theirs.
    const depth = new Map(due.map((device) => [device.id, this.#silence.ancestors(device).length]));
    for (const device of due.sort((a, b) => (depth.get(a.id) ?? 0) - (depth.get(b.id) ?? 0))) this.#look(device);
    this.#reconcile();
  }

  #look(device: Device): void {
    const { journal, clock } = this.#parts;
    const verdict = this.#silence.judge(device);
    if (!verdict.silent) {
      if (verdict.next === null) this.#due.delete(device.id);
      else this.#due.set(device.id, verdict.next);
      return;
    }
    if (!journal.state().ok) {
      this.#due.set(device.id, clock.mono() + POSTPONE_MS);
      return;
    }
    // Covered: no verdict of its own. When what covers it is back, it is looked at anew.
    if (this.#silence.coveredBy(device) !== null) return;
    const { reason, forMs } = verdict;
    this.#gone(device.id, { reason, ...(forMs === null ? {} : { silentSeconds: Math.round(forMs / 1_000) }) });
  }

  #gone(id: string, detail: Detail): void {
    const { registry, clock } = this.#parts;
    this.#away.add(id);
    this.#add(id, registry.silent(id, clock.wall()), detail);
    this.#dirty.add(id);
  }

  #changed(id: string): void {
    const { registry } = this.#parts;
    const device = registry.get(id);
    this.#dirty.add(id);
    if (device === null) {
      this.#due.delete(id);
      this.#silence.forget(id);
      this.#disconnected.delete(id);
      this.#away.delete(id);
      return;
    }
    // It is heard again: those it covered could not be heard while it was away.
    if (this.#away.has(id) && (registry.state(id).online === true || !device.enabled)) {
      this.#away.delete(id);
      for (const one of this.#silence.dependents(id)) {
        this.#silence.restartFor(one.id);
        this.#look(one);
      }
    }
    this.#look(device);
  }

  /** Models without a heartbeat: connected is alive. */
  #lookAtConnections(): void {
    const { registry, catalogue, clock, link, journal } = this.#parts;
    if (link === undefined || !journal.state().ok) return;
    const now = clock.mono();
    for (const device of registry.all()) {
      if (device.hub !== null || !device.enabled || !catalogue.has(device.profile)) continue;
      if (this.#silence.limitOf(device) !== null) continue;
      const { online } = registry.state(device.id);
      if (link.connected(device.id)) {
        this.#disconnected.delete(device.id);
        if (online !== true) this.#add(device.id, registry.note(device.id, clock.wall(), {}), {});
      } else if (online === true) {
        const since = this.#disconnected.get(device.id) ?? now;
        this.#disconnected.set(device.id, since);
        if (now - since < DISCONNECTED_MS || this.#silence.coveredBy(device) !== null) continue;
        this.#disconnected.delete(device.id);
        this.#gone(device.id, { reason: 'disconnected' });
      }
    }
    this.#reconcile();
  }

  #add(id: string, drafts: readonly Draft[], detail: Detail): void {
    const before = this.#news.get(id);
    this.#news.set(id, { drafts: [...(before?.drafts ?? []), ...drafts], detail: { ...before?.detail, ...detail } });
  }

  /** Makes what is raised what should be; what fails is tried again at the next tick. */
  #reconcile(): void {
    if (this.#underWay !== null) return;
    const { board, log, journal } = this.#parts;
    const ids = [...new Set([...this.#news.keys(), ...this.#dirty])].slice(0, AT_ONCE);
    const works = ids.map((id) => this.#workFor(id));
    for (const id of ids) {
      this.#dirty.delete(id);
      this.#news.delete(id);
    }
    const due = works.filter(({ drafts, events }) => drafts.length + events.length > 0);
    const setting = this.#clocks?.due(this.#wrongClocks()) ?? [];
    if (!journal.state().ok) for (const work of due) this.#again(work);
    if (due.length + setting.length === 0 || !journal.state().ok) return;
    this.#underWay = board
      .transact((tx) => {
        for (const { about, drafts, events } of due) {
          const [cause = ''] = drafts.map((draft) => tx.append(draft));
          for (const event of events) tx.event(event, { ...about, channel: 'device', cause });
        }
        return setting.map((one) => ({ ...one, command: tx.append(one.draft) }));
      })
      .then((commands) => {
        this.#underWay = null;
        for (const { id, events } of due) for (const event of events) this.#settled(id, event);
        for (const { device, command } of commands) this.#clocks?.send(device, command);
        if (this.#dirty.size + this.#news.size > 0) this.#reconcile();
      })
      .catch((thrown: unknown) => {
        this.#underWay = null;
        log.warn({ err: thrown, devices: due.length }, 'the state of devices could not be recorded');
        for (const work of due) this.#again(work);
      });
  }

  #workFor(id: string) {
    const { registry } = this.#parts;
    const device = registry.get(id);
    const { drafts = [], detail = {} } = this.#news.get(id) ?? {};
    const events = WATCHED.flatMap((category): DeviceEvent[] => {
      if (device !== null && this.#toldByItself(device, category)) return [];
      const is = this.#raised.get(id)?.has(category) === true;
      const should = device !== null && this.#should(device, category, is);
      return is === should ? [] : [this.#event(id, device, category, should, detail)];
    });
    return { id, drafts, detail, events, about: { name: device?.name ?? id, place: device?.place ?? '' } };
  }

  /** Its entries are offered again by the registry itself. */
  #again({ id, detail }: { readonly id: string; readonly detail: Detail }): void {
    this.#add(id, [], detail);
    this.#dirty.add(id);
  }

  #should(device: Device, category: Watched, is: boolean): boolean {
    const { registry, catalogue } = this.#parts;
    if (!device.enabled || !catalogue.has(device.profile)) return false;
    const state = registry.state(device.id);
    // An alarm of its own, raised before what covers it fell silent, stays until it speaks itself.
    if (category === 'device.offline') {
      return state.online === false && (is || this.#silence.coveredBy(device) === null);
    }
    return category === 'battery.low' ? state.batteryLow : state.clockWrong;
  }

  /** Where the device says so by itself, its word decides and not our reading of its figures. */
  #toldByItself({ profile }: Device, category: Watched): boolean {
    const { catalogue } = this.#parts;
    if (category === 'device.offline' || !catalogue.has(profile)) return false;
    return catalogue.get(profile).messages.some(({ events }) => events.some((event) => event.category === category));
  }

  #event(id: string, device: Device | null, category: Watched, active: boolean, detail: Detail): DeviceEvent {
    const event = {
      device: id,
      category,
      kind: 'level',
      active,
      replayed: false,
      test: false,
      deviceTime: null,
    } as const;
    return { ...event, detail: device === null || !active ? {} : this.#detail(device, category, detail) };
  }

  #detail(device: Device, category: Watched, detail: Detail): Detail {
    const { registry, catalogue } = this.#parts;
    const { lastSeen, battery, clockOffset } = registry.state(device.id);
    if (category === 'battery.low') return { battery };
    if (category === 'device.clock')
      return { aheadSeconds: clockOffset === null ? null : Math.round(clockOffset / 1_000) };
    const { silence } = catalogue.get(device.profile).supervision;
    const covers = this.#silence.dependents(device.id).length;
    return {
      meaning: `${silence.zh} · ${silence.en}`.slice(0, 256),
      lastSeen,
      ...detail,
      ...(covers === 0 ? {} : { covers }),
    };
  }

  #settled(id: string, { category, active }: DeviceEvent): void {
    const raised = this.#raised.get(id) ?? new Set<Watched>();
    const watched = WATCHED.find((one) => one === category);
    if (watched === undefined) return;
    if (active) raised.add(watched);
    else raised.delete(watched);
    if (raised.size === 0) this.#raised.delete(id);
    else this.#raised.set(id, raised);
  }

  #wrongClocks(): Device[] {
    const { registry } = this.#parts;
    return [...this.#raised]
      .filter(([, raised]) => raised.has('device.clock'))
      .flatMap(([id]) => registry.get(id) ?? [])
      .filter(({ id, enabled }) => enabled && registry.state(id).clockWrong && registry.state(id).online === true);
  }
}

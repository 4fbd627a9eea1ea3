import type { Clock } from '../kernel/clock.ts';
import type { Catalogue, Profile } from './catalogue.ts';
import type { Device } from './device.ts';
import type { Registry } from './registry.ts';

/** Who is told to be offline may take it back for this long: its connection was only made anew, ms. */
const TAKE_BACK_MS = 20_000;
/** After nobody could be heard (gateway start, disk failure, hub away): nobody is silent before this, ms. */
const GRACE_MS = 120_000;
const SAID_GRACE_MS = 60_000;
/** How long a device waits for the verdict on what it depends on, when that has not been heard since either, ms. */
const DEFER_MS = 5 * 60_000;
const HEARTBEATS = 1.5;

export type SilenceRegistry = Pick<Registry, 'all' | 'get' | 'state' | 'heard' | 'version'>;

export type Verdict =
  | { readonly silent: true; readonly reason: 'silence' | 'said'; readonly forMs: number | null }
  /** Look again at this monotonic time; `null`: when something changes. */
  | { readonly silent: false; readonly next: number | null };

/**
 * When the silence of a device means something. All in monotonic time: a clock that is set does not make anybody
 * silent. Time in which nobody could be heard does not count.
 */
export class Silence {
  readonly #registry: SilenceRegistry;
  readonly #catalogue: Catalogue;
  readonly #clock: Clock;
  /** Nobody could be heard before this. */
  #listening: number;
  readonly #listeningTo = new Map<string, number>();
  #dependents: { readonly version: number; readonly on: ReadonlyMap<string, readonly Device[]> } | null = null;
  /** Wall and monotonic time of the start, to carry over what was heard before it. */
  readonly #start: { readonly wall: number; readonly mono: number };

  constructor(registry: SilenceRegistry, catalogue: Catalogue, clock: Clock) {
    this.#registry = registry;
    this.#catalogue = catalogue;
    this.#clock = clock;
    this.#listening = clock.mono();
    this.#start = { wall: clock.wall(), mono: clock.mono() };
  }

  /** Nobody could be heard until now. */
  restart(): void {
    this.#listening = this.#clock.mono();
  }

  /** This one could not be heard until now: what it depends on was away. */
  restartFor(id: string): void {
    this.#listeningTo.set(id, this.#clock.mono());
  }

  forget(id: string): void {
    this.#listeningTo.delete(id);
  }

  /** ms of silence that are an alarm; `null`: its silence is not watched. */
  limitOf(device: Device): number | null {
    return device.silentAfter ?? this.#profile(device)?.supervision.silentAfter ?? null;
  }

  /** What it depends on that is offline, the nearest first. */
  coveredBy(device: Device): Device | null {
    return this.ancestors(device).find((one) => one.enabled && this.#registry.state(one.id).online === false) ?? null;
  }

  /** Hub and parent, theirs, and so on; each once. */
  ancestors(device: Device): Device[] {
    const found = new Map<string, Device>();
    const open = [device];
    for (let one = open.shift(); one !== undefined; one = open.shift()) {
      for (const id of [one.hub, one.parent]) {
        const above = id === null || found.has(id) || id === device.id ? null : this.#registry.get(id);
        if (above === null) continue;
        found.set(above.id, above);
        open.push(above);
      }
    }
    return [...found.values()];
  }

  /** Those that depend on it, directly or through others. */
  dependents(id: string): readonly Device[] {
    const { version } = this.#registry;
    if (this.#dependents?.version !== version) {
      const on = new Map<string, Device[]>();
      for (const device of this.#registry.all()) {
        for (const above of this.ancestors(device)) {
          const list = on.get(above.id);
          if (list === undefined) on.set(above.id, [device]);
          else list.push(device);
        }
      }
      this.#dependents = { version, on };
    }
    return this.#dependents.on.get(id) ?? [];
  }

  judge(device: Device): Verdict {
    if (!device.enabled || this.#profile(device) === null) return { silent: false, next: null };
    // Until it has spoken once it is not in service; once it is known to be silent there is nothing more to find out.
    if (this.#registry.state(device.id).online !== true) return { silent: false, next: null };
    const now = this.#clock.mono();
    const due = this.#due(device);
    if (due === null) return { silent: false, next: null };
    if (now < due.at) return { silent: false, next: due.at };
    const wait = this.#deferred(device, due.at);
    if (wait !== null && now < wait) return { silent: false, next: wait };
    const heard = this.#heardAt(device.id);
    return { silent: true, reason: due.reason, forMs: heard === null ? null : Math.round(now - heard) };
  }

  #due(device: Device): { at: number; reason: 'silence' | 'said' } | null {
    const listening = Math.max(this.#listening, this.#listeningTo.get(device.id) ?? 0);
    const { saidOffline } = this.#registry.heard(device.id);
    const said = saidOffline === null ? null : Math.max(saidOffline + TAKE_BACK_MS, listening + SAID_GRACE_MS);
    const limit = this.limitOf(device);
    const heard = this.#heardAt(device.id);
    const silence =
      limit === null || heard === null ? null : Math.max(heard + limit, listening + this.#grace(device, limit));
    if (said === null) return silence === null ? null : { at: silence, reason: 'silence' };
    return silence === null || said <= silence ? { at: said, reason: 'said' } : { at: silence, reason: 'silence' };
  }

  /** Long enough to hear one heartbeat, but never longer than its silence may be anyway. */
  #grace(device: Device, limit: number): number {
    const heartbeat = this.#profile(device)?.supervision.heartbeat ?? limit / 2;
    return Math.min(limit, Math.max(GRACE_MS, HEARTBEATS * heartbeat));
  }

  /**
   * If what it depends on has not been heard since either, that is probably the one that is silent: its verdict is
   * awaited, but not for long, as a life may hang on this one.
   */
  #deferred(device: Device, due: number): number | null {
    const heard = this.#heardAt(device.id) ?? Number.NEGATIVE_INFINITY;
    let until: number | null = null;
    for (const above of this.ancestors(device)) {
      if (!above.enabled || this.#registry.state(above.id).online !== true) continue;
      const verdict = this.#due(above);
      const spoke = this.#heardAt(above.id) ?? Number.NEGATIVE_INFINITY;
      const doubtful = this.#registry.heard(above.id).saidOffline !== null || spoke <= heard;
      if (verdict !== null && doubtful) until = Math.max(until ?? 0, Math.min(verdict.at + 1, due + DEFER_MS));
    }
    return until;
  }

  /** Of one that was heard in an earlier process, by the wall clock of both; `null` when it never was. */
  #heardAt(id: string): number | null {
    const { at } = this.#registry.heard(id);
    if (at !== null) return at;
    const { lastSeen } = this.#registry.state(id);
    return lastSeen === null ? null : this.#start.mono - Math.max(0, this.#start.wall - lastSeen);
  }

  #profile({ profile }: Device): Profile | null {
    return this.#catalogue.has(profile) ? this.#catalogue.get(profile) : null;
  }
}

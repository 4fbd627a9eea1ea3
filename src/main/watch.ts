import type { Board } from '../alarms/board.ts';
import type { Category, Detail } from '../devices/event.ts';
import type { Journal } from '../journal/journal.ts';
import type { Cancel, Clock } from '../kernel/clock.ts';
import { iso } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';

/** The box itself, as the device of alarms about it. */
const GATEWAY = { device: 'gateway', name: '泉卫网关', place: '' };
const LOOK_EVERY_MS = 5_000;
/** A wall clock that moved this much more or less than monotonic time was stepped. */
const STEP_MS = 2_000;
/** Free space must come back to this multiple of the limit before the alarm clears. */
const DISK_HYSTERESIS = 1.25;

export interface WatchParts {
  readonly journal: Journal;
  readonly board: Board;
  readonly clock: Clock;
  readonly log: Log;
  /** Free bytes below which the disk is an alarm. */
  readonly minFree: number;
  /** Age in ms of the oldest alarm the centre has not confirmed; 0 when there is none or no centre. */
  readonly backlogAge: () => number;
  /** The backlog is an alarm when its oldest alarm is older than this, ms. */
  readonly backlogLimit: number;
}

/**
 * The box watching itself: a full disk, a stepped or unset clock and a backlog that grows old are alarms like any
 * other (design §2 promise 6). Storage that cannot be written cannot be told by the journal; `/healthz` and the page say it.
 */
export class Watch {
  readonly #parts: WatchParts;
  readonly #active = new Map<Category, boolean>();
  #timer: Cancel | null = null;
  #wallMinusMono: number;

  constructor(parts: WatchParts) {
    this.#parts = parts;
    this.#wallMinusMono = parts.clock.wall() - parts.clock.mono();
  }

  start(): void {
    this.#timer = this.#parts.clock.every(LOOK_EVERY_MS, () => this.look());
    this.look();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  look(): void {
    const { journal, clock, minFree, backlogAge, backlogLimit } = this.#parts;
    const free = journal.state().freeBytes;
    const diskLimit = this.#active.get('system.disk') === true ? minFree * DISK_HYSTERESIS : minFree;
    this.#level('system.disk', free < diskLimit, { freeBytes: free, limitBytes: minFree });
    const age = backlogAge();
    this.#level('system.backlog', age > backlogLimit, { oldestSeconds: Math.round(age / 1_000) });
    const drift = clock.wall() - clock.mono() - this.#wallMinusMono;
    if (Math.abs(drift) > STEP_MS) {
      this.#wallMinusMono += drift;
      this.#record(drift);
    }
    this.#level('system.clock', clock.state() === 'unsynced', { wall: iso(clock.wall()) });
  }

  #level(category: Category, active: boolean, detail: Detail): void {
    const before = this.#active.get(category);
    if (before === active) return;
    this.#active.set(category, active);
    if (before === undefined && !active && !this.#stillOpen(category)) return;
    const { board, log } = this.#parts;
    board
      .transact((tx) => {
        tx.event(
          {
            device: GATEWAY.device,
            category,
            kind: 'level',
            active,
            replayed: false,
            test: false,
            deviceTime: null,
            detail,
          },
          { name: GATEWAY.name, place: GATEWAY.place, channel: 'system', cause: '' },
        );
      })
      .catch((thrown: unknown) => {
        if (before === undefined) this.#active.delete(category);
        else this.#active.set(category, before);
        log.warn({ err: thrown, category }, 'could not record the state of the box');
      });
  }

  /** An alarm about the box that an earlier run left active must be able to clear in this one. */
  #stillOpen(category: Category): boolean {
    return this.#parts.board
      .open()
      .some((alarm) => alarm.device === GATEWAY.device && alarm.category === category && alarm.clearedAt === null);
  }

  #record(stepMs: number): void {
    const { journal, clock, log } = this.#parts;
    log.warn({ stepMs }, 'the wall clock was stepped');
    journal
      .append([
        {
          kind: 'system.clock',
          actor: 'system',
          subject: null,
          body: { stepMs: Math.round(stepMs), state: clock.state() },
        },
      ])
      .catch((thrown: unknown) => log.warn({ err: thrown }, 'could not record the clock step'));
  }
}

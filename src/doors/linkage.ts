import { type Alarm, type AlarmEntryBody, rings } from '../alarms/alarm.ts';
import type { AlarmsConfig } from '../config/schema.ts';
import type { Entry } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import type { Cancel, Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { DoorResult, Doors } from './commands.ts';

const CURSOR = 'linkage';
const KINDS = ['alarm.raised', 'alarm.regraded'] as const;
/** A fire found this long after it was raised (the box was off) no longer opens doors by itself, ms. */
const STALE_MS = 10 * 60_000;
const TRIES = 3;
const RETRY_MS = 250;
const PAGE = 500;

export interface LinkageParts {
  readonly journal: Journal;
  readonly doors: Pick<Doors, 'open'>;
  readonly config: AlarmsConfig;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Fire releases doors: a follower of the journal that opens what `alarms.fireReleases` names, all at once, when a
 * level-1 fire alarm is raised. It has a durable cursor: a power cut between the alarm and the doors does not keep
 * them shut. A drill, a test and what is told late open nothing.
 */
export class Linkage {
  readonly #parts: LinkageParts;
  #following: Cancel | null = null;
  #underWay: Promise<unknown> = Promise.resolve();

  constructor(parts: LinkageParts) {
    this.#parts = parts;
  }

  start(): void {
    const { journal } = this.#parts;
    const from = journal.cursor(CURSOR);
    this.#following = journal.follow((entries) => this.#look(entries));
    const head = journal.head();
    for (let after = from; after < head; ) {
      // Fires that may open doors are in the most urgent lane, which is indexed: a journal of millions costs nothing.
      const page = journal.read({ after, limit: PAGE, lanes: [0] }).filter(({ seq }) => seq <= head);
      this.#look(page);
      after = page.length < PAGE ? head : (page.at(-1)?.seq ?? head);
    }
    if (head > from) this.#moveCursor(head);
  }

  /** Resolves when the commands under way have their results. */
  async stop(): Promise<void> {
    this.#following?.cancel();
    await this.#underWay;
  }

  #look(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (!KINDS.some((kind) => kind === entry.kind) || entry.body === null) continue;
      const { alarm } = entry.body as AlarmEntryBody;
      if (!isFire(alarm)) continue;
      const age = this.#parts.clock.wall() - entry.wall;
      if (age > STALE_MS) this.#skip(alarm, age);
      else this.#release(alarm, entry.seq);
    }
  }

  #release(alarm: Alarm, seq: number): void {
    const { config, log } = this.#parts;
    if (config.fireReleases.length === 0) return;
    const done = Promise.all(config.fireReleases.map((door) => this.#open(door, alarm))).then((results) => {
      log.warn({ alarm: alarm.id, opened: results.filter(Boolean).length, of: results.length }, 'fire released doors');
    });
    // In order, so that a power cut never leaves an earlier fire behind the cursor with its doors shut.
    this.#underWay = Promise.all([this.#underWay, done]).then(() => this.#moveCursor(seq));
  }

  async #open(door: string, alarm: Alarm): Promise<boolean> {
    const { doors, clock, log } = this.#parts;
    for (let attempt = 1; ; attempt += 1) {
      let result: DoorResult | null = null;
      try {
        result = await doors.open({
          door,
          actor: 'system',
          source: 'linkage',
          reason: `火警联动 fire: ${alarm.deviceName} ${alarm.place}`,
          detail: { alarm: alarm.id, attempt },
        });
      } catch (thrown) {
        // A door that is not registered, or cannot be opened: the others must open all the same.
        log.error({ err: thrown, door, alarm: alarm.id }, 'fire could not release a door');
        return false;
      }
      if (result.ok) return true;
      if (attempt === TRIES) return false;
      await new Promise<void>((resolve) => void clock.after(RETRY_MS, resolve));
    }
  }

  #skip(alarm: Alarm, age: number): void {
    const { journal, config, log } = this.#parts;
    if (config.fireReleases.length === 0) return;
    journal
      .append(
        config.fireReleases.map((door) => ({
          kind: 'door.result',
          actor: 'system',
          subject: door,
          lane: 2,
          body: {
            ok: false,
            code: 'stale',
            alarm: alarm.id,
            detail: `the fire was found ${Math.round(age / 1_000)} s late`,
          },
        })),
      )
      .catch((thrown: unknown) => log.error({ err: thrown, alarm: alarm.id }, 'a skipped release is not recorded'));
  }

  #moveCursor(seq: number): void {
    if (seq <= this.#parts.journal.cursor(CURSOR)) return;
    this.#parts.journal
      .moveCursor(CURSOR, seq)
      .catch((thrown: unknown) => this.#parts.log.warn({ err: thrown }, 'the cursor of the fire release did not move'));
  }
}

const isFire = (alarm: Alarm): boolean => alarm.level === 1 && alarm.category.startsWith('fire.') && rings(alarm);

import { type Alarm, type AlarmEntryBody, rings } from '../alarms/alarm.ts';
import type { Locate } from '../config/load.ts';
import type { AlarmsConfig } from '../config/schema.ts';
import type { Entry, EntryKind } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import type { Cancel, Clock } from '../kernel/clock.ts';
import { messageOf, QuanweiError } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import type { DoorResult, Doors } from './commands.ts';

const CURSOR = 'linkage';
/** A fire this old no longer opens doors by itself (the box was off, or a door stayed away), ms. */
const STALE_MS = 10 * 60_000;
/** Tries at once, and between them, ms. */
const TRIES = 3;
const RETRY_MS = 250;
/** How often a door that is away is looked for; and one that is there and cannot be reached, more and more seldom, ms. */
const LOOK_MS = 500;
const LONGEST_WAIT_MS = 15_000;
const PAGE = 500;

export interface LinkageParts {
  readonly journal: Journal;
  readonly doors: Pick<Doors, 'open' | 'list' | 'connected'>;
  readonly config: AlarmsConfig;
  readonly clock: Clock;
  readonly log: Log;
  /** Where in gateway.yaml something stands. */
  readonly locate?: Locate | undefined;
}

/** One fire and the doors it opens. */
interface Release {
  readonly alarm: Alarm;
  /** Monotonic time after which nothing is opened for it any more. */
  readonly until: number;
  /** People have put an end to it while doors were still to be released. */
  ended: boolean;
}

/** Doors that a fire is to release and that cannot be opened from here. @param locate where in the file they stand */
export const unreleasable = (
  doors: readonly string[],
  opens: (id: string) => boolean,
  locate?: Locate,
): QuanweiError[] =>
  doors.flatMap((id, i) =>
    opens(id)
      ? []
      : new QuanweiError('BAD_CONFIG', `火警不能释放 ${id} · ${id} cannot be opened from here`, {
          where: `${locate === undefined ? '' : `${locate(['alarms', 'fireReleases', i])}: `}alarms.fireReleases[${i}]`,
          hint: 'a door of a model with an open command; a relay needs params: { lock: yes }',
        }),
  );

/**
 * Fire releases doors: a follower of the journal that opens what `alarms.fireReleases` names, all at once, when a
 * level-1 fire alarm is raised, or comes again after people had seen to it. It has a durable cursor: a power cut between
 * the alarm and the doors does not keep them shut. A drill, a test and what is told late open nothing.
 */
export class Linkage {
  readonly #parts: LinkageParts;
  readonly #waits = new Set<() => void>();
  readonly #releases = new Set<Release>();
  #following: Cancel | null = null;
  #stopped = false;
  /** Doors are released side by side; the cursor moves over one fire after the other. */
  #underWay: Promise<unknown> = Promise.resolve();

  constructor(parts: LinkageParts) {
    this.#parts = parts;
  }

  /** @throws QuanweiError BAD_CONFIG when one of the doors to be released cannot be opened from here */
  start(): void {
    const { journal, config, doors, locate } = this.#parts;
    const known = new Set(doors.list().map(({ id }) => id));
    const [fault] = unreleasable(config.fireReleases, (id) => known.has(id), locate);
    if (fault !== undefined) throw fault;
    const head = journal.head();
    this.#following = journal.follow((entries) => this.#look(entries));
    if (config.fireReleases.length > 0) this.#look(this.#missed(head));
    this.#after([], head);
  }

  /**
   * What was committed and not seen to by the process before. Fires that may open doors are in the most urgent lane,
   * which is indexed; the newest first, and no further back than a fire can still open anything.
   */
  #missed(head: number): Entry[] {
    const { journal } = this.#parts;
    const found: Entry[] = [];
    for (let before = head + 1; ; ) {
      const page = journal.read({ after: journal.cursor(CURSOR), before, limit: PAGE, lanes: [0], newestFirst: true });
      found.push(...page);
      const oldest = page.at(-1);
      if (oldest === undefined || page.length < PAGE || this.#age(oldest) > STALE_MS) return found.reverse();
      before = oldest.seq;
    }
  }

  /** Resolves when the commands under way have their results. What is still to be released is, after the next start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#following?.cancel();
    for (const end of [...this.#waits]) end();
    await this.#underWay;
  }

  #look(entries: readonly Entry[]): void {
    if (this.#parts.config.fireReleases.length === 0) return;
    const ended = new Set(entries.filter(({ kind }) => ENDS.has(kind)).map(({ subject }) => subject));
    for (const release of this.#releases) if (ended.has(release.alarm.id)) release.ended = true;
    for (const entry of entries) {
      const alarm = fireIn(entry);
      if (alarm === null || ended.has(alarm.id)) continue;
      const age = this.#age(entry);
      this.#after(age > STALE_MS ? [this.#skip(alarm, age)] : this.#release(alarm, STALE_MS - age), entry.seq);
    }
  }

  /** By the clock that does not step where there is one. */
  #age({ boot, mono, wall }: Entry): number {
    const { clock } = this.#parts;
    return boot === clock.boot ? clock.mono() - mono : Math.max(0, clock.wall() - wall);
  }

  /** Moves the cursor over a fire once everything about it, and about those before it, is done. */
  #after(work: readonly Promise<unknown>[], seq: number): void {
    this.#underWay = Promise.all([this.#underWay, ...work]).then(() => this.#moveCursor(seq));
  }

  #release(alarm: Alarm, within: number): Promise<unknown>[] {
    const { config, clock, log } = this.#parts;
    const began = clock.mono();
    const release: Release = { alarm, until: began + within, ended: false };
    this.#releases.add(release);
    const doors = config.fireReleases.map(async (door) => {
      const released = await this.#open(door, release);
      const ms = Math.round(clock.mono() - began);
      if (released) log.warn({ alarm: alarm.id, door, ms }, 'fire released a door');
      else log.error({ alarm: alarm.id, door, ms }, 'fire did not release a door');
    });
    return [Promise.all(doors).then(() => this.#releases.delete(release))];
  }

  /** A few times at once; a door that is away, as soon as it is there again, unless people have ended it by then. */
  async #open(door: string, release: Release): Promise<boolean> {
    const { doors, clock } = this.#parts;
    const over = (): boolean => this.#stopped || release.ended || clock.mono() >= release.until;
    let wait = LOOK_MS;
    for (let [attempt, tries] = [1, 0]; ; attempt += 1) {
      const result = await this.#try(door, release.alarm, attempt);
      if (result === null || result.ok) return result !== null;
      if (result.code === 'offline') {
        await this.#wait(wait);
        while (!over() && !doors.connected(door)) await this.#wait(LOOK_MS);
        wait = Math.min(2 * wait, LONGEST_WAIT_MS);
      } else {
        tries += 1;
        if (tries === TRIES) return false;
        await this.#wait(RETRY_MS);
      }
      if (over()) return false;
    }
  }

  async #try(door: string, alarm: Alarm, attempt: number): Promise<DoorResult | null> {
    const { doors, log } = this.#parts;
    try {
      return await doors.open({
        door,
        actor: 'system',
        source: 'linkage',
        // That it was a fire the source says, in whatever language it is read.
        reason: `${alarm.deviceName} ${alarm.place}`.trim(),
        detail: { alarm: alarm.id, attempt },
      });
    } catch (thrown) {
      // Taken out of service, or its profile is gone: the others must open all the same.
      log.error({ why: messageOf(thrown), door, alarm: alarm.id }, 'fire cannot release a door');
      return null;
    }
  }

  #wait(ms: number): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        this.#waits.delete(end);
        resolve();
      };
      const timer = this.#parts.clock.after(ms, end);
      this.#waits.add(end);
    });
  }

  /** Says that it did nothing, and why: whoever comes to the box must not take the doors for open. */
  async #skip(alarm: Alarm, age: number): Promise<void> {
    const { journal, config, log } = this.#parts;
    const detail = `火警已过 ${Math.round(age / 60_000)} 分钟，未自动开门 · the fire was found ${Math.round(age / 1_000)} s late`;
    try {
      await journal.append(
        config.fireReleases.map((door) => ({
          kind: 'door.result',
          actor: 'system',
          subject: door,
          lane: 2,
          body: { ok: false, code: 'stale', alarm: alarm.id, detail },
        })),
      );
    } catch (thrown) {
      log.error({ err: thrown, alarm: alarm.id }, 'a skipped release is not recorded');
    }
  }

  async #moveCursor(seq: number): Promise<void> {
    const { journal, log } = this.#parts;
    if (this.#stopped || seq <= journal.cursor(CURSOR)) return;
    try {
      await journal.moveCursor(CURSOR, seq);
    } catch (thrown) {
      log.warn({ err: thrown }, 'the cursor of the fire release did not move');
    }
  }
}

const ENDS: ReadonlySet<EntryKind> = new Set(['alarm.false', 'alarm.closed', 'alarm.reset']);

/** The fire an entry tells of that doors are to open for; `null` for anything else. */
function fireIn({ kind, body }: Entry): Alarm | null {
  if (kind !== 'alarm.raised' && kind !== 'alarm.regraded' && kind !== 'alarm.repeated') return null;
  if (body === null) return null;
  const { alarm, change } = body as AlarmEntryBody;
  if (alarm.level !== 1 || !alarm.category.startsWith('fire.') || !rings(alarm)) return null;
  // A detector that keeps saying the same is not a new fire; one that says it again after people saw to it is.
  return kind === 'alarm.repeated' && change['again'] !== true ? null : alarm;
}

import type { CameraConfig } from '../config/schema.ts';
import type { DeviceEvent } from '../devices/event.ts';
import type { Entry } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import type { Cancel, Clock } from '../kernel/clock.ts';
import { messageOf, QuanweiError } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import type { Doors } from './commands.ts';

/** A face that was seen longer ago than this opens nothing: whoever it was has gone on, ms. */
const FRESH_MS = 5_000;
/** Looks that have to agree. */
const SIGHTINGS = 2;
/** The same person at the same door within this is the same coming, ms. */
const AGAIN_MS = 5_000;

type FaceSettings = Exclude<CameraConfig['faces'], false>;

interface Parts {
  readonly journal: Pick<Journal, 'append' | 'follow'>;
  readonly doors: Pick<Doors, 'open' | 'list'>;
  readonly cameras: readonly CameraConfig[];
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Opens a door for a face that a camera recognised, where the configuration says so and everything about it is right.
 * Each time it is recorded whether it did, and why or why not.
 */
export class FaceOpening {
  readonly #parts: Parts;
  readonly #settings: ReadonlyMap<string, FaceSettings & { readonly opens: string }>;
  readonly #opened = new Map<string, number>();
  readonly #underWay = new Set<Promise<void>>();
  #following: Cancel | null = null;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#settings = new Map(
      parts.cameras.flatMap(({ id, faces }) =>
        faces === false || faces.opens === undefined ? [] : [[id, { ...faces, opens: faces.opens }] as const],
      ),
    );
  }

  /** From now on: what was recognised before the start opens nothing any more. */
  start(): void {
    const { doors, log } = this.#parts;
    const known = new Set(doors.list().map(({ id }) => id));
    for (const [camera, { opens }] of this.#settings) {
      // Not an error of the configuration: the page may register it at any time, and then it opens.
      if (!known.has(opens)) log.warn({ camera, door: opens }, 'faces at a camera shall open a door that there is not');
    }
    if (this.#settings.size > 0) this.#following = this.#parts.journal.follow((entries) => this.#look(entries));
  }

  async stop(): Promise<void> {
    this.#following?.cancel();
    await Promise.all(this.#underWay);
  }

  #look(entries: readonly Entry[]): void {
    for (const entry of entries) {
      const settings =
        entry.kind === 'message' && entry.subject !== null ? this.#settings.get(entry.subject) : undefined;
      if (settings === undefined || entry.body === null) continue;
      const { message, events } = entry.body as { message?: string; events?: readonly DeviceEvent[] };
      if (message !== 'face') continue;
      for (const event of events ?? []) {
        const work = this.#decide(entry, event, settings).catch((thrown: unknown) =>
          this.#parts.log.error({ err: thrown, camera: event.device }, 'a decision about a door is not recorded'),
        );
        this.#underWay.add(work);
        void work.then(() => this.#underWay.delete(work));
      }
    }
  }

  async #decide(entry: Entry, event: DeviceEvent, settings: FaceSettings & { readonly opens: string }): Promise<void> {
    const { journal, doors, clock } = this.#parts;
    const { opens: door } = settings;
    const person = String(event.detail['person'] ?? '');
    const key = `${door}\n${person}`;
    let why = reasonAgainst(event, settings, clock.wall());
    const before = this.#opened.get(key);
    if (why === null && before !== undefined && clock.mono() - before < AGAIN_MS) why = 'opened-already';
    let outcome: Record<string, unknown> = {};
    if (why === null) {
      for (const [one, at] of this.#opened) if (clock.mono() - at >= AGAIN_MS) this.#opened.delete(one);
      this.#opened.set(key, clock.mono());
      try {
        const { ok, code, command } = await doors.open({
          door,
          actor: `device:${event.device}`,
          reason: `人脸 face: ${person}`,
          source: 'face',
          detail: { camera: event.device, person },
        });
        outcome = { result: code, command };
        if (!ok) why = code;
      } catch (thrown) {
        why = thrown instanceof QuanweiError ? thrown.code : messageOf(thrown);
      }
    }
    const { similarity = null, margin = null, sightings = null, live = null } = event.detail;
    await journal.append([
      {
        kind: 'door.decision',
        actor: `device:${event.device}`,
        subject: door,
        body: {
          opened: why === null,
          why: why ?? 'known',
          person,
          similarity,
          margin,
          sightings,
          live,
          ...outcome,
          cause: entry.id,
        },
      },
    ]);
  }
}

/** What speaks against opening, the plainest first; `null`: nothing. */
export function reasonAgainst(event: DeviceEvent, settings: FaceSettings, now: number): string | null {
  const { category, detail, deviceTime } = event;
  const number = (name: string): number => {
    const value = detail[name];
    return typeof value === 'number' ? value : Number.NEGATIVE_INFINITY;
  };
  if (event.replayed) return 'told-late';
  if (event.test) return 'test';
  if (category !== 'access.seen' || typeof detail['person'] !== 'string' || detail['person'] === '') {
    return category === 'access.blocklist' ? 'blocked' : 'not-known';
  }
  if (deviceTime === null || Math.abs(now - deviceTime) > FRESH_MS) return 'not-fresh';
  if (number('similarity') < settings.threshold) return 'not-alike-enough';
  if (number('margin') < settings.margin) return 'too-near-to-another';
  if (number('sightings') < SIGHTINGS) return 'seen-too-seldom';
  if (settings.liveness !== undefined && number('live') < settings.liveness) return 'not-alive-enough';
  return null;
}

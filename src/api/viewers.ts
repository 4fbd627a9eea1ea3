import type { Journal } from '../journal/journal.ts';
import type { Cancel, Clock } from '../kernel/clock.ts';
import { messageOf, QuanweiError } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';

/** People who look at live pictures at once, and views of one session. */
const VIEWERS = 16;
const PER_SESSION = 6;
/** How often it is looked whether a session still is, ms. */
const LOOK_MS = 10_000;
/** Looking at the same thing again within this is the same looking, ms. */
const SAME_MS = 10 * 60_000;
/** Lookings that are remembered. */
const REMEMBERED = 2_000;

interface View {
  readonly session: string;
  end(): void;
}

/** Who looks at cameras and evidence: bounded, ended with the session, and on the record. */
export class Viewers {
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #views = new Set<View>();
  readonly #looked = new Map<string, number>();
  readonly #timer: Cancel;

  /** @param parts.alive whether a session still is */
  constructor(parts: { journal: Journal; clock: Clock; log: Log; alive: (session: string) => boolean }) {
    this.#journal = parts.journal;
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#timer = parts.clock.every(LOOK_MS, () => {
      for (const view of [...this.#views]) if (!parts.alive(view.session)) this.#end(view);
    });
  }

  get count(): number {
    return this.#views.size;
  }

  /** @param end called when the session is over @returns what takes it off the list @throws QuanweiError TOO_MANY */
  enter(session: string, end: () => void): () => void {
    const mine = [...this.#views].filter((view) => view.session === session).length;
    if (this.#views.size >= VIEWERS || mine >= PER_SESSION) {
      throw new QuanweiError('TOO_MANY', '打开的实时画面太多 · too many live pictures are open');
    }
    const view = { session, end };
    this.#views.add(view);
    return () => void this.#views.delete(view);
  }

  endSession(session: string): void {
    for (const view of [...this.#views]) if (view.session === session) this.#end(view);
  }

  close(): void {
    this.#timer.cancel();
    for (const view of [...this.#views]) this.#end(view);
  }

  /**
   * Records that somebody looked. Once in a while for the same thing; taking a copy, each time.
   * @param subject camera, or reference of the evidence
   */
  looked(actor: string, what: 'live' | 'snapshot' | 'evidence' | 'copy', subject: string): void {
    const now = this.#clock.mono();
    const key = `${actor}\n${what}\n${subject}`;
    const before = this.#looked.get(key);
    if (what !== 'copy' && before !== undefined && now - before < SAME_MS) return;
    this.#looked.delete(key);
    this.#looked.set(key, now);
    for (const oldest of this.#looked.keys()) {
      if (this.#looked.size <= REMEMBERED) break;
      this.#looked.delete(oldest);
    }
    this.#journal
      .append([{ kind: 'media.viewed', actor, subject, body: { what } }])
      .catch((thrown: unknown) => this.#log.warn({ why: messageOf(thrown), actor }, 'a look is not recorded'));
  }

  #end(view: View): void {
    this.#views.delete(view);
    view.end();
  }
}

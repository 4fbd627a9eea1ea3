import type { Cancel } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { Entry } from './entry.ts';

interface Follower {
  readonly fn: (entries: readonly Entry[]) => void;
  /** Seq it had been told to have seen when it came. */
  readonly since: number;
}

/**
 * Hands committed entries to whoever follows, in order. One turn of the event loop later than the appenders hear, so
 * that a projection has taken in its own change before a follower looks at it.
 */
export class Followers {
  readonly #log: Log;
  readonly #followers = new Set<Follower>();
  #waiting: Entry[] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  add(fn: (entries: readonly Entry[]) => void, since: number): Cancel {
    const follower = { fn, since };
    this.#followers.add(follower);
    return { cancel: () => void this.#followers.delete(follower) };
  }

  tell(entries: readonly Entry[]): void {
    if (this.#waiting.length === 0) setImmediate(() => this.flush());
    for (const entry of entries) this.#waiting.push(entry);
  }

  flush(): void {
    const entries = this.#waiting;
    if (entries.length === 0) return;
    this.#waiting = [];
    for (const { fn, since } of [...this.#followers]) {
      const news = (entries[0]?.seq ?? 0) > since ? entries : entries.filter(({ seq }) => seq > since);
      if (news.length === 0) continue;
      try {
        fn(news);
      } catch (thrown) {
        this.#log.error({ err: thrown }, 'a follower of the journal failed');
      }
    }
  }
}

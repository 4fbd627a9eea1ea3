import type { Change, Draft } from '../journal/entry.ts';
import { clean } from './text.ts';

/** Somebody unknown: a login nobody registered (`via: null`), or an end device behind a hub. */
export interface Knock {
  readonly via: string | null;
  readonly key: string;
  readonly hint: string;
}

/** A device that might be registered. It is listed for a person to decide, and never let in. */
export interface Candidate extends Knock {
  /** ms since the epoch */
  readonly first: number;
  readonly last: number;
  readonly count: number;
}

/** Remembered of each sort; the one not heard of for longest is forgotten first. */
const REMEMBERED = 250;
/** Told in the journal at once; the rest is counted. */
const TOLD = 20;
const LONGEST_KEY = 128;
const LONGEST_HINT = 200;

interface Row extends Omit<Candidate, 'via'> {
  readonly via: string;
}

/**
 * Who knocked. Logins and end devices are bounded apart, so that somebody who tries names at the door cannot push the
 * new smoke detector behind a hub off the list.
 */
export class Candidates {
  readonly #lists = { login: new Map<string, Candidate>(), child: new Map<string, Candidate>() };
  readonly #unwritten = new Set<string>();
  readonly #news: Candidate[] = [];
  #untold = 0;

  constructor(rows: readonly Row[]) {
    for (const row of [...rows].sort((a, b) => a.last - b.last)) {
      const one = { ...row, via: row.via === '' ? null : row.via };
      this.#list(one).set(nameOf(one), one);
    }
  }

  /** @param at ms since the epoch */
  note(knock: Knock, at: number): void {
    const via = knock.via;
    const key = clean(knock.key, LONGEST_KEY);
    if (key === '') return;
    const name = nameOf({ via, key });
    const list = this.#list({ via });
    const known = list.get(name);
    const hint = clean(knock.hint, LONGEST_HINT);
    const now = { via, key, hint, first: known?.first ?? at, last: at, count: (known?.count ?? 0) + 1 };
    list.delete(name);
    list.set(name, now);
    this.#unwritten.add(name);
    if (known === undefined) {
      if (this.#news.length < TOLD) this.#news.push(now);
      else this.#untold += 1;
    }
    for (const oldest of list.keys()) {
      if (list.size <= REMEMBERED) break;
      list.delete(oldest);
      this.#unwritten.add(oldest);
    }
  }

  /** The newest first. */
  list(): Candidate[] {
    return [...this.#lists.login.values(), ...this.#lists.child.values()].sort((a, b) => b.last - a.last);
  }

  /** It has been registered, or a person does not want to see it. */
  forget(via: string | null, key: string): boolean {
    const one = { via, key: clean(key, LONGEST_KEY) };
    const known = this.#list(one).delete(nameOf(one));
    if (known) this.#unwritten.add(nameOf(one));
    return known;
  }

  /** What has to be written down since the last time; `done` once it is. */
  unwritten(): { drafts: Draft[]; changes: Change[]; done: () => void } {
    const names = [...this.#unwritten];
    const untold = this.#untold;
    const drafts = this.#news.map(
      ({ via, key, hint }): Draft => ({
        kind: 'device.candidate',
        actor: via === null ? 'system' : `device:${via}`,
        subject: key,
        body: { via, key, hint, ...(untold === 0 ? {} : { andOthers: untold }) },
      }),
    );
    const changes = names.map((name): Change => {
      const [via = '', key = ''] = name.split(SEPARATOR);
      const now = this.#list({ via: via === '' ? null : via }).get(name);
      return now === undefined
        ? { sql: 'DELETE FROM device_candidates WHERE via = ? AND key = ?', params: [via, key] }
        : {
            sql: 'INSERT OR REPLACE INTO device_candidates (via, key, hint, first, last, count) VALUES (?, ?, ?, ?, ?, ?)',
            params: [via, key, now.hint, now.first, now.last, now.count],
          };
    });
    const done = (): void => {
      this.#news.splice(0, drafts.length);
      this.#untold -= untold;
      for (const name of names) this.#unwritten.delete(name);
    };
    return { drafts, changes, done };
  }

  #list({ via }: Pick<Knock, 'via'>): Map<string, Candidate> {
    return via === null ? this.#lists.login : this.#lists.child;
  }
}

/** Cannot stand in a cleaned key. */
const SEPARATOR = '\u001f';
const nameOf = ({ via, key }: Pick<Knock, 'via' | 'key'>): string => `${via ?? ''}${SEPARATOR}${key}`;

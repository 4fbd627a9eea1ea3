import type { Database, Statement } from 'better-sqlite3';
import { KeyList } from './key-list.ts';
import { eachKeySince } from './stored-keys.ts';

/** Entries after which the content keys since the last run are written as one row. */
export const RUN_ENTRIES = 8_192;
/** Entries after which the lanes and subjects since the last segment are written as one row. */
export const SEGMENT_ENTRIES = 2_048;
/** Content keys remembered: a device that resends an older message than this is counted again. */
export const SEEN_KEYS = 1_000_000;
/** The kind that has no row in the indexes of kinds and subjects; migration 001 says why. */
export const UNINDEXED = 'message';

/** What a segment tells of an entry. */
interface Spoken {
  readonly lane: number | null;
  /** of a message; `null` for what the indexes know */
  readonly subject: string | null;
}

class Segment {
  readonly subjects = new Set<string>();
  lane2 = 0;
  lane3 = 0;

  add(entries: readonly Spoken[]): void {
    for (const { lane, subject } of entries) {
      if (lane === 2) this.lane2 += 1;
      else if (lane === 3) this.lane3 += 1;
      if (subject !== null) this.subjects.add(subject);
    }
  }

  /** A copy with more in it, for a commit that may yet fail. */
  with(entries: readonly Spoken[]): Segment {
    const more = new Segment();
    for (const subject of this.subjects) more.subjects.add(subject);
    more.lane2 = this.lane2;
    more.lane3 = this.lane3;
    more.add(entries);
    return more;
  }
}

/** A point within a commit. */
export interface Mark {
  readonly keys: number;
  readonly spoken: number;
}

/**
 * Keeps the two summaries of the journal: runs of content keys, and segments. Both are append-only rows written once in
 * thousands of entries, where an index would touch a page of its own for nearly every entry.
 */
export class Summaries {
  readonly #insertRun: Statement;
  readonly #insertSegment: Statement;
  readonly #db: Database;
  readonly #keys = new KeyList();
  #lastRun: number;
  #lastSegment: number;
  #segment = new Segment();
  /** Of the commit under way. */
  #spoken: Spoken[] = [];
  #settledKeys = 0;
  #wroteRun = 0;
  #wroteSegment = 0;
  #due = false;

  constructor(db: Database) {
    this.#db = db;
    this.#insertRun = db.prepare('INSERT INTO key_runs VALUES (?, ?)');
    this.#insertSegment = db.prepare('INSERT INTO segments VALUES (?, ?, ?, ?)');
    this.#lastRun = db.prepare('SELECT coalesce(max(last), 0) FROM key_runs').pluck().get() as number;
    this.#lastSegment = db.prepare('SELECT coalesce(max(last), 0) FROM segments').pluck().get() as number;
    eachKeySince(db, this.#lastRun, (key) => this.#keys.push(key));
    this.#settledKeys = this.#keys.length;
    const since = db.prepare('SELECT kind, subject, lane FROM entries WHERE seq > ? ORDER BY seq');
    for (const row of since.iterate(this.#lastSegment)) {
      const { kind, subject, lane } = row as { kind: string; subject: string | null; lane: number | null };
      this.#segment.add([{ lane, subject: kind === UNINDEXED ? subject : null }]);
    }
  }

  add(kind: string, subject: string | null, lane: number | null, key: Buffer | null): void {
    if (key !== null) this.#keys.push(key);
    this.#spoken.push({ lane, subject: kind === UNINDEXED ? subject : null });
  }

  mark(): Mark {
    return { keys: this.#keys.length, spoken: this.#spoken.length };
  }

  /** A request failed: what it added is forgotten. */
  back(mark: Mark): void {
    this.#keys.truncate(mark.keys);
    this.#spoken.length = mark.spoken;
  }

  /** Entries up to `seq` are about to go: their keys must be in a run before, or a restart would forget them. */
  force(seq: number): void {
    if (seq > this.#lastRun) this.#due = true;
  }

  /** Writes what is due, inside the commit's transaction. @param head seq of the newest entry of the commit */
  write(head: number): void {
    if (head > this.#lastRun && (this.#due || head - this.#lastRun >= RUN_ENTRIES)) {
      this.#insertRun.run(head, this.#keys.bytes());
      this.#forgetOldRuns();
      this.#wroteRun = head;
    }
    if (head - this.#lastSegment >= SEGMENT_ENTRIES) {
      const segment = this.#segment.with(this.#spoken);
      this.#insertSegment.run(head, segment.lane2, segment.lane3, `,${[...segment.subjects].join(',')},`);
      this.#wroteSegment = head;
    }
  }

  /** The commit is on disk, or is not. */
  settle(committed: boolean): void {
    if (!committed) this.#keys.truncate(this.#settledKeys);
    else {
      if (this.#wroteRun > 0) {
        this.#lastRun = this.#wroteRun;
        this.#keys.truncate(0);
      }
      if (this.#wroteSegment > 0) {
        this.#lastSegment = this.#wroteSegment;
        this.#segment = new Segment();
      } else this.#segment.add(this.#spoken);
    }
    this.#settledKeys = this.#keys.length;
    this.#spoken = [];
    this.#wroteRun = 0;
    this.#wroteSegment = 0;
    this.#due = false;
  }

  #forgetOldRuns(): void {
    const runs = this.#db.prepare('SELECT last, length(keys) AS bytes FROM key_runs ORDER BY last DESC').all() as {
      last: number;
      bytes: number;
    }[];
    let kept = 0;
    for (const { last, bytes } of runs) {
      if (kept >= SEEN_KEYS) {
        this.#db.prepare('DELETE FROM key_runs WHERE last <= ?').run(last);
        return;
      }
      kept += bytes / 16;
    }
  }
}

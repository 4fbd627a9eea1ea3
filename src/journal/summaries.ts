import type { Database, Statement } from 'better-sqlite3';

/** Entries after which the content keys since the last run are written as one row. */
export const RUN_ENTRIES = 32_768;
/** Entries after which the subjects of messages since the last segment are written as one row. */
export const SEGMENT_ENTRIES = 2_048;
/** Content keys remembered: a device that resends an older message than this is counted again. */
export const SEEN_KEYS = 1_000_000;
/** The kind that has no row in the indexes of kinds and subjects; migration 001 says why. */
export const UNINDEXED = 'message';

const KEY_BYTES = 16;

/** What a summary has gathered since its last row; `undo` is where a failed request or commit goes back to. */
interface Gathered {
  keys: Buffer[];
  subjects: string[];
}

/**
 * Keeps the two summaries of the journal: runs of content keys and segments of subjects. Both are append-only rows
 * written once in thousands of entries, where an index would touch a page of its own for nearly every entry.
 */
export class Summaries {
  readonly #insertRun: Statement;
  readonly #insertSegment: Statement;
  readonly #db: Database;
  #lastRun: number;
  #lastSegment: number;
  #keys: Buffer[];
  #subjects: Set<string>;
  #pending: Gathered = { keys: [], subjects: [] };
  #wroteRun = 0;
  #wroteSegment = 0;
  #due = false;

  constructor(db: Database) {
    this.#db = db;
    this.#insertRun = db.prepare('INSERT INTO key_runs VALUES (?, ?)');
    this.#insertSegment = db.prepare('INSERT INTO segments VALUES (?, ?)');
    this.#lastRun = db.prepare('SELECT coalesce(max(last), 0) FROM key_runs').pluck().get() as number;
    this.#lastSegment = db.prepare('SELECT coalesce(max(last), 0) FROM segments').pluck().get() as number;
    this.#keys = db
      .prepare('SELECT key FROM entries WHERE seq > ? AND key IS NOT NULL ORDER BY seq')
      .pluck()
      .all(this.#lastRun) as Buffer[];
    this.#subjects = new Set(
      db
        .prepare(
          `SELECT DISTINCT subject FROM entries
           WHERE seq > ? AND subject IS NOT NULL AND kind = 'message'`,
        )
        .pluck()
        .all(this.#lastSegment) as string[],
    );
  }

  add(kind: string, subject: string | null, key: Buffer | null): void {
    if (key !== null) this.#pending.keys.push(key);
    if (subject !== null && kind === UNINDEXED) this.#pending.subjects.push(subject);
  }

  /** A point within a commit that `back` can return to. */
  mark(): { keys: number; subjects: number } {
    return { keys: this.#pending.keys.length, subjects: this.#pending.subjects.length };
  }

  back(mark: { keys: number; subjects: number }): void {
    this.#pending.keys.length = mark.keys;
    this.#pending.subjects.length = mark.subjects;
  }

  /** Entries up to `seq` are about to go: their keys must be in a run before, or a restart would forget them. */
  force(seq: number): void {
    if (seq > this.#lastRun) this.#due = true;
  }

  /** Writes what is due, inside the commit's transaction. @param head seq of the newest entry of the commit */
  write(head: number): void {
    if (this.#due || head - this.#lastRun >= RUN_ENTRIES) {
      this.#insertRun.run(head, Buffer.concat([...this.#keys, ...this.#pending.keys]));
      this.#forgetOldRuns();
      this.#wroteRun = head;
    }
    if (head - this.#lastSegment >= SEGMENT_ENTRIES) {
      const subjects = new Set([...this.#subjects, ...this.#pending.subjects]);
      this.#insertSegment.run(head, `,${[...subjects].join(',')},`);
      this.#wroteSegment = head;
    }
  }

  /** The commit is on disk, or is not. */
  settle(committed: boolean): void {
    const { keys, subjects } = this.#pending;
    this.#pending = { keys: [], subjects: [] };
    if (committed) {
      if (this.#wroteRun > 0) {
        this.#lastRun = this.#wroteRun;
        this.#keys = [];
      } else this.#keys.push(...keys);
      if (this.#wroteSegment > 0) {
        this.#lastSegment = this.#wroteSegment;
        this.#subjects = new Set();
      } else for (const subject of subjects) this.#subjects.add(subject);
    }
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
      kept += bytes / KEY_BYTES;
    }
  }
}

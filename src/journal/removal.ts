import type { Database, Statement } from 'better-sqlite3';
import { invariant } from '../kernel/errors.ts';
import { bodyHash } from './chain.ts';

interface Anchor {
  readonly first: number;
  readonly last: number;
  readonly hash: Buffer;
}

/** Takes entries or their bodies out of the journal so that the chain still verifies. Runs inside a transaction. */
export class Removal {
  readonly #db: Database;
  readonly #body: Statement;
  readonly #erase: Statement;
  readonly #hash: Statement;
  readonly #delete: Statement;
  readonly #anchorEndingAt: Statement;
  readonly #anchorStartingAt: Statement;
  readonly #dropAnchor: Statement;
  readonly #putAnchor: Statement;

  constructor(db: Database) {
    this.#db = db;
    this.#body = db.prepare('SELECT body FROM entries WHERE seq = ?').pluck();
    this.#erase = db.prepare('UPDATE entries SET body = NULL, body_hash = ? WHERE seq = ?');
    this.#hash = db.prepare('SELECT hash FROM entries WHERE seq = ?').pluck();
    this.#delete = db.prepare('DELETE FROM entries WHERE seq = ?');
    this.#anchorEndingAt = db.prepare(
      'SELECT * FROM anchors WHERE first = (SELECT max(first) FROM anchors WHERE first <= ?) AND last = ?',
    );
    this.#anchorStartingAt = db.prepare('SELECT * FROM anchors WHERE first = ?');
    this.#dropAnchor = db.prepare('DELETE FROM anchors WHERE first = ?');
    this.#putAnchor = db.prepare('INSERT INTO anchors VALUES (?, ?, ?)');
  }

  /**
   * Bodies go, also from the pages they leave behind; their hashes stay. Entries that are not there, or have none any
   * more, are passed over.
   */
  erase(seqs: readonly number[]): void {
    if (seqs.length === 0) return;
    // What a person asked to be forgotten is overwritten; what only grew old is when its pages are used again.
    this.#db.pragma('secure_delete = ON');
    try {
      for (const seq of seqs) {
        const body = this.#body.get(seq) as string | null | undefined;
        if (typeof body === 'string') this.#erase.run(bodyHash(body), seq);
      }
    } finally {
      this.#db.pragma('secure_delete = FAST');
    }
  }

  /**
   * Entries go altogether; each stretch leaves one anchor with the hash of its last entry, joined with the anchors
   * beside it. @param seqs ascending
   */
  remove(seqs: readonly number[]): void {
    let stretch: Anchor | null = null;
    for (const seq of seqs) {
      const hash = this.#hash.get(seq) as Buffer | undefined;
      if (hash === undefined) continue;
      this.#delete.run(seq);
      if (stretch !== null && seq === stretch.last + 1) {
        stretch = { first: stretch.first, last: seq, hash };
        continue;
      }
      invariant(stretch === null || seq > stretch.last, 'entries must be removed in ascending order');
      if (stretch !== null) this.#anchor(stretch);
      stretch = { first: seq, last: seq, hash };
    }
    if (stretch !== null) this.#anchor(stretch);
  }

  #anchor(stretch: Anchor): void {
    const before = this.#anchorEndingAt.get(stretch.first - 1, stretch.first - 1) as Anchor | undefined;
    const after = this.#anchorStartingAt.get(stretch.last + 1) as Anchor | undefined;
    if (before !== undefined) this.#dropAnchor.run(before.first);
    if (after !== undefined) this.#dropAnchor.run(after.first);
    this.#putAnchor.run(before?.first ?? stretch.first, after?.last ?? stretch.last, after?.hash ?? stretch.hash);
  }
}

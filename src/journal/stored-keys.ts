import type { Database } from 'better-sqlite3';
import { KeyList } from './key-list.ts';

const KEY_BYTES = 16;
/** Bytes read at once. */
const PIECE = 1_024 * KEY_BYTES;

/**
 * All content keys a journal remembers, oldest first, 16 bytes each. Every piece lies in the same buffer; the journal may
 * be written between two of them. As hex, because small strings are collected as they come, while a million keys as
 * Buffers would leave the process 16 MB larger for good.
 */
export function* storedKeys(db: Database): Generator<Uint8Array, void, void> {
  const scratch = Buffer.alloc(PIECE);
  const next = db.prepare('SELECT last, length(keys) AS bytes FROM key_runs WHERE last > ? ORDER BY last LIMIT 1');
  const piece = db.prepare(`SELECT hex(substr(keys, ?, ${PIECE})) FROM key_runs WHERE last = ?`).pluck();
  let after = 0;
  for (;;) {
    const run = next.get(after) as { last: number; bytes: number } | undefined;
    if (run === undefined) break;
    for (let at = 0; at < run.bytes; at += PIECE) {
      // A run may be dropped meanwhile for being too old.
      yield scratch.subarray(0, scratch.write((piece.get(at + 1, run.last) ?? '') as string, 'hex'));
    }
    after = run.last;
  }
  const rest = new KeyList();
  eachKeySince(db, after, (key) => rest.push(key));
  yield rest.bytes();
}

/** Hands over the keys of the entries after `seq`, one at a time in one buffer. */
export function eachKeySince(db: Database, seq: number, take: (key: Uint8Array) => void): void {
  const scratch = Buffer.alloc(KEY_BYTES);
  const keys = db.prepare('SELECT hex(key) FROM entries WHERE seq > ? AND key IS NOT NULL ORDER BY seq').pluck();
  for (const key of keys.iterate(seq)) {
    scratch.write(key as string, 'hex');
    take(scratch);
  }
}

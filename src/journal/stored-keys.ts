import type { Database } from 'better-sqlite3';
import { KeyList } from './key-list.ts';

const KEY_BYTES = 16;
/** Bytes read at once. */
const PIECE = 1_024 * KEY_BYTES;

/**
 * All content keys a journal remembers, oldest first, 16 bytes each; a piece is valid until the next. The journal may be
 * written between two of them. As hex, because small strings are collected as they come, while a million keys as Buffers
 * would leave the process 16 MB larger for good.
 * @throws whatever the first run that cannot be read threw, after all that can be has been handed over
 */
export function* storedKeys(db: Database): Generator<Uint8Array, void, void> {
  const scratch = Buffer.alloc(PIECE);
  const next = db.prepare('SELECT last, length(keys) AS bytes FROM key_runs WHERE last > ? ORDER BY last LIMIT 1');
  const piece = db.prepare(`SELECT hex(substr(keys, ?, ${PIECE})) FROM key_runs WHERE last = ?`).pluck();
  let failure: { thrown: unknown } | null = null;
  let after = 0;
  for (;;) {
    const run = next.get(after) as { last: number; bytes: number } | undefined;
    if (run === undefined) break;
    for (let at = 0; at < run.bytes; at += PIECE) {
      let keys: string;
      try {
        // A run may be dropped meanwhile for being too old.
        keys = (piece.get(at + 1, run.last) ?? '') as string;
      } catch (thrown) {
        failure ??= { thrown };
        break;
      }
      yield scratch.subarray(0, scratch.write(keys, 'hex'));
    }
    after = run.last;
  }
  const rest = new KeyList();
  eachKeySince(db, after, (key) => rest.push(key));
  yield rest.bytes();
  if (failure !== null) throw failure.thrown;
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

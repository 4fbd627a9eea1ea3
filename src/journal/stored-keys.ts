import type { Database } from 'better-sqlite3';

const KEY_BYTES = 16;
/** Bytes read at once. */
const PIECE = 1_024 * KEY_BYTES;

/**
 * Hands over all content keys a journal remembers, oldest first, piece by piece in one buffer that is used again. As
 * hex, because small strings are collected as they come, while a million keys as Buffers would leave the process 16 MB
 * larger for good.
 */
export function eachStoredKeys(db: Database, take: (keys: Uint8Array) => void): void {
  const scratch = Buffer.alloc(PIECE);
  const runs = db.prepare('SELECT last, length(keys) AS bytes FROM key_runs ORDER BY last').all() as {
    last: number;
    bytes: number;
  }[];
  const piece = db.prepare(`SELECT hex(substr(keys, ?, ${PIECE})) FROM key_runs WHERE last = ?`).pluck();
  for (const { last, bytes } of runs) {
    for (let at = 0; at < bytes; at += PIECE) {
      take(scratch.subarray(0, scratch.write(piece.get(at + 1, last) as string, 'hex')));
    }
  }
  eachKeySince(db, runs.at(-1)?.last ?? 0, take);
}

/** The same for the entries after `seq`, one key at a time. */
export function eachKeySince(db: Database, seq: number, take: (key: Uint8Array) => void): void {
  const scratch = Buffer.alloc(KEY_BYTES);
  const keys = db.prepare('SELECT hex(key) FROM entries WHERE seq > ? AND key IS NOT NULL ORDER BY seq').pluck();
  for (const key of keys.iterate(seq)) {
    scratch.write(key as string, 'hex');
    take(scratch);
  }
}

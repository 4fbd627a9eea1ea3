import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { contentKey } from '../../src/journal/journal.ts';
import { SeenKeys } from '../../src/journal/seen.ts';
import { RUN_ENTRIES } from '../../src/journal/summaries.ts';
import { dataDir } from '../support/data-dir.ts';
import { draft, open } from './support.ts';

const keyOf = (n: number): Buffer => createHash('sha256').update(String(n)).digest().subarray(0, 16);

test('knows what was added and nothing else, in any order', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer(), { maxLength: 4_000, minLength: 1 }), (numbers) => {
      const seen = new SeenKeys(1_000_000);
      const half = numbers.length >> 1;
      for (const n of numbers.slice(0, half)) seen.add(keyOf(n));
      for (const n of numbers.slice(0, half)) expect(seen.has(keyOf(n))).toBe(true);
      for (const n of numbers.slice(half)) expect(seen.has(keyOf(n))).toBe(false);
      expect(seen.size).toBe(half);
    }),
    { numRuns: 20 },
  );
});

test('keys of one repeated byte, or that differ in one bit, are told apart', () => {
  const seen = new SeenKeys(1_000);
  for (let n = 0; n < 256; n += 1) seen.add(Buffer.alloc(16, n));
  expect(seen.size).toBe(256);
  for (let bit = 0; bit < 128; bit += 1) {
    const key = Buffer.alloc(16, 7);
    key.writeUInt8((key[bit >> 3] as number) ^ (1 << (bit & 7)), bit >> 3);
    expect(seen.has(key)).toBe(false);
  }
});

test('remembers the newest million in at most 16 MB, and forgets the oldest', { timeout: 60_000 }, () => {
  const seen = new SeenKeys(1_000_000);
  expect(seen.bytes).toBeLessThan(64 * 1024);
  const run = Buffer.alloc(16 * 10_000);
  const total = 1_400_000;
  const key = (n: number) => {
    const bytes = Buffer.alloc(16);
    bytes.writeBigUInt64LE((BigInt(n) * 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn, 0);
    bytes.writeUInt32LE(n, 8);
    return bytes;
  };
  for (let n = 0; n < total; n += 10_000) {
    for (let i = 0; i < 10_000; i += 1) key(n + i).copy(run, i * 16);
    seen.addRun(run);
  }
  expect(seen.bytes).toBeLessThanOrEqual(16 * 1024 * 1024);
  expect(seen.size).toBeGreaterThanOrEqual(1_000_000);
  for (let n = total - 1_000_000; n < total; n += 997) expect(seen.has(key(n))).toBe(true);
  expect(seen.has(key(0))).toBe(false);
  expect(seen.has(key(total))).toBe(false);
});

test('survives restarts across runs, also of entries that have been removed', { timeout: 60_000 }, async () => {
  const dir = dataDir();
  const total = RUN_ENTRIES + 5_000;
  const first = await open(dir);
  for (let n = 0; n < total; n += 1_000) {
    await first.append(
      Array.from({ length: 1_000 }, (_, i) => draft({ key: contentKey('d', String(n + i)), body: 0 })),
    );
  }
  expect(first.select<{ n: number }>('SELECT count(*) AS n FROM key_runs')).toEqual([{ n: 1 }]);
  const head = first.head();
  await first.remove(Array.from({ length: 3_000 }, (_, n) => n + 1));
  await first.remove(Array.from({ length: 100 }, (_, n) => head - 99 + n));
  await first.close();
  const second = await open(dir);
  for (let n = 0; n < head; n += 1) expect(second.seen(contentKey('d', String(n)))).toBe(true);
  expect(second.seen(contentKey('d', String(head)))).toBe(false);
});

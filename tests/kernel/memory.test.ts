import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { BurstWatch } from '../../src/kernel/memory.ts';
import { program } from '../support/programs.ts';

test('what a burst left behind is given back when the event loop is idle, and not before', () => {
  const said = execFileSync(process.execPath, [program('kernel/burst')], { encoding: 'utf8' });
  const { burst, busy, quiet } = JSON.parse(said) as { burst: number; busy: number; quiet: number };
  expect(burst).toBeGreaterThan(30);
  expect(busy).toBeGreaterThanOrEqual(burst);
  expect(quiet).toBeLessThan(burst / 2);
});

const MB = 1024 * 1024;

/** @returns how many looks at an idle event loop it takes until it is time; `null` when it is not within a minute */
function looksUntilTime(watch: BurstWatch, heap: number): number | null {
  for (let n = 1; n <= 120; n += 1) if (watch.look(0.02, heap)) return n;
  return null;
}

/** What a start left behind has been given back. */
function started(): BurstWatch {
  const watch = new BurstWatch();
  expect(looksUntilTime(watch, 50 * MB)).toBe(1);
  watch.collected(35 * MB);
  return watch;
}

test('what a start leaves behind is given back at the first calm look', () => {
  const watch = new BurstWatch();
  for (let n = 0; n < 5; n += 1) expect(watch.look(0.9, 60 * MB)).toBe(false);
  expect(watch.look(0.05, 60 * MB)).toBe(true);
});

test('a burst is over after ten seconds of calm, counted anew after every wave', () => {
  const watch = started();
  expect(watch.look(0.9, 90 * MB)).toBe(false);
  for (let n = 0; n < 19; n += 1) expect(watch.look(0.02, 90 * MB)).toBe(false);
  expect(watch.look(0.9, 95 * MB)).toBe(false);
  expect(looksUntilTime(watch, 95 * MB)).toBe(20);
});

test('ordinary work does not put it off, and is not kept waiting', () => {
  const watch = started();
  expect(watch.look(0.9, 90 * MB)).toBe(false);
  // A compound with cameras: hardly ever ten seconds without something to do.
  for (let n = 0; n < 40; n += 1) expect(watch.look(0.3, 90 * MB)).toBe(false);
  expect(watch.look(0.05, 90 * MB)).toBe(true);
});

test('what is little is not worth the pause, and what has been given back is not given back again', () => {
  const watch = started();
  expect(looksUntilTime(watch, 50 * MB)).toBeNull();
  expect(watch.look(0.02, 51 * MB)).toBe(true);
  watch.collected(36 * MB);
  expect(looksUntilTime(watch, 40 * MB)).toBeNull();
});

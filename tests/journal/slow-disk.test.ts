import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dataDir } from '../support/data-dir.ts';
import { program } from '../support/programs.ts';
import { FIXTURES, verified } from './support.ts';

const FSYNC_MS = 100;

function canCompile(): boolean {
  const there = spawnSync('gcc', ['--version']).status === 0;
  if (!there && process.env['CI'] === 'true') throw new Error('the test of a slow disk needs gcc');
  if (!there) console.warn('skipped: the test of a slow disk needs gcc');
  return there;
}

function compiled(): string {
  const shim = join(dataDir(), 'slow-fsync.so');
  execFileSync('gcc', ['-shared', '-fPIC', '-O1', '-o', shim, join(FIXTURES, 'slow-fsync.c'), '-ldl']);
  return shim;
}

describe.runIf(canCompile())('a slow disk', () => {
  test('makes appending slow, and leaves the event loop alone', () => {
    const dir = dataDir();
    const said = execFileSync(process.execPath, [program('journal/fixtures/lag'), dir], {
      env: { ...process.env, LD_PRELOAD: compiled(), QUANWEI_FSYNC_MS: String(FSYNC_MS) },
      encoding: 'utf8',
    });
    const { appendMs, lagMs, entries } = JSON.parse(said) as { appendMs: number; lagMs: number; entries: number };
    // The shim does its work: without it an append takes a fraction of a millisecond.
    expect(appendMs).toBeGreaterThanOrEqual(FSYNC_MS);
    expect(lagMs).toBeLessThan(FSYNC_MS / 2);
    expect(verified(dir)).toMatchObject({ entries, broken: null });
  });

  test('that has one hitch keeps nobody waiting for the thread that is started because of it', () => {
    const said = execFileSync(process.execPath, [program('journal/fixtures/hitch'), dataDir()], {
      env: { ...process.env, LD_PRELOAD: compiled() },
      encoding: 'utf8',
    });
    expect(JSON.parse(said)).toEqual({ here: true });
  });
});

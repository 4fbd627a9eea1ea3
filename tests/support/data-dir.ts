import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A new directory for one test, removed after it. */
export const dataDir = (): string => makeIn(tmpdir());

/** The same in memory, where there is room in it: for whom a disk makes no difference but that it is waited for. */
export const memoryDir = (): string => makeIn(MEMORY);

export const MEMORY = ((): string => {
  try {
    accessSync('/dev/shm', constants.W_OK);
    return '/dev/shm';
  } catch {
    return tmpdir();
  }
})();

function makeIn(place: string): string {
  const dir = mkdtempSync(join(place, 'quanwei-test-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

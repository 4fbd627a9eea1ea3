import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Gives a file its whole text or leaves it as it was, also through a power cut: written beside it, brought to the disk,
 * renamed, and the renaming brought to the disk as well. Its directory is made, for the owner only, when it is not there.
 * @param mode of the file, such as 0o600
 * @throws what the file system says; nothing is left over
 */
export function writeDurably(file: string, text: string, mode: number): void {
  const made = mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  if (made !== undefined) syncDirectory(dirname(made));
  const beside = `${file}.new`;
  // What a power cut left may have another mode.
  rmSync(beside, { force: true });
  try {
    const handle = openSync(beside, 'wx', mode);
    try {
      writeFileSync(handle, text);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(beside, file);
  } catch (thrown) {
    rmSync(beside, { force: true });
    throw thrown;
  }
  syncDirectory(dirname(file));
}

/** Makes a rename or a new file in `dir` survive a power cut. */
export function syncDirectory(dir: string): void {
  const handle = openSync(dir, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

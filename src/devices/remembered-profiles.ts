import { hash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ProfileDefinition } from './profile.ts';

/** Where the build leaves what it read; beside a program that was not built there is nothing. */
const DIRECTORY = fileURLToPath(new URL('../made/profiles', import.meta.url));

/** What a profile was read as, once it had been found to be right. */
export interface RememberedProfile {
  /** SHA-256 of the file, hex */
  readonly digest: string;
  readonly definition: ProfileDefinition;
}

export const digestOf = (bytes: Buffer): string => hash('sha256', bytes, 'hex');

/** @param file of the profile @param directory the build's */
export const rememberedFile = (file: string, directory: string = DIRECTORY): string =>
  join(directory, `${basename(file, '.yaml')}.json`);

/**
 * A profile that came with the program, as the build read it: reading YAML takes 10–50 ms a profile on a small box, at
 * every start. `null` when it is another one, or was changed since.
 */
export function remembered(file: string, bytes: Buffer, directory: string = DIRECTORY): ProfileDefinition | null {
  const found = rememberedFile(file, directory);
  if (!existsSync(found)) return null;
  // Written by the build of this very program, as far from a stranger's hands as the program itself.
  const { digest, definition } = JSON.parse(readFileSync(found, 'utf8')) as RememberedProfile;
  return digest === digestOf(bytes) ? definition : null;
}

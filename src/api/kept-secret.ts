import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurably } from '../kernel/durable-file.ts';
import { messageOf, QuanweiError } from '../kernel/errors.ts';

/**
 * Secrets that people typed into the page: each a file of its own in `keys/` of the data directory that only the
 * gateway's user reads. The database knows their names alone, so that a backup or a copy of it opens nothing.
 */
const NAME = /^page-[0-9a-f]{16}$/;

const fileOf = (data: string, name: string): string => join(data, 'keys', name);

/** Whole and on disk, or not at all. @returns the name to find it by @throws QuanweiError STORAGE_UNAVAILABLE */
export function keepSecret(data: string, secret: string): string {
  const name = `page-${randomBytes(8).toString('hex')}`;
  try {
    writeDurably(fileOf(data, name), secret, 0o600);
    return name;
  } catch (thrown) {
    throw new QuanweiError('STORAGE_UNAVAILABLE', `密码无法保存 · the password cannot be kept: ${messageOf(thrown)}`, {
      where: join(data, 'keys'),
      cause: thrown,
    });
  }
}

/** @returns `null` when it is not there: a backup of another box */
export function readSecret(data: string, name: string): string | null {
  const file = fileOf(data, name);
  return NAME.test(name) && existsSync(file) ? readFileSync(file, 'utf8') : null;
}

export function dropSecret(data: string, name: string): void {
  if (NAME.test(name)) rmSync(fileOf(data, name), { force: true });
}

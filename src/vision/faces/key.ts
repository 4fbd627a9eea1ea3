import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { syncDirectory } from '../../kernel/durable-file.ts';
import { messageOf, QuanweiError } from '../../kernel/errors.ts';

/** Bytes of an AES-256 key. */
const LENGTH = 32;

/**
 * The key of the face templates: a file of 64 hexadecimal digits that only its owner may read, apart from the gallery (another
 * disk, a systemd credential), so that a stolen database or backup is worth nothing.
 * @param make whether a missing one is made; never where templates are already sealed with the lost one
 * @throws QuanweiError NOT_FOUND, BAD_CONFIG
 */
export function faceKey(file: string, make: boolean): Buffer {
  if (!existsSync(file)) {
    if (!make) {
      throw new QuanweiError('NOT_FOUND', 'the key of the face templates is missing', {
        where: file,
        hint: 'put it back, or name its place as vision.faceKey; without it nobody can be recognised',
      });
    }
    create(file);
  }
  let text: string;
  try {
    if ((statSync(file).mode & 0o077) !== 0) {
      throw new QuanweiError('BAD_CONFIG', 'others may read the key of the face templates', {
        where: file,
        hint: `chmod 600 ${file}`,
      });
    }
    text = readFileSync(file, 'utf8').trim();
  } catch (cause) {
    if (cause instanceof QuanweiError) throw cause;
    throw new QuanweiError('BAD_CONFIG', `the key of the face templates cannot be read: ${messageOf(cause)}`, {
      where: file,
      cause,
    });
  }
  if (!/^[0-9a-f]{64}$/i.test(text)) {
    throw new QuanweiError('BAD_CONFIG', 'this is no key of face templates', {
      where: file,
      hint: `${LENGTH * 2} hexadecimal digits; openssl rand -hex ${LENGTH}`,
    });
  }
  return Buffer.from(text, 'hex');
}

/** Appears whole or not at all, and only once: two that make it at the same time end with one key. */
function create(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const fresh = `${file}.${process.pid}.new`;
  const handle = openSync(fresh, 'wx', 0o600);
  try {
    writeSync(handle, `${randomBytes(LENGTH).toString('hex')}\n`);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  try {
    linkSync(fresh, file);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
  } finally {
    unlinkSync(fresh);
  }
  // Without it every template is lost, so neither may its name be.
  syncDirectory(dirname(file));
}

import { createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GatewayConfig } from '../config/schema.ts';
import { writeDurably } from '../kernel/durable-file.ts';
import { messageOf, QuanweiError } from '../kernel/errors.ts';

/** Name of the file below `DATA/keys`, and of the systemd credential made from it. */
const FILE = 'vision.secret';
const BYTES = 24;

export const visionSecretFile = (data: string): string => join(data, 'keys', FILE);

/**
 * The MQTT password of the vision process, for the gateway: what the configuration says, else what was made on an
 * earlier start, else one that is made now and kept (0600) for the vision process of this box.
 * @throws QuanweiError BAD_CONFIG when the file cannot be read or made
 */
export function ensureVisionSecret({ vision, data }: Pick<GatewayConfig, 'vision' | 'data'>): string {
  if (vision.secret !== undefined) return vision.secret;
  const file = visionSecretFile(data);
  try {
    const kept = keptIn(file);
    if (kept !== null) return kept;
    const secret = randomBytes(BYTES).toString('base64url');
    writeDurably(file, `${secret}\n`, 0o600);
    return secret;
  } catch (cause) {
    throw new QuanweiError('BAD_CONFIG', `the vision process’s secret cannot be kept: ${messageOf(cause)}`, {
      where: file,
      hint: 'check the owner of the data directory, or give vision.secret',
      cause,
    });
  }
}

/**
 * The same, for the vision process, which makes none: systemd's credential comes before the gateway's file, which that
 * process may not be able to read.
 * @throws QuanweiError BAD_CONFIG when there is none
 */
export function findVisionSecret(
  { vision, data }: Pick<GatewayConfig, 'vision' | 'data'>,
  credentials = process.env['CREDENTIALS_DIRECTORY'],
): string {
  if (vision.secret !== undefined) return vision.secret;
  const files = [...(credentials === undefined ? [] : [join(credentials, FILE)]), visionSecretFile(data)];
  for (const file of files) {
    const kept = keptIn(file);
    if (kept !== null) return kept;
  }
  throw new QuanweiError('BAD_CONFIG', 'the vision process has no secret to log in with', {
    where: files.join(', '),
    hint: 'start the gateway of this box first: it makes one; on another box give vision.secret and vision.broker',
  });
}

function keptIn(file: string): string | null {
  try {
    const text = readFileSync(file, 'utf8').trim();
    return text.length >= 8 ? text : null;
  } catch (thrown) {
    // One that may not be read is none for us, as one that is not there.
    if (thrown instanceof Error && 'code' in thrown && (thrown.code === 'ENOENT' || thrown.code === 'EACCES')) {
      return null;
    }
    throw thrown;
  }
}

/** What the gateway shows the vision process's HTTP listener; whoever sees it does not learn the MQTT password. */
export const visionToken = (secret: string): string =>
  createHmac('sha256', secret).update('quanwei vision http 1').digest('base64url');

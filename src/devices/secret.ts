import { randomBytes, randomInt, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';

/**
 * RFC 7914. A person's password is short and typed seldom: 32 MiB, some 80 ms on a small box. A device's secret is long
 * and random, and after a power cut two thousand of them are to be checked at once: 4 MiB, some 10 ms.
 */
const COSTS = { person: { N: 32_768, r: 8, p: 1 }, device: { N: 4_096, r: 8, p: 1 } } as const;
export type SecretKind = keyof typeof COSTS;
const KEY_BYTES = 32;

/** `scrypt$N$r$p$SALT$KEY`, base64url; says by itself what it costs to check. @param of whose secret it is */
export async function hashSecret(secret: string, of: SecretKind = 'person'): Promise<string> {
  const salt = randomBytes(16);
  const cost = COSTS[of];
  const key = await derive(secret, salt, KEY_BYTES, cost);
  return ['scrypt', cost.N, cost.r, cost.p, salt.toString('base64url'), key.toString('base64url')].join('$');
}

/** Without 0/O, 1/l/I and the like: it is read off a page and typed on a door terminal with gloves on. */
const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789';
const GROUPS = 5;
const GROUP = 4;

/** A secret for a device, 99 bits: `x7pw-3mkd-…`. Letters, digits and dashes only, as device pages accept no more. */
export function generateSecret(): string {
  const group = (): string => Array.from({ length: GROUP }, () => LETTERS[randomInt(LETTERS.length)]).join('');
  return Array.from({ length: GROUPS }, group).join('-');
}

/** Takes the same time whether it is right or wrong; `false` for a hash of another form. */
export async function checkSecret(secret: string, hash: string): Promise<boolean> {
  const match = /^scrypt\$(\d{1,7})\$(\d{1,2})\$(\d{1,2})\$([\w-]+)\$([\w-]+)$/.exec(hash);
  if (match === null) return false;
  const [, N, r, p, salt, key] = match;
  const wanted = Buffer.from(key ?? '', 'base64url');
  const got = await derive(secret, Buffer.from(salt ?? '', 'base64url'), wanted.length, {
    N: Number(N),
    r: Number(r),
    p: Number(p),
  });
  return timingSafeEqual(got, wanted);
}

function derive(secret: string, salt: Buffer, length: number, cost: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(secret, salt, length, { ...cost, maxmem: 256 * 1024 * 1024 }, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';

/** RFC 7914; 16 MiB and some 40 ms on a small box. */
const COST = { N: 16_384, r: 8, p: 1 };
const KEY_BYTES = 32;

/** `scrypt$N$r$p$SALT$KEY`, base64url. */
export async function hashSecret(secret: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(secret, salt, KEY_BYTES, COST);
  return ['scrypt', COST.N, COST.r, COST.p, salt.toString('base64url'), key.toString('base64url')].join('$');
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

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** Of the form below. */
const VERSION = 1;
const NONCE = 12;
const TAG = 16;

/** Where a template belongs; sealed in, so that a row moved to another person opens as nobody's. */
export interface Belongs {
  readonly person: string;
  /** Number of the template among the person's. */
  readonly n: number;
  readonly model: string;
}

const context = ({ person, n, model }: Belongs): Buffer =>
  Buffer.from(JSON.stringify(['quanwei-face', VERSION, person, n, model]), 'utf8');

/**
 * AES-256-GCM (NIST SP 800-38D): version, 96-bit nonce, ciphertext, 128-bit tag. Nonces are random: 2³² templates a key.
 * @param embedding of length 1; little-endian 32-bit floats inside
 */
export function seal(key: Buffer, embedding: Float32Array, belongs: Belongs): Buffer {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(context(belongs));
  const plain = Buffer.from(embedding.buffer, embedding.byteOffset, embedding.byteLength);
  return Buffer.concat([Buffer.of(VERSION), nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** @returns `null` when the key is another one, or anything of the row was changed */
export function unseal(key: Buffer, sealed: Uint8Array, belongs: Belongs): Float32Array | null {
  if (sealed.length <= 1 + NONCE + TAG || sealed[0] !== VERSION) return null;
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, 1 + NONCE), { authTagLength: TAG });
  decipher.setAAD(context(belongs));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG));
  let plain: Buffer;
  try {
    plain = Buffer.concat([decipher.update(sealed.subarray(1 + NONCE, sealed.length - TAG)), decipher.final()]);
  } catch {
    // What GCM has to say is yes or no.
    return null;
  }
  if (plain.length % 4 !== 0) return null;
  const embedding = new Float32Array(plain.length / 4);
  Buffer.from(embedding.buffer).set(plain);
  plain.fill(0);
  return embedding;
}

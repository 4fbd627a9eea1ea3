import { hash } from 'node:crypto';
import type { ClockState } from '../kernel/clock.ts';

/** What stands before the first entry. */
export const GENESIS: Buffer = Buffer.alloc(32);

/** The fields of an entry that the chain covers besides its body. */
export interface Header {
  readonly seq: number;
  /** uuid text */
  readonly id: string;
  readonly kind: string;
  readonly actor: string;
  readonly subject: string | null;
  readonly wall: number;
  readonly boot: string;
  readonly mono: number;
  readonly clock: ClockState;
  readonly deviceTime: number | null;
  readonly lane: number | null;
  /** content key in hex */
  readonly key: string | null;
}

/** What is hashed is put together here. */
const scratch = Buffer.alloc(4_096);

/** @param body its JSON, or that in UTF-8 */
export const bodyHash = (body: string | Buffer): Buffer => sha256(body);

/** By way of text: a hash given as a Buffer has memory of its own outside the heap, which costs more than the hash itself. */
const sha256 = (what: string | Buffer): Buffer => Buffer.from(hash('sha256', what, 'binary'), 'latin1');

/**
 * Link of an entry: SHA-256 over the link before it (32 bytes), the header as a JSON array in the order of `Header`
 * (UTF-8, no spaces), and the SHA-256 of the body's text (32 bytes). Over the body's hash and not the body, so that a
 * body can be erased and the chain still verifies.
 */
export function link(before: Buffer, h: Header, body: Buffer): Buffer {
  const header = JSON.stringify([
    h.seq,
    h.id,
    h.kind,
    h.actor,
    h.subject,
    h.wall,
    h.boot,
    h.mono,
    h.clock,
    h.deviceTime,
    h.lane,
    h.key,
  ]);
  const end = 32 + Buffer.byteLength(header);
  const bytes = end + 32 <= scratch.length ? scratch : Buffer.allocUnsafe(end + 32);
  before.copy(bytes, 0);
  bytes.write(header, 32, 'utf8');
  body.copy(bytes, end);
  return sha256(bytes.subarray(0, end + 32));
}

/** `xxxxxxxx-xxxx-…` ↔ its 16 bytes. */
export const uuidBytes = (id: string): Buffer => Buffer.from(id.replaceAll('-', ''), 'hex');

export function uuidText(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

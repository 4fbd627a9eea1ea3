import type { ClockState } from '../kernel/clock.ts';
import { type ErrorCode, messageOf, QuanweiError } from '../kernel/errors.ts';
import type { Header } from './chain.ts';

/** An entry on its way to the writer: all of it but its place and the boot it belongs to. */
export interface WireEntry {
  readonly head: Omit<Header, 'seq' | 'boot' | 'key'>;
  /** content key in hex */
  readonly key: string | null;
  /** JSON: as text, or as UTF-8 once it has crossed to the writer's thread; nothing here once it has been sent there */
  body: string | Buffer;
}

export interface WireChange {
  readonly sql: string;
  readonly params: readonly (string | number | bigint | Uint8Array | null)[];
}

/** One caller's wish: all of it or nothing. */
export interface WireRequest {
  readonly n: number;
  readonly entries: readonly WireEntry[];
  readonly changes: readonly WireChange[];
  /** entries whose bodies go; their hashes stay */
  readonly erase: readonly number[];
  /** entries that go altogether, ascending; an anchor stays for each stretch */
  readonly remove: readonly number[];
}

export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly where: string | undefined;
  readonly hint: string | undefined;
}

/** `first` is the seq of the request's first entry (the others follow it); 0 when it had none. */
export type WireOutcome =
  | { readonly n: number; readonly first: number }
  | { readonly n: number; readonly error: WireError };

/** A request with its entries laid end to end: to clone one flat list costs a third of cloning as many objects. */
interface PackedRequest extends Omit<WireRequest, 'entries'> {
  readonly packed: readonly Packed[];
}
type Packed = string | number | null;

const FIELDS = 11;

/** Requests as they cross to the writer's thread. */
export interface Parcel {
  readonly type: 'requests';
  readonly requests: readonly PackedRequest[];
  /** The bodies of all entries, one behind the other. */
  readonly bodies: ArrayBuffer;
}

/** Room for the bodies of a parcel, bytes: kept for the next one, unless it has become too large to be kept. */
const ROOM = { first: 256 * 1024, kept: 4 * 1024 * 1024 };

/** Makes parcels. Bodies become bytes here, once: as text each would be copied, and made bytes again for its hash and its row. */
export class Packer {
  #room: Buffer = Buffer.alloc(0);
  #used = 0;

  /** Takes the bodies out of the entries: kept until the commit, every collection of garbage would copy them. */
  pack(requests: readonly WireRequest[]): Parcel {
    this.#used = 0;
    const packed = requests.map(({ entries, ...rest }): PackedRequest => ({ ...rest, packed: this.#lay(entries) }));
    const bodies = new ArrayBuffer(this.#used);
    this.#room.copy(new Uint8Array(bodies), 0, 0, this.#used);
    if (this.#room.length > ROOM.kept) this.#room = Buffer.alloc(0);
    return { type: 'requests', requests: packed, bodies };
  }

  #lay(entries: readonly WireEntry[]): Packed[] {
    const fields: Packed[] = [];
    for (const entry of entries) {
      const { id, kind, actor, subject, wall, mono, clock, deviceTime, lane } = entry.head;
      fields.push(id, kind, actor, subject, wall, mono, clock, deviceTime, lane, entry.key, this.#put(entry.body));
      entry.body = '';
    }
    return fields;
  }

  /** @returns bytes it takes */
  #put(body: string | Buffer): number {
    const most = this.#used + body.length * 3;
    if (most > this.#room.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(ROOM.first, most * 2));
      this.#room.copy(larger, 0, 0, this.#used);
      this.#room = larger;
    }
    const bytes = typeof body === 'string' ? this.#room.write(body, this.#used) : body.copy(this.#room, this.#used);
    this.#used += bytes;
    return bytes;
  }
}

export function unpack({ requests, bodies }: Parcel): WireRequest[] {
  let at = 0;
  return requests.map(({ packed, ...rest }) => {
    const entries: WireEntry[] = [];
    for (let i = 0; i < packed.length; i += FIELDS) {
      const bytes = packed[i + 10] as number;
      entries.push({
        head: {
          id: packed[i] as string,
          kind: packed[i + 1] as string,
          actor: packed[i + 2] as string,
          subject: packed[i + 3] as string | null,
          wall: packed[i + 4] as number,
          mono: packed[i + 5] as number,
          clock: packed[i + 6] as ClockState,
          deviceTime: packed[i + 7] as number | null,
          lane: packed[i + 8] as number | null,
        },
        key: packed[i + 9] as string | null,
        body: Buffer.from(bodies, at, bytes),
      });
      at += bytes;
    }
    return { ...rest, entries };
  });
}

export type ToWriter =
  | Parcel
  /** Commit what came before, and let go of the database: the main thread writes from here on. */
  | { readonly type: 'release' }
  /** Record the orderly end of the process, and end. */
  | { readonly type: 'close'; readonly wall: number }
  /** Of no more use. */
  | { readonly type: 'end' };

export type FromWriter =
  | { readonly type: 'ready' }
  /** One commit, or one that failed for all. */
  | {
      readonly type: 'commit';
      readonly head: number;
      readonly outcomes: readonly WireOutcome[];
      readonly failure: WireError | null;
      readonly ms: number;
    }
  | { readonly type: 'released' }
  | { readonly type: 'closed' };

/** What the writer's thread is started with. */
export interface WriterSetup {
  readonly file: string;
  readonly boot: string;
}

export const wireError = (thrown: unknown, fallback: ErrorCode): WireError =>
  thrown instanceof QuanweiError
    ? { code: thrown.code, message: thrown.message, where: thrown.where, hint: thrown.hint }
    : { code: fallback, message: messageOf(thrown), where: undefined, hint: undefined };

export const errorOf = (wire: WireError): QuanweiError =>
  new QuanweiError(wire.code, wire.message, {
    ...(wire.where === undefined ? {} : { where: wire.where }),
    ...(wire.hint === undefined ? {} : { hint: wire.hint }),
  });

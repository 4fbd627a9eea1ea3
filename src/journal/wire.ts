import { type ErrorCode, messageOf, QuanweiError } from '../kernel/errors.ts';

/** What travels between the main thread and the writer's. Bytes go as hex: a cloned Buffer would drag its pool along. */
export interface WireEntry {
  readonly id: string;
  readonly kind: string;
  readonly actor: string;
  readonly subject: string | null;
  readonly wall: number;
  readonly mono: number;
  readonly synced: boolean;
  readonly deviceTime: number | null;
  readonly lane: number | null;
  readonly key: string | null;
  readonly body: string;
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
export interface PackedRequest extends Omit<WireRequest, 'entries'> {
  readonly packed: readonly Packed[];
}
type Packed = string | number | boolean | null;

const FIELDS = 11;

export function pack({ entries, ...rest }: WireRequest): PackedRequest {
  const packed: Packed[] = [];
  for (const e of entries) {
    packed.push(e.id, e.kind, e.actor, e.subject, e.wall, e.mono, e.synced, e.deviceTime, e.lane, e.key, e.body);
  }
  return { ...rest, packed };
}

export function unpack({ packed, ...rest }: PackedRequest): WireRequest {
  const entries: WireEntry[] = [];
  for (let at = 0; at < packed.length; at += FIELDS) {
    entries.push({
      id: packed[at] as string,
      kind: packed[at + 1] as string,
      actor: packed[at + 2] as string,
      subject: packed[at + 3] as string | null,
      wall: packed[at + 4] as number,
      mono: packed[at + 5] as number,
      synced: packed[at + 6] as boolean,
      deviceTime: packed[at + 7] as number | null,
      lane: packed[at + 8] as number | null,
      key: packed[at + 9] as string | null,
      body: packed[at + 10] as string,
    });
  }
  return { ...rest, entries };
}

export type ToWriter =
  | { readonly type: 'requests'; readonly requests: readonly PackedRequest[] }
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

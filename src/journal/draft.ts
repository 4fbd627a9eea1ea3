import type { Clock } from '../kernel/clock.ts';
import { invariant, QuanweiError } from '../kernel/errors.ts';
import type { NewId } from '../kernel/ids.ts';
import type { Draft, Entry } from './entry.ts';
import type { WireEntry } from './wire.ts';

/** Characters of a body's JSON at most. */
const LARGEST_BODY = 256 * 1024;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A draft with its time, id and text: all of an entry but its place. */
export interface Stamped {
  /** Its `seq` is 0 until the writer has told it. */
  readonly entry: { -readonly [K in 'seq']: Entry[K] } & Omit<Entry, 'seq'>;
  readonly wire: WireEntry;
  readonly key: Buffer | null;
}

/** @throws QuanweiError BAD_REQUEST for a body that is too large or no JSON, INVARIANT for a malformed id or key */
export function stamp(draft: Draft, clock: Clock, newId: NewId): Stamped {
  const { kind, actor, subject, deviceTime = null, lane = null, key = null } = draft;
  if (draft.id !== undefined && !UUID.test(draft.id)) invariant(false, `an entry's id must be a UUID, not ${draft.id}`);
  const id = draft.id ?? newId();
  invariant(key === null || key.length === 16, 'a content key has 16 bytes');
  const text = textOf(draft);
  const wall = Math.round(clock.wall());
  const mono = Math.round(clock.mono());
  const state = clock.state();
  const synced = state === 'synced';
  const time = deviceTime === null ? null : Math.round(deviceTime);
  const { boot } = clock;
  const body = draft.body ?? null;
  const hex = key === null ? null : key.toString('hex');
  // Spelled out field by field: this runs for every message, and a spread costs more than all the rest here.
  return {
    entry: { seq: 0, id, kind, actor, subject, wall, boot, mono, clock: state, deviceTime: time, lane, body },
    wire: { id, kind, actor, subject, wall, mono, synced, deviceTime: time, lane, key: hex, body: text },
    key,
  };
}

function textOf(draft: Draft): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(draft.body ?? null);
  } catch (thrown) {
    throw new QuanweiError('BAD_REQUEST', 'the body of an entry cannot be written as JSON', { cause: thrown });
  }
  if (text === undefined || text.length > LARGEST_BODY) {
    throw new QuanweiError('BAD_REQUEST', `the body of an entry has ${text?.length ?? 0} characters`, {
      where: draft.kind,
      hint: `at most ${LARGEST_BODY}`,
    });
  }
  return text;
}

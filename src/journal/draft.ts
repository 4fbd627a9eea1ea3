import type { Clock } from '../kernel/clock.ts';
import { invariant, QuanweiError } from '../kernel/errors.ts';
import type { NewId } from '../kernel/ids.ts';
import type { Draft, Entry } from './entry.ts';
import type { WireEntry } from './wire.ts';

/** Characters of a body's JSON at most. */
const LARGEST_BODY = 256 * 1024;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const KEY = /^[0-9a-f]{32}$/;

/** A draft with its time, id and text: all of an entry but its place. */
export interface Stamped extends WireEntry {
  /** Its `seq` is 0 until the writer has told it. */
  readonly head: { -readonly [K in 'seq']: Entry[K] } & Omit<Entry, 'seq'>;
}

/** @throws QuanweiError BAD_REQUEST for a body that is too large or no JSON, INVARIANT for a malformed id or key */
export function stamp(draft: Draft, clock: Clock, newId: NewId): Stamped {
  const { kind, actor, subject, deviceTime = null, lane = null, key = null } = draft;
  if (draft.id !== undefined && !UUID.test(draft.id)) invariant(false, `an entry's id must be a UUID, not ${draft.id}`);
  invariant(key === null || KEY.test(key), 'a content key is 16 bytes in hex');
  const head = {
    seq: 0,
    id: draft.id ?? newId(),
    kind,
    actor,
    subject,
    wall: Math.round(clock.wall()),
    boot: clock.boot,
    mono: Math.round(clock.mono()),
    clock: clock.state(),
    deviceTime: deviceTime === null ? null : Math.round(deviceTime),
    lane,
    body: draft.body ?? null,
  };
  return { head, key, body: textOf(draft) };
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

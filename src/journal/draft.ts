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
  readonly entry: Omit<Entry, 'seq'>;
  readonly wire: WireEntry;
  readonly key: Buffer | null;
}

/** @throws QuanweiError BAD_REQUEST for a body that is too large or no JSON, INVARIANT for a malformed id or key */
export function stamp(draft: Draft, clock: Clock, newId: NewId): Stamped {
  const { kind, actor, subject, deviceTime = null, lane = null, key = null } = draft;
  const id = draft.id ?? newId();
  invariant(UUID.test(id), `an entry's id must be a UUID, not ${id}`);
  invariant(key === null || key.length === 16, 'a content key has 16 bytes');
  const body = textOf(draft);
  const whole = { kind, actor, subject, lane, deviceTime: deviceTime === null ? null : Math.round(deviceTime) };
  const wall = Math.round(clock.wall());
  const mono = Math.round(clock.mono());
  const state = clock.state();
  return {
    entry: { id, ...whole, wall, boot: clock.boot, mono, clock: state, body: draft.body ?? null },
    wire: { id, ...whole, wall, mono, synced: state === 'synced', key: key?.toString('hex') ?? null, body },
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

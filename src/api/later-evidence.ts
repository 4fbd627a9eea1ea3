import { z } from 'zod';
import type { Alarm, Evidence } from '../alarms/alarm.ts';
import type { Entry } from '../journal/entry.ts';
import { seqBefore } from '../journal/moment.ts';
import { isMediaReference } from '../kernel/media.ts';
import type { Context } from './routes/context.ts';

/** A clip is told at most this long after what it shows: it has to come to its end first, ms. */
const TOLD_WITHIN_MS = 2 * 60_000;
/** Messages of the camera that are looked through. */
const LOOKED_AT = 500;
/** An entry may be stamped a little after its neighbours, ms. */
const SLACK_MS = 60_000;
/** Entries of one commit that may lie between a message and what was raised by it. */
const BESIDE = 64;

/** Of a camera, however many alarms they belong to. */
const MESSAGES = 1_000;

/** What the vision process says of an event, and afterwards (docs/vision-protocol.md). */
const Message = z.object({ message: z.string(), raw: z.string() });
const Event = z.object({ id: z.string() });
const More = z.object({
  of: z.string().default(''),
  evidence: z.array(z.object({ kind: z.enum(['picture', 'clip']), ref: z.string(), sha256: z.string() })),
});
const Change = z.object({ change: z.object({ cause: z.string() }) });

/**
 * What came of an alarm's events after them: sharper pictures within a second or two (a busy box: a minute and a half), a
 * clip some ten seconds later, in messages of their own that the journal keeps. Those of other events of the same camera
 * are not among it.
 * @param timeline entries of the alarm, in any order
 * @param now wall clock, ms
 */
export async function laterEvidence(
  journal: Pick<Context['journal'], 'readInTurns' | 'head' | 'select'>,
  alarm: Pick<Alarm, 'channel' | 'device' | 'lastAt' | 'evidence'>,
  timeline: readonly Entry[],
  now: number,
): Promise<Evidence[]> {
  if (alarm.channel !== 'camera' || timeline.length === 0) return [];
  const since = Math.min(...timeline.map(({ seq }) => seq));
  const until = alarm.lastAt + TOLD_WITHIN_MS;
  const messages = await journal.readInTurns({
    ...{ subject: alarm.device, kinds: ['message'], limit: LOOKED_AT },
    after: Math.max(0, since - BESIDE),
    before: seqBefore(journal, until + SLACK_MS, now),
  });
  const causes = new Set(timeline.map(({ body }) => Change.safeParse(body).data?.change.cause));
  const events = new Set(messages.filter(({ id }) => causes.has(id)).map((one) => said(one, Event)?.id));
  const moments = new Set(alarm.evidence.map(({ ref }) => momentOf(ref)));
  return messages
    .filter(({ wall }) => wall <= until)
    .flatMap((entry) => {
      const { of, evidence } = later(entry);
      // A clip that two events share bears the name of the first; one of a name we know needs no message of its event.
      return evidence.filter(({ ref }) => events.has(of) || moments.has(momentOf(ref)));
    });
}

/** What a file's name says before what it is of: time, camera, event. */
const momentOf = (ref: string): string => ref.replace(/(-main)?-(boxes|plain|clip)\.(jpg|mp4)$/, '');

function said<T>({ body }: Entry, form: z.ZodType<T>): T | undefined {
  const message = Message.safeParse(body).data;
  if (message === undefined) return undefined;
  try {
    return form.safeParse(JSON.parse(message.raw)).data;
  } catch {
    // A detector that speaks another language than the vision process has no such evidence.
    return undefined;
  }
}

function later(entry: Entry): z.output<typeof More> {
  const none = { of: '', evidence: [] };
  if ((entry.body as { message?: unknown } | null)?.message !== 'evidence') return none;
  const { of, evidence } = said(entry, More) ?? none;
  return { of, evidence: evidence.filter(({ ref }) => isMediaReference(ref)) };
}

/** A clip, and the alarm that was raised then. */
export interface AlarmClip {
  readonly ref: string;
  /** When it was told that there is one: at its end. */
  readonly at: number;
  readonly alarm: Alarm | null;
}

/**
 * The newest clips of a camera, the newest first.
 * @param alarms of this camera, the newest first
 * @param since wall ms; clips of before are not kept any more
 * @param now wall clock, ms
 */
export async function clipsOfCamera(
  journal: Pick<Context['journal'], 'readInTurns' | 'head' | 'select'>,
  camera: string,
  alarms: readonly Alarm[],
  { since, now }: { readonly since: number; readonly now: number },
): Promise<AlarmClip[]> {
  const messages = await journal.readInTurns({
    ...{ subject: camera, kinds: ['message'], limit: MESSAGES, newestFirst: true },
    after: seqBefore(journal, since - SLACK_MS, now) - 1,
  });
  return messages
    .flatMap((entry) =>
      later(entry)
        .evidence.filter(({ kind }) => kind === 'clip')
        .map(({ ref }) => ({ ref, at: entry.wall })),
    )
    .map(({ ref, at }) => ({
      ...{ ref, at },
      alarm: alarms.find(({ raisedAt, lastAt }) => raisedAt <= at && at <= lastAt + TOLD_WITHIN_MS) ?? null,
    }));
}

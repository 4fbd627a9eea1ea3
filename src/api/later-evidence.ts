import { z } from 'zod';
import type { Alarm, Evidence } from '../alarms/alarm.ts';
import type { Entry } from '../journal/entry.ts';
import { isMediaReference } from '../kernel/media.ts';
import type { Context } from './routes/context.ts';

/** A clip is told at most this long after what it shows: it has to come to its end first, ms. */
const TOLD_WITHIN_MS = 2 * 60_000;
/** Messages of the camera that are looked through. */
const LOOKED_AT = 500;

/** Of a camera, however many alarms they belong to. */
const MESSAGES = 1_000;

/** What the vision process says of an event afterwards (docs/vision-protocol.md, `evidence`). */
const Told = z.object({ message: z.literal('evidence'), raw: z.string() });
const More = z.object({
  evidence: z.array(z.object({ kind: z.enum(['picture', 'clip']), ref: z.string(), sha256: z.string() })),
});

/**
 * What came of an alarm's event after it: sharper pictures within a second or two, a clip some ten seconds later, in
 * messages of their own that the journal keeps. What the camera told of another event meanwhile is among it.
 * @param since seq of the entry that raised it
 */
export function laterEvidence(journal: Context['journal'], alarm: Alarm, since: number): Evidence[] {
  if (alarm.channel !== 'camera') return [];
  return journal
    .read({ subject: alarm.device, kinds: ['message'], after: since, limit: LOOKED_AT })
    .filter(({ wall }) => wall <= alarm.lastAt + TOLD_WITHIN_MS)
    .flatMap(evidenceIn);
}

function evidenceIn({ body }: Entry): Evidence[] {
  const told = Told.safeParse(body);
  if (!told.success) return [];
  // It was decoded as JSON when it came in, and is kept word for word.
  const more = More.safeParse(JSON.parse(told.data.raw)).data?.evidence ?? [];
  return more.filter(({ ref }) => isMediaReference(ref));
}

/** A clip, and the alarm that was raised then. */
export interface AlarmClip {
  readonly ref: string;
  /** When it was told that there is one: at its end. */
  readonly at: number;
  readonly alarm: Alarm | null;
}

/** The newest clips of a camera, the newest first. @param alarms of this camera, the newest first */
export function clipsOfCamera(journal: Context['journal'], camera: string, alarms: readonly Alarm[]): AlarmClip[] {
  return journal
    .read({ subject: camera, kinds: ['message'], limit: MESSAGES, newestFirst: true })
    .flatMap((entry) =>
      evidenceIn(entry)
        .filter(({ kind }) => kind === 'clip')
        .map(({ ref }) => ({ ref, at: entry.wall })),
    )
    .map(({ ref, at }) => ({
      ...{ ref, at },
      alarm: alarms.find(({ raisedAt, lastAt }) => raisedAt <= at && at <= lastAt + TOLD_WITHIN_MS) ?? null,
    }));
}

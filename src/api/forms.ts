import { z } from 'zod';
import type { Alarm } from '../alarms/alarm.ts';
import { Id } from '../config/schema.ts';
import { CATEGORIES, type Category } from '../devices/event.ts';
import { ENTRY_KINDS } from '../journal/entry.ts';
import { Problem } from './problems.ts';
import { ROLES } from './roles.ts';

/** The words requests and answers are made of. Times are ms since the epoch; every text has a bound. */

/** A control character in a note could draw over a terminal or hide the rest of a line. */
const PRINTABLE = /^(?:[\t\n]|[^\p{Cc}\u202a-\u202e\u2066-\u2069])*$/u;
export const text = (max: number) => z.string().trim().max(max).regex(PRINTABLE, 'no control characters');
export const someText = (max: number) => text(max).min(1);

export const AlarmId = z.uuid();
export const DeviceId = Id;
export const AccountName = z
  .string()
  .regex(
    /^[\p{L}\p{N}][\p{L}\p{N}._-]{0,31}$/u,
    '汉字、字母、数字、点、短横和下划线，最多 32 个 · letters, digits, dot, dash and underscore, at most 32',
  );
export const RoleName = z.enum(ROLES);
export const CategoryName = z.enum(Object.keys(CATEGORIES) as [Category, ...Category[]]);
export const LevelNumber = z.union([z.literal(1), z.literal(2), z.literal(3), z.literal(4)]);
const LaneNumber = z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)]);

const Scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
export const Evidence = z.object({ kind: z.enum(['picture', 'clip']), ref: z.string(), sha256: z.string() });

export const AlarmView = z
  .object({
    id: z.string(),
    channel: z.string(),
    device: z.string(),
    deviceName: z.string(),
    place: z.string(),
    category: CategoryName,
    kind: z.enum(['pulse', 'level']),
    level: LevelNumber,
    condition: z.enum(['active-unacknowledged', 'active-acknowledged', 'cleared-unacknowledged', 'latched', 'normal']),
    handling: z.enum(['open', 'accepted', 'dispatched', 'handled', 'closed', 'merged', 'false']),
    drill: z.boolean(),
    replayed: z.boolean(),
    count: z.int(),
    raisedAt: z.number(),
    deviceTime: z.number().nullable(),
    lastAt: z.number(),
    askedAt: z.number(),
    clearedAt: z.number().nullable(),
    acknowledgedAt: z.number().nullable(),
    acknowledgedBy: z.string().nullable(),
    answeredMs: z.number().nullable().describe('The longest it asked before it was acknowledged'),
    closedAt: z.number().nullable(),
    closedBy: z.string().nullable(),
    assignee: z.string().nullable(),
    result: z.string().nullable(),
    handledBy: z.string().nullable(),
    escalations: z.int(),
    shelvedUntil: z.number().nullable(),
    mergedInto: z.string().nullable(),
    previous: z.string().nullable(),
    detail: z.record(z.string(), Scalar).readonly(),
    evidence: z.array(Evidence.readonly()).readonly(),
    revision: z.int(),
  })
  .meta({ id: 'Alarm' }) satisfies z.ZodType<Alarm>;

export const EntryView = z
  .object({
    seq: z.int(),
    id: z.string(),
    kind: z.enum(ENTRY_KINDS),
    actor: z.string(),
    subject: z.string().nullable(),
    wall: z.number(),
    clock: z.enum(['synced', 'unsynced']),
    deviceTime: z.number().nullable(),
    lane: LaneNumber.nullable(),
    body: z.unknown(),
  })
  .meta({ id: 'Entry' });

/** Numbers in a query string are text; digits only, so that `1e9` and blanks are refused and not guessed at. */
export const queryNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,16}$/, 'a whole number')
    .transform(Number)
    .pipe(z.int().min(min).max(max));
/** The end of the year 9999, ms since the epoch: what comes later no calendar shows in four digits, and none at all. */
const LATEST = 253_402_300_799_999;
/** A time in a body. */
export const Time = z.int().min(0).max(LATEST);
/** A time in a query string. */
export const queryTime = queryNumber(0, LATEST);
export const limit = (usual: number, most: number) => queryNumber(1, most).default(usual);

/** `a,b,c` → those of the allowed words; an unknown word is refused. */
export const queryWords = <const W extends readonly [string, ...string[]]>(words: W) =>
  z
    .string()
    .max(2_000)
    .transform((list) => list.split(','))
    .pipe(z.array(z.enum(words)).min(1));

/** What a route answers: its own form, or a problem. */
export const answers = <S extends z.ZodType>(ok: S) => ({ 200: ok, default: Problem });

export const Done = z.object({ ok: z.literal(true) });

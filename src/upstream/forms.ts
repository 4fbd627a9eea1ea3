import { z } from 'zod';
import { CATEGORIES, type Category } from '../devices/event.ts';

/**
 * What the centre receives, as schemas: `docs/generated/upstream.schema.json` is made from these, and the tests hold
 * every published event against them. Times are ms since the epoch inside `data`, ISO 8601 in the envelope.
 */

const categories = Object.keys(CATEGORIES) as [Category, ...Category[]];
const Scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const Detail = z.record(z.string(), Scalar);
const Time = z.int().describe('ms since 1970-01-01T00:00Z');
const Evidence = z
  .object({ kind: z.enum(['picture', 'clip']), ref: z.string(), sha256: z.string() })
  .describe('Where evidence lies in the box; the picture itself is sent only on an `evidence` order');

export const AlarmForm = z
  .object({
    id: z.uuid().describe('One for all events of this alarm; equals `subject`'),
    channel: z.string(),
    device: z.string(),
    deviceName: z.string(),
    place: z.string(),
    category: z.enum(categories),
    kind: z.enum(['pulse', 'level']).describe('`pulse` happened and has no end; `level` clears by itself'),
    level: z.union([z.literal(1), z.literal(2), z.literal(3), z.literal(4)]),
    condition: z.enum(['active-unacknowledged', 'active-acknowledged', 'cleared-unacknowledged', 'latched', 'normal']),
    handling: z.enum(['open', 'accepted', 'dispatched', 'handled', 'closed', 'merged', 'false']),
    drill: z.boolean(),
    replayed: z.boolean().describe('Told late by the device; never rings'),
    count: z.int().min(1),
    raisedAt: Time,
    deviceTime: Time.nullable().describe('By the clock of the device'),
    lastAt: Time,
    askedAt: Time.describe('Since when it asks for the present acknowledgement'),
    clearedAt: Time.nullable(),
    acknowledgedAt: Time.nullable(),
    acknowledgedBy: z.string().nullable(),
    answeredMs: z
      .int()
      .min(0)
      .nullable()
      .optional()
      .describe('The longest it asked before it was acknowledged, ms; older gateways do not tell'),
    closedAt: Time.nullable(),
    closedBy: z.string().nullable(),
    assignee: z.string().nullable(),
    result: z.string().nullable().describe('What was done about it'),
    handledBy: z.string().nullable().optional().describe('Who handled it last; older gateways do not tell'),
    escalations: z.int().min(0),
    shelvedUntil: Time.nullable(),
    mergedInto: z.string().nullable(),
    previous: z.string().nullable().describe('The alarm of the same device and category before this one'),
    detail: Detail,
    evidence: z.array(Evidence),
    revision: z.int().describe('Rises with what a decision rests on'),
  })
  .describe('The alarm as it is after the transition');

export const AlarmData = z.object({
  alarm: AlarmForm,
  change: z.record(z.string(), z.unknown()).describe('What the transition was told: reason, note, deadline, cause …'),
  actor: z.string().describe('device:ID, user:NAME, centre or system'),
});

const SentEvent = z.object({
  device: z.string(),
  category: z.enum(categories),
  kind: z.enum(['pulse', 'level']),
  active: z.boolean(),
  replayed: z.boolean(),
  test: z.boolean(),
  deviceTime: Time.nullable(),
  detail: Detail,
  evidence: z.array(Evidence).optional(),
});

export const PassageData = z
  .object({
    device: z.string(),
    deviceName: z.string().optional(),
    place: z.string().optional(),
    events: z.array(SentEvent).min(1),
  })
  .describe('Who passed which door, or what a door said about itself');

export const DeviceData = z
  .object({
    device: z.string(),
    deviceName: z.string().optional(),
    place: z.string().optional(),
    what: z.enum(['state', 'registered', 'updated', 'removed', 'candidate']),
    state: z.record(z.string(), z.unknown()),
  })
  .describe('A device, when something about it changed');

export const RecordData = z
  .object({ what: z.string(), actor: z.string(), detail: z.record(z.string(), z.unknown()) })
  .describe('A door command or its result, or what the box has to say about itself');

export const OrderReplyData = z
  .object({
    order: z.object({ id: z.string(), type: z.string() }),
    ok: z.boolean(),
    code: z.string().describe('`OK`, or one of the error codes of docs/upstream.md'),
    detail: z.string(),
    result: z.unknown().optional(),
  })
  .describe('The answer to an order');

export const StatusData = z
  .object({
    state: z.enum(['online', 'offline']),
    reason: z
      .enum(['connected', 'stopped', 'lost'])
      .describe('`lost` is the last will: the broker says it, not the box'),
    session: z.uuid().describe('Differs for each start of the program'),
  })
  .describe('Whether the box is connected; retained');

export const EvidenceData = z
  .object({
    order: z.string(),
    alarm: z.string(),
    ref: z.string(),
    sha256: z.string(),
    mediaType: z.string(),
    base64: z.string(),
  })
  .describe('A picture or clip that an order asked for');

/** `data` of each event type. */
export const DATA_FORMS = {
  'cn.quanwei.alarm.*.v1': AlarmData,
  'cn.quanwei.access.v1': PassageData,
  'cn.quanwei.door.v1': PassageData,
  'cn.quanwei.door.command.v1': RecordData,
  'cn.quanwei.door.result.v1': RecordData,
  'cn.quanwei.device.v1': DeviceData,
  'cn.quanwei.system.v1': RecordData,
  'cn.quanwei.order.reply.v1': OrderReplyData,
  'cn.quanwei.evidence.v1': EvidenceData,
  'cn.quanwei.status.v1': StatusData,
} as const;

/** The envelope: CloudEvents 1.0 structured JSON. `*` of a type stands for one word. */
export const Envelope = z.strictObject({
  specversion: z.literal('1.0'),
  id: z.uuid().describe('With `source`, unique for ever; a resend keeps it'),
  source: z.string().regex(/^\/\/quanwei\/[^/]+\/[^/]+$/),
  type: z.string().regex(/^cn\.quanwei(\.[a-z]+)+\.v1$/),
  subject: z.string().min(1).optional().describe('Alarm id, device id or order id'),
  time: z.iso.datetime().describe('When it happened'),
  recordedtime: z.iso.datetime().describe('When the box wrote it down'),
  expirytime: z.iso.datetime().optional().describe('Not sent any more after this; alarms have none'),
  sequence: z
    .string()
    .regex(/^\d{16}$/)
    .optional()
    .describe('Place in the journal of the box, fixed width, compared as text. Not contiguous'),
  severitytext: z.enum(['FATAL', 'ERROR', 'WARN', 'INFO']).describe('Alarm level 1, 2, 3, 4; INFO for records'),
  severitynumber: z.int().describe('21, 17, 13, 9 (OpenTelemetry)'),
  replayed: z.literal(true).optional(),
  drill: z.literal(true).optional(),
  clockstate: z.literal('unsynced').optional().describe('The box did not know the time when it wrote this down'),
  datacontenttype: z.literal('application/json'),
  data: z.unknown(),
});
export type Envelope = z.output<typeof Envelope>;

/** The schema of `data` for an event type, or `null` for a type this version does not publish. */
export function formOf(type: string): z.ZodType | null {
  const known = Object.entries(DATA_FORMS).find(([name]) => {
    if (!name.includes('*')) return name === type;
    const [before, after] = name.split('*') as [string, string];
    return type.startsWith(before) && type.endsWith(after);
  });
  return known?.[1] ?? null;
}

/** All of it as one JSON Schema (draft 2020-12) with a definition for each form. */
export function jsonSchema(): Record<string, unknown> {
  const inner = (schema: z.ZodType) => {
    const { $schema: _, ...rest } = z.toJSONSchema(schema) as Record<string, unknown>;
    return rest;
  };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Events of Quanwei (泉卫) to the command centre',
    ...inner(Envelope),
    $defs: Object.fromEntries(Object.entries(DATA_FORMS).map(([type, form]) => [type, inner(form)])),
  };
}

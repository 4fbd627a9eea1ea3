import { z } from 'zod';
import { Duration } from '../config/schema.ts';
import { TIME_FORMATS } from './device-time.ts';
import { Mistake } from './path.ts';
import {
  Both,
  CategoryName,
  Condition,
  Field,
  Name,
  PathText,
  readBy,
  Scalar,
  Template,
  TopicText,
} from './profile-language.ts';
import { CommandSample, Example, Sample } from './profile-sample.ts';
import { parseTopic } from './topics.ts';

/**
 * A device profile: everything the gateway knows about one device model, as data (`device-profiles/*.yaml`). This schema
 * validates, makes `docs/profile.schema.json` for editors, and its descriptions are the reference of
 * `docs/adding-a-device.md`. There is no code in a profile and no regular expression: whatever a profile says is
 * bounded in time. What goes beyond the shape of one value (names that must exist elsewhere) is in profile-rules.ts.
 */

const Time = z.strictObject({
  from: PathText,
  format: z
    .enum(TIME_FORMATS)
    .default('datetime')
    .describe('datetime: 2026-04-10 09:43:25, with / or T, with or without zone'),
  zone: z
    .string()
    .max(64)
    .default('site')
    .describe('site, UTC, an IANA name, or $param.NAME; for times that carry none'),
  clock: z
    .boolean()
    .default(false)
    .describe('This is the device’s clock as it speaks (not the time of something past): its clock is checked by it'),
});

const Event = z.strictObject({
  when: Condition.optional(),
  category: z.union([
    CategoryName,
    z.strictObject({
      from: PathText,
      map: z.record(z.string(), CategoryName).optional(),
      else: CategoryName.optional(),
    }),
  ]),
  kind: z
    .enum(['pulse', 'level'])
    .describe('pulse: it happened (button, line crossed). level: a state that is raised and clears (smoke, tamper)'),
  active: Condition.optional().describe('level: the state holds'),
  clear: Condition.optional().describe('level: the state is over. If neither holds, the message says nothing about it'),
  test: Condition.optional().describe('The device says that it is only a test: recorded as a drill'),
  detail: z.record(Name, Field).default({}).describe('What to show or match on; never pictures or identity numbers'),
  evidence: z
    .array(z.strictObject({ kind: z.enum(['picture', 'clip']), ref: PathText, sha256: PathText }))
    .max(8)
    .optional(),
});

const Reports = z.strictObject({
  when: Condition.optional(),
  online: z.union([z.boolean(), Field]).optional().describe('true/false, or where it says so'),
  battery: Field.optional().describe('0–100'),
  firmware: Field.optional(),
  address: Field.optional(),
});

const Binary = z.strictObject({
  from: PathText.describe('Where the bytes lie as text'),
  encoding: z.enum(['base64', 'hex']),
  records: z
    .array(
      z.strictObject({
        prefix: z.string().regex(/^([0-9a-f]{2}){1,8}$/, 'bytes in hex, such as ff2e'),
        length: z.int().min(0).max(32).describe('Bytes that follow the prefix'),
        name: Name.optional().describe('Read it as $bytes.NAME; without a name the record is skipped'),
        type: z.enum(['uint', 'int', 'uint-le', 'hex']).default('uint'),
      }),
    )
    .min(1)
    .max(64)
    .describe('Type–value records one after another; reading stops at the first unknown prefix'),
});

const Message = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z][A-Za-z0-9 ._-]{0,39}$/, 'a short name')
    .describe('As the vendor calls it'),
  about: Both,
  topic: z.union([TopicText, z.array(TopicText).min(1).max(32)]),
  payload: z
    .enum(['json', 'text', 'either'])
    .default('json')
    .describe('either: JSON when it is JSON, else text; read text as $payload'),
  when: Condition.optional().describe('Which messages on this topic are meant; the first message that fits is taken'),
  claims: z
    .record(PathText, z.string().max(200))
    .optional()
    .describe('The message names its sender here; if it names another than this, it is refused'),
  binary: Binary.optional(),
  each: PathText.optional().describe('A list: events are looked for in each of its items (@), at most 32'),
  time: Time.optional(),
  key: z
    .array(Field)
    .min(1)
    .max(8)
    .optional()
    .describe('Two messages with the same values here are one message told twice. If one is missing, there is no key'),
  replayed: Condition.optional().describe('It happened earlier and is only told now: never rings, never opens a door'),
  retained: z
    .enum(['replayed', 'live'])
    .default('replayed')
    .describe('live: a retained message is still the present state (status topics, wills)'),
  picture: PathText.optional().describe(
    'Where the picture of a face lies, base64 or a data URI, in a key of `redact`: may be compared, is never stored',
  ),
  quiet: z.boolean().default(false).describe('Heartbeats and readings: not worth a row in the journal by themselves'),
  events: z.array(Event).max(32).default([]),
  reports: Reports.optional(),
  receipt: z
    .strictObject({ topic: TopicText, payload: Template, qos: z.union([z.literal(0), z.literal(1)]).default(0) })
    .optional()
    .describe('Sent back after the message is on disk, never before'),
  reply: z
    .strictObject({
      to: PathText.optional().describe(
        'Where it repeats our message id; without it, it answers the oldest open command',
      ),
      ok: Condition,
      code: Field.optional(),
      detail: Field.optional(),
    })
    .optional()
    .describe('This message answers a command'),
});

const Parameter = z.strictObject({
  about: Both,
  default: z
    .string()
    .max(200)
    .optional()
    .describe('{id} and {key} stand for the device’s own; without default it must be given'),
  type: z
    .enum(['text', 'level', 'topic', 'number', 'list', 'category'])
    .default('text')
    .describe('level: one topic level · topic: several · list: separated by commas'),
  options: z.array(z.string().max(64)).min(1).max(64).optional().describe('Only these'),
});

const Argument = z.strictObject({
  about: Both,
  type: z.enum(['text', 'integer', 'number']).default('text'),
  default: z.union([z.string().max(256), z.number()]).optional(),
  min: z.number().optional(),
  max: z.number().optional().describe('Largest number, or longest text'),
  options: z.array(Scalar).min(1).max(64).optional(),
});

const Command = z.strictObject({
  about: Both,
  send: z
    .array(
      z.strictObject({
        topic: TopicText,
        payload: Template,
        qos: z.union([z.literal(0), z.literal(1)]).default(1),
        retain: z.literal(false).default(false),
      }),
    )
    .min(1)
    .max(4),
  args: z.record(Name, Argument).default({}),
  reply: z
    .boolean()
    .describe('Whether the device answers (a message with `reply`); if not, it counts as done when sent'),
  timeout: Duration.prefault('5s'),
  perMinute: z.int().min(1).max(600).default(30).describe('More often than this is refused, whoever asks'),
});

const Supervision = z.strictObject({
  heartbeat: Duration.optional().describe('How often it speaks by itself when nothing happens'),
  silentAfter: Duration.optional().describe('Silence longer than this is an alarm; without it, silence is not watched'),
  lifeSafety: z.boolean().describe('A person’s life may hang on it: its silence is graded accordingly'),
  silence: Both.describe('What its silence means, for the guard who reads the alarm'),
});

const Hub = z.strictObject({
  children: z
    .array(
      z.strictObject({
        topic: TopicText,
        key: PathText.optional().describe(
          'Where the payload names the end device; else {+child} or {#child} in the topic',
        ),
      }),
    )
    .min(1)
    .max(16)
    .describe('Messages that speak for an end device; its own profile decodes them'),
  params: z
    .record(Name, z.string().max(200))
    .default({})
    .describe('Parameters of the end device that follow from the hub: {child}, captures and the hub’s own parameters'),
  unregistered: z
    .array(z.strictObject({ profile: z.string().max(64), params: z.record(Name, z.string().max(200)).default({}) }))
    .max(8)
    .default([])
    .describe(
      'Profiles tried for an end device nobody registered: what they find is raised in the hub’s name, so that a fire is not lost',
    ),
});

export const ProfileDefinition = z.strictObject({
  format: z.literal(1).describe('Version of this language'),
  id: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{1,63}$/, 'small letters, digits and dashes')
    .describe('Also the name of the file'),
  names: Both,
  vendor: z.string().max(100),
  kind: z.enum(['face-door', 'door', 'call-point', 'detector', 'camera', 'hub', 'relay', 'vision']),
  about: Both.describe('What it is and what must be known about it'),
  sources: z.array(z.string().max(300)).max(16).default([]).describe('Where the facts of this profile are from'),
  transport: z.enum(['mqtt', 'http-stream', 'http-push', 'tcp-gb26875', 'onvif-pullpoint']),
  qos: z
    .union([z.literal(0), z.literal(1)])
    .default(1)
    .describe('The quality of service it publishes with; tells people what it cannot do, and the simulator what to do'),
  alternatives: z
    .array(z.enum(['card', 'qr', 'pin', 'intercom', 'key', 'phone']))
    .default([])
    .describe('Other ways in than the face. A face door without one is refused: nobody may be forced to give a face'),
  parameters: z.record(Name, Parameter).default({}).describe('What differs from site to site'),
  setup: z.array(Both).max(20).default([]).describe('What to type into the device, step by step'),
  messages: z.array(Message).max(100),
  ignored: z
    .array(TopicText)
    .max(64)
    .default([])
    .describe('Topics it also speaks on and nobody needs: accepted, not read, not kept'),
  subscribes: z
    .array(readBy(parseFilter))
    .max(32)
    .default([])
    .describe('Topics it also listens to, besides those of its commands and receipts; + and # are allowed'),
  commands: z.record(Name, Command).default({}),
  supervision: Supervision,
  hub: Hub.optional(),
  redact: z
    .array(z.string().regex(/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/, 'the name of a payload key, such as pic'))
    .max(64)
    .default([])
    .describe('Payload keys, at whatever depth, whose values are never stored: pictures, identity numbers'),
  example: Example,
  samples: z.array(Sample).min(1).max(200).describe('Message in → what must come out, exactly. They are the tests'),
  commandSamples: z.array(CommandSample).max(50).default([]),
});

function parseFilter(text: string): void {
  const plain = text.replace(/\/#$|^#$/, '').replaceAll(/(^|\/)\+(?=\/|$)/g, '$1x');
  if (/[+#]/.test(plain)) throw new Mistake('+ must stand alone in its level, # alone and last');
  parseTopic(plain);
}

/** A profile as its file says it, defaults filled, durations in ms. */
export type ProfileDefinition = z.output<typeof ProfileDefinition>;
export type MessageDefinition = z.output<typeof Message>;
export type CommandDefinition = z.output<typeof Command>;
export type SampleDefinition = z.output<typeof Sample>;
export type EventDefinition = z.output<typeof Event>;

import { z } from 'zod';
import { Camera, Vision } from './cameras.ts';
import { address, Duration, duration, Id, size, Text, timeOfDay } from './values.ts';

export { Duration, Id, Size } from './values.ts';

/**
 * `gateway.yaml`, whole. This one schema validates, fills defaults, makes the JSON Schema editors use
 * (`docs/gateway.schema.json`) and the table in `docs/configuration.md`. Unknown keys are errors.
 */

const LevelNumber = z.union([z.literal(1), z.literal(2), z.literal(3), z.literal(4)]);
const timezone = z.string().refine((zone) => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch (cause) {
    if (cause instanceof RangeError) return false;
    throw cause;
  }
}, 'an IANA time zone such as Asia/Shanghai');

export const Site = z.strictObject({
  id: Id.describe('Names this compound everywhere; part of the topics to the centre'),
  name: Text.describe('What people call the compound'),
  street: Id.describe('The sub-district this compound belongs to; part of the topics to the centre'),
  timezone: timezone.default('Asia/Shanghai').describe('Zone of the times people see and of devices that send none'),
});

const MqttListen = z.strictObject({
  url: z
    .string()
    .regex(/^mqtts?:\/\/(\[[0-9a-fA-F:]+\]|[^:/\s]+):\d{1,5}$/, 'mqtt://HOST:PORT or mqtts://HOST:PORT')
    .describe('Where devices connect; mqtt:// only on the device network'),
  clientCertificates: z
    .enum(['off', 'optional', 'required'])
    .default('off')
    .describe('mqtts only: whether a device may or must show a certificate of the box’s own CA'),
});

const Mqtt = z.strictObject({
  listen: z
    .array(
      z.union([
        z
          .string()
          .transform((url) => ({ url }))
          .pipe(MqttListen),
        MqttListen,
      ]),
    )
    .min(1)
    .max(8)
    .prefault(['mqtt://127.0.0.1:1883']),
  maxConnections: z.int().min(1).max(20_000).default(4_000),
  maxConnectionsPerAddress: z.int().min(1).max(20_000).optional().describe('Default: no limit of its own'),
  maxPacket: size('4MB').describe('A larger MQTT packet closes its connection; face pictures need up to 4MB'),
  maxTopicLevels: z.int().min(3).max(32).default(12),
  maxInflight: z.int().min(1).max(1_000).default(64).describe('Unanswered QoS 1 messages per connection'),
  maxQueued: z.int().min(1).max(100_000).default(1_000).describe('Messages kept for a device that is away'),
  loginAttempts: z
    .int()
    .min(1)
    .max(1_000)
    .default(10)
    .describe('Wrong secrets a minute from one address before it waits'),
  cert: z.string().optional().describe('PEM file for mqtts; default: issued by the box’s own CA'),
  key: z.string().optional(),
});

const Http = z.strictObject({
  listen: z
    .string()
    .regex(/^https?:\/\/(\[[0-9a-fA-F:]+\]|[^:/\s]+):\d{1,5}$/, 'http://HOST:PORT or https://HOST:PORT')
    .default('http://127.0.0.1:8080'),
  sessionHours: z
    .int()
    .min(1)
    .max(24 * 31)
    .default(12),
  cert: z.string().optional(),
  key: z.string().optional(),
});

const Device = z.strictObject({
  id: Id.describe('Also its MQTT user name'),
  profile: Id.describe('A file in device-profiles/'),
  name: Text.optional().describe('What people call it; default: the id'),
  place: z.string().max(200).default('').describe('Where it is: building/unit/door'),
  secret: z
    .string()
    .min(8)
    .max(200)
    .optional()
    .describe('Its MQTT password; a reference to the environment keeps it out of the file'),
  hub: Id.optional().describe('The hub that speaks for it; then it needs no secret'),
  parent: Id.optional().describe('The switch or power supply it depends on; silence of the parent covers its own'),
  params: z.record(z.string().max(64), z.string().max(200)).default({}).describe('Values for the profile’s parameters'),
  silentAfter: Duration.optional().describe('Overrides the profile: silence longer than this is an alarm'),
});

const AlarmLevel = z.strictObject({
  acknowledge: Duration.optional().describe('Nobody acknowledged within this: the next role and the centre are told'),
  close: Duration.optional().describe('Not closed within this: the next role and the centre are told'),
});

const Rule = z.strictObject({
  name: Text,
  when: z
    .strictObject({
      category: z.string().max(64).optional().describe('`fire.button`, or a family such as `intrusion.*`'),
      device: z.string().max(64).optional().describe('A device id, or a prefix ending in *'),
      place: z.string().max(200).optional().describe('A place prefix'),
      between: z.tuple([timeOfDay, timeOfDay]).optional().describe('Time of day in the site’s zone; may pass midnight'),
    })
    .describe('All that are given must hold; the first rule that holds decides'),
  level: LevelNumber.optional(),
  record: z.literal(true).optional().describe('Keep it in the journal but raise no alarm'),
});

export const AlarmLevels = z.strictObject({
  1: AlarmLevel.optional(),
  2: AlarmLevel.optional(),
  3: AlarmLevel.optional(),
  4: AlarmLevel.optional(),
});

const Quiet = z.strictObject({
  between: z.tuple([timeOfDay, timeOfDay]).describe('Time of day in the site’s zone; may pass midnight'),
  levels: z
    .array(z.union([z.literal(3), z.literal(4)]))
    .min(1)
    .max(2)
    .default([4])
    .describe('Only 3 and 4: levels 1 and 2 wait for no morning'),
});

/** A role, or the centre: whoever is named otherwise is told of nothing. */
export const EscalatesTo = z.enum(['operator', 'manager', 'admin', 'centre']);

export const Alarms = z.strictObject({
  levels: AlarmLevels.prefault({
    1: { acknowledge: '60s', close: '2h' },
    2: { acknowledge: '5m', close: '24h' },
    3: { acknowledge: '30m', close: '72h' },
    4: { acknowledge: '24h', close: '168h' },
  }),
  quiet: Quiet.optional().describe('Hours in which no deadline of these levels passes; it passes when they end'),
  escalateTo: z
    .array(EscalatesTo)
    .max(8)
    .default(['manager', 'centre'])
    .describe('Who hears next, in order, each time a deadline is missed'),
  window: duration('5m').describe('The same condition of the same device within this is one alarm that counts'),
  rules: z.array(Rule).max(500).default([]),
  fireReleases: z
    .array(Id)
    .max(200)
    .default([])
    .describe('Doors that open by themselves when a level-1 fire alarm is raised'),
});

export const Upstream = z.strictObject({
  url: address(/^(mqtts?|wss?):\/\/\S+$/, 'mqtt://HOST:PORT or mqtts://HOST:PORT'),
  clientId: z.string().max(64).optional().describe('Default: quanwei-STREET-SITE'),
  username: z.string().max(200).optional(),
  password: z.string().max(200).optional(),
  ca: z.string().optional().describe('PEM file of the CA that signed the centre’s certificate'),
  cert: z.string().optional(),
  key: z.string().optional(),
  protocol: z.union([z.literal('3.1.1'), z.literal('5')]).default('3.1.1'),
  confirm: z
    .enum(['broker', 'receipt'])
    .default('broker')
    .describe('What counts as delivered: the broker’s PUBACK, or the centre’s own receipt'),
  inflight: z.int().min(1).max(1_000).default(100),
  receiptTimeout: duration('30s'),
  backoff: z.strictObject({ min: duration('1s'), max: duration('60s'), stable: duration('30s') }).prefault({}),
  expire: z
    .strictObject({ access: duration('7d'), device: duration('3d') })
    .prefault({})
    .describe('Records older than this are not sent any more; alarms never expire'),
  orders: z.boolean().default(true).describe('Whether the centre may order: acknowledge, close, open a door, query'),
});

export const Retention = z.strictObject({
  alarms: duration('1095d').describe('Alarms and all that was done about them'),
  audit: duration('1095d').describe('Who did what: accounts, settings, orders, doors opened by people'),
  access: duration('180d').describe('Who passed which door'),
  messages: duration('30d').describe('What devices said'),
  unknown: duration('30d'),
  media: duration('30d'),
  minFree: size('500MB').describe(
    'Below this much free disk the lowest class goes first, oldest first, and the page says so',
  ),
});

export const GatewayConfig = z.strictObject({
  site: Site,
  data: z.string().default('./data').describe('Directory of the journal, media and keys; relative to this file'),
  mqtt: Mqtt.prefault({}),
  http: Http.prefault({}),
  profiles: z.array(z.string()).default([]).describe('Further directories with device profiles, relative to this file'),
  devices: z.array(Device).max(20_000).default([]),
  cameras: z.array(Camera).max(64).default([]),
  vision: Vision.prefault({}),
  alarms: Alarms.prefault({}),
  upstream: Upstream.optional(),
  retention: Retention.prefault({}),
  backup: z.strictObject({ dir: z.string().optional(), keep: z.int().min(1).max(365).default(14) }).prefault({}),
});

/** The configuration with every default filled; durations in ms, sizes in bytes. */
export type GatewayConfig = z.output<typeof GatewayConfig>;
export type CameraConfig = GatewayConfig['cameras'][number];
export type VisionConfig = GatewayConfig['vision'];
export type DeviceConfig = GatewayConfig['devices'][number];
export type UpstreamConfig = z.output<typeof Upstream>;
export type AlarmsConfig = GatewayConfig['alarms'];
export type RetentionConfig = GatewayConfig['retention'];

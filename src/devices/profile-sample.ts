import { z } from 'zod';
import { CategoryName, Name, Scalar, Words } from './profile-language.ts';

/** The samples of a profile: message in, what must come out. They are its tests, its documentation and the simulator's lines. */

export const SampleEvent = z.strictObject({
  category: CategoryName,
  kind: z.enum(['pulse', 'level']).default('pulse'),
  active: z.boolean().default(true),
  replayed: z.boolean().default(false),
  test: z.boolean().default(false),
  device: z.string().max(64).optional(),
  detail: z.record(z.string(), Scalar).default({}),
  evidence: z
    .array(z.strictObject({ kind: z.enum(['picture', 'clip']), ref: z.string(), sha256: z.string() }))
    .optional(),
});

export const Sample = z.strictObject({
  name: Words,
  topic: z.string().min(1).max(300),
  payload: z.json().optional(),
  text: z.string().max(4_000).optional().describe('Instead of payload: not JSON'),
  retain: z.boolean().default(false),
  params: z.record(z.string(), z.string()).default({}),
  message: z.string().max(40).optional().describe('Which message it must be taken for'),
  plays: z
    .enum(['birth', 'will', 'heartbeat', 'often', 'seldom', 'never'])
    .default('seldom')
    .describe('When the simulator sends it'),
  answers: Name.optional().describe('The command the simulator answers with this'),
  unknown: z.literal(true).optional().describe('Must be refused as undecodable'),
  time: z.string().max(40).nullable().default(null).describe('The device time that must come out, ISO 8601'),
  events: z.array(SampleEvent).default([]),
  reports: z
    .strictObject({
      online: z.boolean().optional(),
      battery: z.number().optional(),
      firmware: z.string().optional(),
      address: z.string().optional(),
      clock: z.string().optional(),
    })
    .default({}),
  receipt: z.strictObject({ topic: z.string(), payload: z.json() }).nullable().default(null),
  reply: z
    .strictObject({ to: z.string(), ok: z.boolean(), code: z.string().default(''), detail: z.string().default('') })
    .nullable()
    .default(null),
  candidate: z.string().max(200).nullable().default(null),
  device: z.string().max(64).optional().describe('Behind a hub: the end device it must be taken for'),
});

export const CommandSample = z.strictObject({
  command: Name,
  args: z.record(z.string(), z.union([z.string(), z.number()])).default({}),
  send: z.array(z.strictObject({ topic: z.string(), payload: z.json() })).min(1),
});

export const Example = z.strictObject({
  id: z.string().max(64).describe('Id of the device the samples are from'),
  name: z.string().max(200).default(''),
  place: z.string().max(200).default(''),
  params: z.record(z.string(), z.string()).default({}),
  now: z.string().default('2026-06-01T04:00:00.000Z').describe('The gateway’s clock when the samples arrive'),
  children: z
    .array(
      z.strictObject({
        id: z.string().max(64),
        profile: z.string().max(64),
        params: z.record(z.string(), z.string()).default({}),
      }),
    )
    .default([]),
});

import { z } from 'zod';
import { KEY_PARAM } from '../../devices/binding.ts';
import type { Profile } from '../../devices/catalogue.ts';
import { answers, DeviceId } from '../forms.ts';
import type { Api, Context } from './context.ts';

const Both = z.object({ zh: z.string(), en: z.string() });
const Parameter = z.object({
  about: Both,
  default: z
    .string()
    .optional()
    .describe('`{id}` and `{key}` stand for the device’s own; without it, it must be given'),
  type: z.enum(['text', 'level', 'topic', 'number', 'list', 'category']),
  options: z.array(z.string()).optional(),
});
export const ProfileView = z
  .object({
    id: z.string(),
    names: Both,
    vendor: z.string(),
    kind: z.string(),
    about: Both,
    transport: z.string(),
    isHub: z.boolean(),
    lifeSafety: z.boolean(),
    parameters: z.record(z.string(), Parameter).describe('What differs from site to site'),
    commands: z.array(z.string()),
    setup: z.array(Both).describe('What to type into the device, step by step'),
  })
  .meta({ id: 'Profile' });

const Silence = z.object({
  heartbeat: z.number().nullable().describe('ms between the signs of life it gives by itself'),
  silentAfter: z.number().nullable().describe('ms of silence that are an alarm; `null`: silence is not watched'),
  meaning: Both,
});
const Sample = z.object({
  name: z.string(),
  topic: z.string(),
  payload: z.string().describe('As it is sent: JSON, or plain text'),
  message: z.string().nullable(),
  refused: z.boolean().describe('Shown because it must not be understood'),
  events: z.array(z.unknown()),
  reports: z.record(z.string(), z.unknown()),
  receipt: z.unknown(),
  reply: z.unknown(),
});
export const ProfileDetail = ProfileView.extend({
  sources: z.array(z.string()),
  alternatives: z.array(z.string()).describe('Ways in other than the face'),
  behindHub: z.boolean().describe('Its default topics carry the name a hub knows it by: it has no login of its own'),
  silence: Silence,
  redact: z.array(z.string()).describe('Payload keys whose values are never stored'),
  ignored: z.array(z.string()).describe('Topics it also speaks on and nobody needs'),
  messages: z.array(
    z.object({
      name: z.string(),
      about: Both,
      topics: z.array(z.string()),
      payload: z.string(),
      quiet: z.boolean().describe('Kept only when it brings news'),
      events: z.array(z.object({ category: z.unknown(), kind: z.string() })),
      answered: z.boolean().describe('A receipt is sent once it is on disk'),
      answers: z.boolean().describe('It answers a command'),
    }),
  ),
  orders: z.record(
    z.string(),
    z.object({
      about: Both,
      answered: z.boolean(),
      timeout: z.number().describe('ms'),
      topics: z.array(z.string()),
      args: z.record(z.string(), z.object({ about: Both, type: z.string() })),
    }),
  ),
  samples: z.array(Sample),
}).meta({ id: 'ProfileDetail' });

const view = ({ hub, supervision, commands, ...profile }: Profile): z.output<typeof ProfileView> => ({
  ...profile,
  isHub: hub !== undefined,
  lifeSafety: supervision.lifeSafety,
  commands: Object.keys(commands),
});

export function profileRoutes(app: Api, { catalogue }: Context): void {
  const config = { access: 'viewer' } as const;
  app.get(
    '/api/profiles',
    {
      config,
      schema: {
        tags: ['devices'],
        summary: '设备型号 the device models this gateway knows',
        response: answers(z.object({ profiles: z.array(ProfileView) })),
      },
    },
    async () => ({ profiles: catalogue.all().map(view) }),
  );

  app.get(
    '/api/profiles/:id',
    {
      config,
      schema: {
        tags: ['devices'],
        summary: '型号详情 what it understands of a model: topics, messages, and samples in → out',
        params: z.object({ id: DeviceId }),
        response: answers(ProfileDetail),
      },
    },
    async (request) => detail(catalogue.get(request.params.id)),
  );
}

function detail(profile: Profile): z.output<typeof ProfileDetail> {
  const { supervision, messages, commands, samples, sources, alternatives, redact, ignored } = profile;
  const { heartbeat = null, silentAfter = null, silence } = supervision;
  return {
    ...view(profile),
    sources,
    alternatives,
    redact,
    ignored,
    behindHub: Object.values(profile.parameters).some(({ default: usual = '' }) => usual.includes(`{${KEY_PARAM}}`)),
    silence: { heartbeat, silentAfter, meaning: silence },
    messages: messages.map(({ name, about, topic, payload, quiet, events, receipt, reply }) => ({
      name,
      about,
      topics: [topic].flat(),
      payload,
      quiet,
      events: events.map(({ category, kind }) => ({ category, kind })),
      answered: receipt !== undefined,
      answers: reply !== undefined,
    })),
    orders: Object.fromEntries(
      Object.entries(commands).map(([name, { about, reply, timeout, send, args }]) => [
        name,
        {
          about,
          answered: reply,
          timeout,
          topics: send.map(({ topic }) => topic),
          args: Object.fromEntries(
            Object.entries(args).map(([arg, { about: what, type }]) => [arg, { about: what, type }]),
          ),
        },
      ]),
    ),
    samples: samples.map((sample) => ({
      name: sample.name,
      topic: sample.topic,
      payload: sample.text ?? JSON.stringify(sample.payload ?? null),
      message: sample.message ?? null,
      refused: sample.unknown === true,
      events: sample.events,
      reports: sample.reports,
      receipt: sample.receipt,
      reply: sample.reply,
    })),
  };
}

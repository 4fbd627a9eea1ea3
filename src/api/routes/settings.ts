import { z } from 'zod';
import { SECTIONS, sectionMeanings, sectionOf } from '../../config/page-settings.ts';
import { QuanweiError } from '../../kernel/errors.ts';
import { whyNotReached } from '../../upstream/probe.ts';
import { answers, Done, queryNumber } from '../forms.ts';
import { actorOf, person } from '../guard.ts';
import { atLeast } from '../roles.ts';
import type { Api, Context } from './context.ts';

const SectionName = z.enum(SECTIONS);
const Value = z.record(z.string(), z.unknown()).readonly().nullable();
const Bound = z.object({
  kind: z.enum(['duration', 'size', 'count']),
  min: z.number().describe('ms or bytes'),
  max: z.number(),
  optional: z.boolean().optional(),
});
export const SettingView = z
  .object({
    key: SectionName,
    role: z.enum(['manager', 'admin']).describe('Least role that may change it'),
    applies: z.enum(['now', 'restart']).describe('When a change is in force'),
    source: z.enum(['default', 'file', 'page']),
    value: Value.describe('In the form of gateway.yaml; never with a secret'),
    file: Value.describe('What it would be without the page'),
    secret: z.boolean().describe('A secret belongs to it and is kept'),
    pending: z.boolean().describe('Waits for the next start'),
    revision: z.int(),
    changed: z.number().nullable(),
    by: z.string().nullable(),
    problem: z.string().nullable().describe('Why what was set here does not hold'),
  })
  .meta({ id: 'Setting' });
export const SettingsView = z.object({
  sections: z.array(
    SettingView.extend({
      meanings: z.record(z.string(), z.object({ zh: z.string(), en: z.string() })).describe('By path in the value'),
      bounds: z.record(z.string(), Bound).describe('By path in the value'),
    }),
  ),
  restart: z.object({
    possible: z.boolean().describe('Something starts the gateway again when it ends'),
    pending: z.array(SectionName),
  }),
  fixed: z
    .object({
      siteId: z.string(),
      media: z.number(),
      minFree: z.number(),
      fireReleases: z.array(z.string()),
      backupDir: z.string().nullable(),
      backupKeep: z.int(),
    })
    .describe('What only the file says; ms and bytes'),
});

const Named = z.object({ section: SectionName });
const Put = z.strictObject({
  value: z
    .record(z.string().max(64), z.unknown())
    .nullable()
    .describe('As in gateway.yaml; `null` for upstream: no centre'),
  revision: z.int().min(0).describe('What you saw'),
});

export function settingRoutes(app: Api, { journal, settings, restart = null, clock, log }: Context): void {
  const tags = ['settings'];
  const { config } = settings;
  let testing = false;

  app.get(
    '/api/settings',
    {
      config: { access: 'manager' },
      schema: {
        tags,
        summary: '设置 what can be changed from the page: value, source, meaning, bounds',
        response: answers(SettingsView),
      },
    },
    async () => ({
      sections: settings.all().map((view) => {
        const section = sectionOf(view.key);
        return { ...view, meanings: sectionMeanings(section), bounds: { ...section.bounds } };
      }),
      restart: { possible: restart !== null, pending: settings.pending() },
      fixed: {
        siteId: config.site.id,
        media: config.retention.media,
        minFree: config.retention.minFree,
        fireReleases: config.alarms.fireReleases,
        backupDir: config.backup.dir ?? null,
        backupKeep: config.backup.keep,
      },
    }),
  );

  app.put(
    '/api/settings/:section',
    {
      config: { access: 'manager' },
      schema: {
        tags,
        summary: '修改设置 change a section; some take the administrator, some wait for the next start',
        params: Named,
        body: Put,
        response: answers(SettingView),
      },
    },
    async (request) => {
      const { section } = request.params;
      mayChange(section, person(request).account.role);
      return settings.set(section, request.body.value, request.body.revision, actorOf(request));
    },
  );

  app.delete(
    '/api/settings/:section',
    {
      config: { access: 'manager' },
      schema: {
        tags,
        summary: '恢复为配置文件 take back what was set on the page',
        params: Named,
        querystring: z.strictObject({ revision: queryNumber(0, Number.MAX_SAFE_INTEGER) }),
        response: answers(SettingView),
      },
    },
    async (request) => {
      const { section } = request.params;
      mayChange(section, person(request).account.role);
      return settings.reset(section, request.query.revision, actorOf(request));
    },
  );

  app.post(
    '/api/settings/upstream/test',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: '测试连接 try to sign in to the centre with what is given; changes and publishes nothing',
        body: z.strictObject({ value: z.record(z.string().max(64), z.unknown()) }),
        response: answers(z.object({ ok: z.boolean(), ms: z.number(), why: z.string().nullable() })),
      },
    },
    async (request) => {
      if (testing) throw new QuanweiError('CONFLICT', '正在测试 · a test is under way');
      testing = true;
      try {
        const upstream = settings.centreWith(request.body.value);
        const began = clock.mono();
        const why = await whyNotReached(upstream, `quanwei-${config.site.street}-${config.site.id}`);
        return { ok: why === null, ms: Math.round(clock.mono() - began), why };
      } finally {
        testing = false;
      }
    },
  );

  app.post(
    '/api/system/restart',
    {
      config: { access: 'admin' },
      schema: {
        tags: ['system'],
        summary: '重启网关程序 end in good order and be started again; devices send again what was not acknowledged',
        body: z.strictObject({ confirm: z.literal(true) }),
        response: answers(Done),
      },
    },
    async (request) => {
      if (restart === null) {
        throw new QuanweiError(
          'CONFLICT',
          '本机不是作为服务运行，请在终端重新启动 · not run as a service: start it again at its terminal',
          {
            hint: 'no service',
          },
        );
      }
      const actor = actorOf(request);
      await journal.append([
        { kind: 'setting.changed', actor, subject: null, body: { what: 'restart asked for', section: 'system' } },
      ]);
      log.warn({ actor }, 'the gateway restarts: somebody asked for it on the page');
      await restart(actor);
      return { ok: true as const };
    },
  );
}

function mayChange(section: z.output<typeof SectionName>, role: Parameters<typeof atLeast>[0]): void {
  const needed = sectionOf(section).role;
  if (atLeast(role, needed)) return;
  throw new QuanweiError('FORBIDDEN', `需要权限 ${needed} · it takes the role ${needed}`, { where: section });
}

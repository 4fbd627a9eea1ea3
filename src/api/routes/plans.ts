import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { MOST_BYTES } from '../../compound/plan-picture.ts';
import { QuanweiError } from '../../kernel/errors.ts';
import { answers, DeviceId, Done, someText } from '../forms.ts';
import { actorOf } from '../guard.ts';
import type { Api, Context } from './context.ts';

/** Of these the programs that draw plans write at least one, and none can carry a script. */
const PICTURES = ['image/png', 'image/jpeg', 'image/webp'] as const;

const Unit = z.number().min(0).max(1).describe('0–1 of the plan’s width or height, from its upper left');
const Name = someText(64);
const PlanId = z.uuid();
const Points = z
  .array(z.tuple([Unit, Unit]))
  .min(1)
  .max(60)
  .refine((points) => points.length !== 2, 'one point is a label, three or more are an outline');

const AreaForm = z.strictObject({
  name: Name,
  points: Points,
  opens: PlanId.nullable().describe('The plan that shows its inside'),
});
export const AreaView = z
  .object({
    id: z.string(),
    plan: z.string(),
    name: z.string(),
    points: z.array(z.tuple([z.number(), z.number()]).readonly()).readonly(),
    opens: z.string().nullable(),
  })
  .meta({ id: 'PlanArea' });
export const PlanView = z
  .object({
    id: z.string(),
    name: z.string(),
    width: z.int().describe('px'),
    height: z.int().describe('px'),
    sha256: z.string().describe('Of the picture, hex'),
    bytes: z.int(),
    changed: z.number(),
    areas: z.array(AreaView),
  })
  .meta({ id: 'Plan' });
export const SpotView = z.object({ device: z.string(), plan: z.string(), x: Unit, y: Unit }).meta({ id: 'PlanSpot' });
export const PlanList = z.object({
  plans: z.array(PlanView),
  spots: z.array(SpotView).describe('Where devices are; each on one plan'),
});

const OnePlan = z.object({ id: PlanId });
const OneDevice = z.object({ device: DeviceId });
const tags = ['plans'];
const config = { access: 'manager' } as const;

export function planRoutes(app: Api, { plans, pictures, registry }: Context): void {
  const view = (id: string): z.output<typeof PlanView> => ({ ...plans.get(id), areas: plans.areas(id) });
  // As a stream: the gateway never holds a file that somebody sends it.
  app.addContentTypeParser([...PICTURES], (_request, payload, done) => done(null, payload));

  app.get(
    '/api/plans',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: '平面图 plans, areas, and where devices are', response: answers(PlanList) },
    },
    async () => ({
      plans: plans.all().map(({ id }) => view(id)),
      spots: plans.spots().filter(({ device }) => registry.get(device) !== null),
    }),
  );

  app.get(
    '/api/plans/:id/picture',
    {
      config: { access: 'viewer', rateLimit: false },
      schema: { tags, summary: '图片 the picture of a plan (WebP)', params: OnePlan, response: answers(z.any()) },
    },
    async (request, reply) => {
      const plan = plans.get(request.params.id);
      const tag = `"${plan.sha256}"`;
      // Kept by the browser, but asked about each time: whoever is signed out sees nothing of it.
      reply.headers({ etag: tag, 'cache-control': 'private, no-cache', 'x-content-type-options': 'nosniff' });
      if (request.headers['if-none-match'] === tag) return reply.code(304).send();
      return reply.type('image/webp').send(plans.picture(plan.id));
    },
  );

  app.post(
    '/api/plans',
    {
      config: { ...config, bodies: PICTURES },
      bodyLimit: MOST_BYTES,
      schema: {
        tags,
        summary: '上传平面图 a new plan; the body is its picture: PNG, JPEG or WebP of at most 10 MB and 34 megapixels',
        description: 'The picture is drawn anew: upright, at most 4096 px a side, WebP, without metadata.',
        querystring: z.strictObject({ name: Name }),
        response: answers(PlanView),
      },
    },
    async (request) => {
      const { id } = await plans.add(request.query.name, await pictures.take(fileOf(request)), actorOf(request));
      return view(id);
    },
  );

  app.put(
    '/api/plans/:id/picture',
    {
      config: { ...config, bodies: PICTURES },
      bodyLimit: MOST_BYTES,
      schema: {
        tags,
        summary: '更换图片 another picture for a plan; what is placed stays where it is',
        params: OnePlan,
        response: answers(PlanView),
      },
    },
    async (request) => {
      const { id } = plans.get(request.params.id);
      await plans.redraw(id, await pictures.take(fileOf(request)), actorOf(request));
      return view(id);
    },
  );

  app.patch(
    '/api/plans/:id',
    {
      config,
      schema: {
        tags,
        summary: '修改平面图 another name for a plan, or the first place among them',
        params: OnePlan,
        body: z.strictObject({ name: Name.optional(), first: z.literal(true).optional() }),
        response: answers(PlanView),
      },
    },
    async (request) => {
      await plans.change(request.params.id, request.body, actorOf(request));
      return view(request.params.id);
    },
  );

  app.delete(
    '/api/plans/:id',
    {
      config,
      schema: {
        tags,
        summary: '删除平面图 remove a plan and what is placed on it',
        params: OnePlan,
        body: z.strictObject({ reason: someText(200) }),
        response: answers(Done),
      },
    },
    async (request) => {
      await plans.remove(request.params.id, actorOf(request), request.body.reason);
      return { ok: true as const };
    },
  );

  areaRoutes(app, { plans });
  spotRoutes(app, { plans, registry });
}

function areaRoutes(app: Api, { plans }: Pick<Context, 'plans'>): void {
  app.post(
    '/api/plans/:id/areas',
    {
      config,
      schema: {
        tags,
        summary: '添加楼栋 an outline or a label on a plan',
        params: OnePlan,
        body: AreaForm,
        response: answers(AreaView),
      },
    },
    async (request) => plans.addArea(request.params.id, request.body, actorOf(request)),
  );

  app.put(
    '/api/areas/:id',
    {
      config,
      schema: { tags, summary: '修改楼栋 change one', params: OnePlan, body: AreaForm, response: answers(AreaView) },
    },
    async (request) => plans.changeArea(request.params.id, request.body, actorOf(request)),
  );

  app.delete(
    '/api/areas/:id',
    { config, schema: { tags, summary: '删除楼栋 remove one', params: OnePlan, response: answers(Done) } },
    async (request) => {
      await plans.removeArea(request.params.id, actorOf(request));
      return { ok: true as const };
    },
  );
}

function spotRoutes(app: Api, { plans, registry }: Pick<Context, 'plans' | 'registry'>): void {
  app.put(
    '/api/spots/:device',
    {
      config,
      schema: {
        tags,
        summary: '放置设备 put a device on a plan; it leaves the place it had',
        params: OneDevice,
        body: z.strictObject({ plan: PlanId, x: Unit, y: Unit }),
        response: answers(SpotView),
      },
    },
    async (request) => {
      const { device } = request.params;
      if (registry.get(device) === null) {
        throw new QuanweiError('NOT_FOUND', '没有此设备 · there is no such device', { where: device });
      }
      return plans.place({ device, ...request.body }, actorOf(request));
    },
  );

  app.delete(
    '/api/spots/:device',
    {
      config,
      schema: { tags, summary: '移出平面图 take a device off its plan', params: OneDevice, response: answers(Done) },
    },
    async (request) => {
      await plans.takeOff(request.params.device, actorOf(request));
      return { ok: true as const };
    },
  );
}

/** What the parser above handed on. */
function fileOf({ body, headers }: FastifyRequest): Readable {
  if (body === undefined || body === null) {
    throw new QuanweiError('BAD_REQUEST', '没有图片 · there is no picture', {
      hint: `send it as ${PICTURES.join(', ')}`,
    });
  }
  if (Number(headers['content-length'] ?? 0) > MOST_BYTES) {
    throw new QuanweiError('BAD_PICTURE', '图片文件太大 · the file is too large', {
      hint: `at most ${MOST_BYTES / 1024 / 1024} MB`,
    });
  }
  return body as Readable;
}

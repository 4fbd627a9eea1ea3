import type { IncomingMessage } from 'node:http';
import type { FastifyReply } from 'fastify';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { QuanweiError } from '../../kernel/errors.ts';
import { answers, DeviceId } from '../forms.ts';
import { actorOf, person, refuseForeignSocket } from '../guard.ts';
import type { Api, Context } from './context.ts';

/** Bytes a browser may leave unread before its live view is ended. */
const UNREAD = 4 * 1024 * 1024;

export const CameraView = z
  .object({
    id: z.string(),
    name: z.string(),
    place: z.string(),
    online: z.boolean().nullable().describe('`null` until it has been seen for the first time'),
    lastSeen: z.number().nullable(),
    reason: z.string().nullable().describe('Why there is no picture'),
    fps: z.number().nullable().describe('Frames a second that are analysed'),
    pictureAt: z.number().nullable().describe('When the newest picture was seen'),
    troubles: z.array(z.string()).describe('What is wrong with its picture: `dark`, `covered`, `moved`, `frozen`, …'),
    wanted: z.number().describe('Frames a second that are to be analysed'),
    fences: z.int(),
    lines: z.int(),
    zones: z.int(),
    faces: z.boolean(),
    opens: z.string().nullable().describe('Door that a known face opens'),
  })
  .meta({ id: 'Camera' });
export const CameraList = z.object({
  vision: z.boolean().describe('Whether the vision process answers'),
  cameras: z.array(CameraView),
});
const Named = z.object({ id: DeviceId });
const Stream = z.strictObject({ stream: z.enum(['main', 'sub']).default('sub') });

export function cameraRoutes(app: Api, { cameras: settings, registry, vision, viewers }: Context): void {
  const tags = ['cameras'];
  const link = vision?.link ?? null;

  app.get(
    '/api/cameras',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: '摄像机列表 cameras and how they are',
        response: answers(CameraList),
      },
    },
    async () => {
      const states = (await link?.state())?.cameras ?? null;
      const cameras = settings.all().map(({ id, name = id, place, fps: wanted, fences, lines, zones, faces }) => {
        const { online, lastSeen } = registry.state(id);
        const { reason = null, fps = null, pictureAt = null, troubles = [] } = states?.get(id) ?? {};
        return {
          ...{ id, name, place, online, lastSeen, reason, fps, pictureAt, troubles, wanted },
          fences: fences.length,
          lines: lines.length,
          zones: zones.length,
          faces: faces !== false,
          opens: faces === false ? null : (faces.opens ?? null),
        };
      });
      return { vision: states !== null, cameras };
    },
  );

  const known = (id: string): NonNullable<typeof link> => {
    if (link === null || !settings.has(id)) {
      throw new QuanweiError('NOT_FOUND', `没有此摄像机 · there is no camera ${id}`, { where: id });
    }
    return link;
  };

  app.get(
    '/api/cameras/:id/snapshot',
    {
      config: { access: 'operator' },
      schema: { tags, summary: '当前画面 the newest picture, JPEG', params: Named, response: answers(z.any()) },
    },
    async (request, reply) => {
      const { id } = request.params;
      const answer = await known(id).ask(`/cameras/${id}/snapshot`);
      viewers.looked(actorOf(request), 'snapshot', id);
      return passOn(answer, reply);
    },
  );

  app.get(
    '/api/cameras/:id/mjpeg',
    {
      config: { access: 'operator' },
      schema: {
        tags,
        summary:
          '连续图片 pictures one after the other (multipart/x-mixed-replace), where a browser cannot play the stream',
        params: Named,
        response: answers(z.any()),
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const at = known(id);
      const ends: { answer?: IncomingMessage } = {};
      const leave = viewers.enter(person(request).session.key, () => ends.answer?.destroy());
      request.raw.once('close', leave);
      const answer = await at.ask(`/cameras/${id}/mjpeg`).catch((thrown: unknown) => {
        leave();
        throw thrown;
      });
      ends.answer = answer;
      reply.raw.once('close', () => {
        leave();
        answer.destroy();
      });
      viewers.looked(actorOf(request), 'live', id);
      return passOn(answer, reply);
    },
  );

  app.route({
    method: 'GET',
    url: '/api/cameras/:id/live',
    config: { access: 'operator' },
    schema: {
      tags,
      summary: '实时画面 WebSocket: first a text `{"codec":"avc1.…"}`, then fragmented MP4 for Media Source Extensions',
      description: '`codec` is null when no browser can play it; then use `mjpeg`.',
      params: Named,
      querystring: Stream,
      response: answers(z.any()),
    },
    preValidation: async (request) => refuseForeignSocket(request),
    handler: () => {
      throw new QuanweiError('BAD_REQUEST', '这里需要 WebSocket · a WebSocket is wanted here', { where: 'upgrade' });
    },
    wsHandler: (socket, request) => {
      const { id } = request.params as z.output<typeof Named>;
      const { stream = 'sub' } = request.query as { stream?: 'main' | 'sub' };
      try {
        const source = known(id).watch(`/cameras/${id}/live?stream=${stream}`);
        const leave = viewers.enter(person(request).session.key, () => socket.close(1001));
        viewers.looked(actorOf(request), 'live', id);
        pass(source, socket);
        socket.on('close', () => {
          leave();
          source.terminate();
        });
      } catch (thrown) {
        const code = thrown instanceof QuanweiError && thrown.code === 'TOO_MANY' ? 1013 : 1008;
        socket.close(code, thrown instanceof QuanweiError ? thrown.code : 'INVARIANT');
      }
    },
  });
}

/** A slow browser is let go: what it did not read would be kept in our memory. */
function pass(source: WebSocket, socket: WebSocket): void {
  source.on('message', (data: Buffer, binary) => {
    if (socket.readyState !== WebSocket.OPEN) return;
    if (socket.bufferedAmount > UNREAD) socket.terminate();
    else socket.send(data, { binary });
  });
  source.on('close', (_code, reason) => socket.close(1011, reason.subarray(0, 100)));
  source.on('error', () => socket.close(1011, 'vision'));
  socket.on('error', () => undefined);
}

const PASSED = ['content-type', 'content-length', 'content-range', 'accept-ranges', 'last-modified'] as const;

/** The vision process’s answer as ours. @throws QuanweiError NOT_FOUND, CAMERA_UNAVAILABLE */
export function passOn(answer: IncomingMessage, reply: FastifyReply): FastifyReply {
  const { statusCode = 500, headers } = answer;
  if (statusCode !== 200 && statusCode !== 206 && statusCode !== 416) {
    answer.resume();
    if (statusCode === 404) throw new QuanweiError('NOT_FOUND', '没有这份证据 · there is no such thing');
    throw new QuanweiError('CAMERA_UNAVAILABLE', '摄像机没有画面 · the camera gives no picture');
  }
  for (const name of PASSED) if (headers[name] !== undefined) reply.header(name, headers[name]);
  return reply.code(statusCode).header('x-content-type-options', 'nosniff').send(answer);
}

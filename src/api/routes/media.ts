import { z } from 'zod';
import { QuanweiError } from '../../kernel/errors.ts';
import { isMediaReference, mediaPart } from '../../kernel/media.ts';
import { answers } from '../forms.ts';
import { actorOf } from '../guard.ts';
import { passOn } from './cameras.ts';
import type { Api, Context } from './context.ts';

const Reference = z.object({
  year: z.string().regex(/^\d{4}$/),
  month: z.string().regex(/^\d{2}$/),
  day: z.string().regex(/^\d{2}$/),
  name: z.string().max(160),
});

export function mediaRoutes(app: Api, { vision, viewers }: Context): void {
  app.get(
    '/api/media/:year/:month/:day/:name',
    {
      config: { access: 'operator', rateLimit: false },
      schema: {
        tags: ['cameras'],
        summary: '证据 a piece of evidence by its reference: a picture or a clip, whole or in part (`Range`)',
        description: 'Who looked is in the journal; `?copy=1` is a copy to take away, and recorded as one each time.',
        params: Reference,
        querystring: z.strictObject({ copy: z.literal('1').optional() }),
        response: answers(z.any()),
      },
    },
    async (request, reply) => {
      const { year, month, day, name } = request.params;
      const ref = `media/${year}/${month}/${day}/${name}`;
      const range = request.headers.range;
      if (vision === null || !isMediaReference(ref)) throw nothing(ref);
      const copy = request.query.copy !== undefined;
      const looked = () => viewers.looked(actorOf(request), copy ? 'copy' : 'evidence', ref);
      if (copy) reply.header('content-disposition', `attachment; filename="${name}"`);
      // On this box it can be had although the vision process is away; from another box it has to be asked for.
      const part = mediaPart(vision.data, ref, range);
      if (part === null) {
        const answer = await vision.link.ask(`/${ref}`, range === undefined ? {} : { range });
        const passed = passOn(answer, reply);
        looked();
        return passed;
      }
      looked();
      reply.code(part.status).headers({ ...part.headers });
      return part.open === undefined ? reply.send() : reply.send(part.open());
    },
  );
}

const nothing = (ref: string): QuanweiError =>
  new QuanweiError('NOT_FOUND', '没有这份证据 · there is no such evidence', { where: ref });

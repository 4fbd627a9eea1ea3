import { z } from 'zod';
import { iso } from '../../kernel/clock.ts';
import { QuanweiError } from '../../kernel/errors.ts';
import { actorOf } from '../guard.ts';
import { Problem } from '../problems.ts';
import type { Api, Context } from './context.ts';

/** The file that whoever helps is given, for an administrator who has no terminal at hand. */
export function supportRoutes(app: Api, { journal, support = null, clock }: Context): void {
  app.get(
    '/api/system/support-bundle',
    {
      config: { access: 'admin' },
      schema: {
        tags: ['system'],
        summary:
          '支持包 versions, check, configuration and journal, without secrets or people; that it was taken is recorded',
        response: { 200: z.any().describe('application/gzip'), default: Problem },
      },
    },
    async (request, reply) => {
      if (support === null) {
        throw new QuanweiError('NOT_FOUND', '请在终端运行 quanwei support-bundle · run quanwei support-bundle');
      }
      const archive = await support();
      const body = { what: 'support bundle', bytes: archive.length };
      await journal.append([{ kind: 'system.backup', actor: actorOf(request), subject: null, body }]);
      const stamp = iso(clock.wall()).replace(/[-:]|\.\d+/g, '');
      return reply
        .type('application/gzip')
        .header('content-disposition', `attachment; filename="quanwei-support-${stamp}.tar.gz"`)
        .send(archive);
    },
  );
}

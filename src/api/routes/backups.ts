import { createReadStream, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { backup, backupsIn } from '../../journal/backup.ts';
import { cancelRestore, stagedRestore, stageRestore } from '../../journal/restore-request.ts';
import { QuanweiError } from '../../kernel/errors.ts';
import { answers, Done } from '../forms.ts';
import { actorOf } from '../guard.ts';
import { Problem } from '../problems.ts';
import type { Api, Context } from './context.ts';

const Backup = z.object({
  file: z.string(),
  bytes: z.number(),
  head: z.int(),
  removed: z.array(z.string()).readonly(),
});
export const BackupsView = z.object({
  dir: z.string(),
  keep: z.int(),
  backups: z.array(z.object({ name: z.string(), bytes: z.number(), made: z.number() })).describe('Newest first'),
  staged: z
    .object({ name: z.string(), actor: z.string(), at: z.number() })
    .nullable()
    .describe('Will be restored when the gateway starts the next time'),
});
const Named = z.object({ name: z.string().regex(/^quanwei-[0-9TZ-]{16,24}\.db$/, 'a name from the list') });

/** Copies of the journal: made, listed, fetched, and put back at the next start. All of it is for administrators. */
export function backupRoutes(app: Api, { journal, config, clock }: Context): void {
  const access = { access: 'admin' } as const;
  const tags = ['system'];
  const dir = config.backup.dir ?? join(journal.dir, 'backups');
  let backingUp = false;

  const view = (): z.output<typeof BackupsView> => {
    const staged = stagedRestore(journal.dir);
    return {
      dir,
      keep: config.backup.keep,
      backups: backupsIn(dir)
        .reverse()
        .map((file) => {
          const { size, mtimeMs } = statSync(file);
          return { name: basename(file), bytes: size, made: mtimeMs };
        }),
      staged: staged === null ? null : { name: basename(staged.file), actor: staged.actor, at: staged.at },
    };
  };
  const find = (name: string): string => {
    const file = backupsIn(dir).find((one) => basename(one) === name);
    if (file === undefined) throw new QuanweiError('NOT_FOUND', `没有备份 ${name} · there is no such backup`);
    return file;
  };
  const record = (actor: string, body: object) =>
    journal.append([{ kind: 'system.backup', actor, subject: null, body }]);

  app.post(
    '/api/system/backup',
    {
      config: access,
      schema: {
        tags,
        summary: '立即备份 copy and examine the journal now, into the directory of the configuration',
        response: answers(Backup),
      },
    },
    async (request) => {
      if (backingUp) throw new QuanweiError('CONFLICT', '正在备份 · a backup is under way');
      backingUp = true;
      try {
        const made = await backup({ dir: journal.dir, to: dir, keep: config.backup.keep, clock });
        await record(actorOf(request), made);
        return made;
      } finally {
        backingUp = false;
      }
    },
  );

  app.get(
    '/api/backups',
    { config: access, schema: { tags, summary: '备份列表 the backups there are', response: answers(BackupsView) } },
    async () => view(),
  );

  app.get(
    '/api/backups/:name',
    {
      config: access,
      schema: {
        tags,
        summary: '下载备份 the file itself; that it was taken is recorded first',
        params: Named,
        response: { 200: z.any().describe('application/vnd.sqlite3'), default: Problem },
      },
    },
    async (request, reply) => {
      const file = find(request.params.name);
      await record(actorOf(request), { what: 'downloaded', file });
      return reply
        .type('application/vnd.sqlite3')
        .header('content-disposition', `attachment; filename="${basename(file)}"`)
        .header('content-length', statSync(file).size)
        .send(createReadStream(file));
    },
  );

  app.post(
    '/api/backups/:name/restore',
    {
      config: access,
      schema: {
        tags,
        summary: '恢复备份 put it back when the gateway starts the next time; what is there now is kept aside',
        params: Named,
        body: z.strictObject({ confirm: z.literal(true) }),
        response: answers(BackupsView),
      },
    },
    async (request) => {
      const file = find(request.params.name);
      const actor = actorOf(request);
      await record(actor, { what: 'restore asked for', file });
      stageRestore(journal.dir, { file, actor, at: Math.round(clock.wall()) });
      return view();
    },
  );

  app.delete(
    '/api/backups/restore',
    { config: access, schema: { tags, summary: '取消恢复 take it back', response: answers(Done) } },
    async (request) => {
      const staged = stagedRestore(journal.dir);
      if (staged !== null) {
        await record(actorOf(request), { what: 'restore cancelled', file: staged.file });
        cancelRestore(journal.dir);
      }
      return { ok: true as const };
    },
  );
}

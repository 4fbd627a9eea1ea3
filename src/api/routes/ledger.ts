import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import type { Alarm } from '../../alarms/alarm.ts';
import type { Board } from '../../alarms/board.ts';
import { Calendar } from '../../alarms/calendar.ts';
import { ALARM_SEARCH, type AlarmSearch, filterOf } from '../alarm-search.ts';
import { COLUMNS } from '../export/columns.ts';
import { csvOf } from '../export/csv.ts';
import { ExportDesk } from '../export/desk.ts';
import type { Sheet } from '../export/sheet.ts';
import { xlsxOf } from '../export/xlsx.ts';
import { answers } from '../forms.ts';
import { actorOf, person } from '../guard.ts';
import { atLeast } from '../roles.ts';
import type { Api, Context } from './context.ts';

/** Alarms read at a time: a fire alarm that comes meanwhile waits for one page and no longer. */
const PAGE = 250;
const TITLE = { zh: '警情台账', en: 'Alarm ledger' } as const;
const FORMATS = {
  csv: { type: 'text/csv; charset=utf-8', write: csvOf },
  xlsx: { type: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', write: xlsxOf },
} as const;

const Export = z.strictObject({
  ...ALARM_SEARCH,
  state: ALARM_SEARCH.state.default('all'),
  format: z.enum(['csv', 'xlsx']),
  lang: z.enum(['zh', 'en']).default('zh').describe('Of the heads and of the words for states'),
});

export function ledgerRoutes(app: Api, { board, journal, clock, config }: Context): void {
  const calendar = new Calendar(config.site.timezone);
  const desk = new ExportDesk(clock);
  app.addHook('preClose', async () => desk.close());

  app.get(
    '/api/alarms/export',
    {
      config: { access: 'operator' },
      schema: {
        tags: ['alarms'],
        summary: '导出台账 what a search finds, as CSV or XLSX, newest first; recorded in the journal',
        description:
          'Streamed: a hundred thousand rows are no more work for the box than one. Who told something and how to ' +
          'reach them is left out for whoever is no manager. Two at a time (429).',
        querystring: Export,
        response: answers(z.any()),
      },
    },
    async (request, reply) => {
      const { format, lang, ...search } = request.query;
      const personal = atLeast(person(request).account.role, 'manager');
      const place = desk.enter();
      try {
        // Before the first byte: what is not on the record is not given away.
        await journal.append([
          {
            kind: 'ledger.exported',
            actor: actorOf(request),
            subject: null,
            body: { format, personal, search },
          },
        ]);
      } catch (thrown) {
        place.leave();
        throw thrown;
      }
      const sheet: Sheet = {
        title: TITLE[lang],
        columns: COLUMNS.filter((column) => personal || column.personal !== true),
        language: lang,
        calendar,
        pages: pagesOf(board, search, place.moved),
      };
      const day = calendar.text(clock.wall()).slice(0, 10);
      reply.type(FORMATS[format].type);
      reply.header(
        'content-disposition',
        attachment(`${config.site.name}-${TITLE[lang]}-${day}.${format}`, day, format),
      );
      return reply.send(place.carry(FORMATS[format].write(sheet)));
    },
  );
}

/** Page after page, as fast as they are taken; whatever else has come goes first in between. */
async function* pagesOf(board: Board, search: AlarmSearch, moved: () => void): AsyncGenerator<readonly Alarm[]> {
  const filter = filterOf(search);
  for (let before: string | undefined; ; ) {
    const { alarms, next } = board.page({ ...filter, before, limit: PAGE });
    moved();
    yield alarms;
    if (next === null) return;
    before = next;
    await setImmediate();
  }
}

/** RFC 6266: a plain name for old programs, the real one for the others. */
function attachment(name: string, day: string, format: string): string {
  const encoded = encodeURIComponent(name).replaceAll(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
  return `attachment; filename="ledger-${day}.${format}"; filename*=UTF-8''${encoded}`;
}

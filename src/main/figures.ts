import type { JournalReader } from '../journal/reader.ts';

/** What the messages of devices are, in the journal; the index of kinds leaves them out (migration 001). */
const MESSAGE = 'message';

interface Counted {
  readonly kind: string;
  readonly entries: number;
}

/**
 * How much lies in a journal, from its indexes and summaries alone: a journal of gigabytes is read beside fire alarms, from
 * the same disk. Messages are what is left of all when every other kind and what was removed are taken away.
 */
export function figures(reader: Pick<JournalReader, 'head' | 'select'>) {
  const head = reader.head();
  const kinds = reader.select<Counted>(
    `SELECT kind, count(*) AS entries FROM entries INDEXED BY entries_kind WHERE kind <> '${MESSAGE}' GROUP BY kind`,
  );
  const [gone] = reader.select<{ n: number }>('SELECT coalesce(sum(last - first + 1), 0) AS n FROM anchors');
  const others = kinds.reduce((sum, { entries }) => sum + entries, 0);
  return {
    head,
    removed: gone?.n ?? 0,
    // What came in between the questions belongs to none of them.
    kinds: [...kinds, { kind: MESSAGE, entries: Math.max(0, head - others - (gone?.n ?? 0)) }],
    everInLanes: reader.select(
      'SELECT coalesce(sum(lane2), 0) AS lane2, coalesce(sum(lane3), 0) AS lane3, coalesce(max(last), 0) AS upTo FROM segments',
    )[0],
    cursors: reader.select('SELECT name, seq FROM cursors'),
    versions: reader.select('SELECT * FROM versions'),
    pages: reader.select('SELECT page_count, page_size FROM pragma_page_count, pragma_page_size'),
  };
}

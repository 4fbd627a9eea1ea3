import type { Entry, EntryKind } from './entry.ts';
import { JournalReader } from './reader.ts';

const CHUNK = 500;

/**
 * Entries in order, a few hundred at a time: memory does not grow with the journal, and the log of a gateway that is
 * running beside is never held up. Ends at the newest entry there was when it got there.
 * @param source a data directory (opened read-only, without taking it) or an open reader
 * @param options.from first seq
 * @throws QuanweiError NOT_FOUND when there is no journal, STORAGE_*
 */
export function* exportEntries(
  source: string | JournalReader,
  options: { from?: number; kind?: EntryKind; kinds?: readonly EntryKind[]; subject?: string } = {},
): Generator<Entry, void, undefined> {
  const kinds = options.kind === undefined ? options.kinds : [options.kind];
  const reader = typeof source === 'string' ? JournalReader.open(source) : source;
  try {
    let after = (options.from ?? 1) - 1;
    for (;;) {
      const entries = reader.read({
        after,
        limit: CHUNK,
        ...(kinds === undefined ? {} : { kinds }),
        ...(options.subject === undefined ? {} : { subject: options.subject }),
      });
      yield* entries;
      const last = entries.at(-1);
      if (last === undefined) return;
      after = last.seq;
    }
  } finally {
    if (reader !== source) reader.close();
  }
}

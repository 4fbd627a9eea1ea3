import type { Entry, EntryKind, Lane } from '../../src/journal/entry.ts';
import type { ReadOptions } from '../../src/journal/reader.ts';
import type { LaneSource } from '../../src/upstream/lookup.ts';

/** The reading side of a journal, in memory: what the property tests of the lanes run on, thousands of times. */
export class MemoryJournal implements LaneSource {
  readonly entries: Entry[] = [];

  head(): number {
    return this.entries.length;
  }

  read(options: ReadOptions): Entry[] {
    const { after = 0, before = Number.MAX_SAFE_INTEGER, limit, kinds, lanes, subject, newestFirst = false } = options;
    const found = this.entries.filter(
      (entry) =>
        entry.seq > after &&
        entry.seq < before &&
        (kinds === undefined || kinds.includes(entry.kind)) &&
        (lanes === undefined || (entry.lane !== null && lanes.includes(entry.lane))) &&
        (subject === undefined || entry.subject === subject),
    );
    return (newestFirst ? found.reverse() : found).slice(0, limit);
  }

  append(kind: EntryKind, subject: string, lane: Lane | null, wall = 0): Entry {
    const seq = this.entries.length + 1;
    const entry: Entry = {
      seq,
      id: `00000000-0000-7000-8000-${String(seq).padStart(12, '0')}`,
      kind,
      actor: 'system',
      subject,
      wall,
      boot: 'boot',
      mono: wall,
      clock: 'synced',
      deviceTime: null,
      lane,
      body: {},
    };
    this.entries.push(entry);
    return entry;
  }

  count(lane: Lane, after: number): number {
    return this.entries.filter((entry) => entry.lane === lane && entry.seq > after).length;
  }
}

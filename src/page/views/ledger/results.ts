import { onScopeDispose, type ShallowRef, shallowRef } from 'vue';
import { query, request } from '../../api/request.ts';
import type { Alarm, AlarmPage } from '../../api/types.ts';

const PAGE = 50;
/** A search for something rare looks at some thousands of alarms in one request; so many requests before asking a person. */
const IN_A_ROW = 10;

export interface Results {
  readonly rows: ShallowRef<readonly Alarm[]>;
  readonly total: ShallowRef<number | null>;
  /** There is more to be looked at. */
  readonly next: ShallowRef<string | null>;
  readonly busy: ShallowRef<boolean>;
  readonly error: ShallowRef<unknown>;
  /** Begins anew; of two at once the later one counts. */
  search(words: Record<string, string | number | undefined>): Promise<void>;
  more(): Promise<void>;
}

/** What a search has found so far, a page at a time. */
export function useResults(): Results {
  const rows = shallowRef<readonly Alarm[]>([]);
  const total = shallowRef<number | null>(null);
  const next = shallowRef<string | null>(null);
  const busy = shallowRef(true);
  const error = shallowRef<unknown>(null);
  let words: Record<string, string | number | undefined> = {};
  let last = new AbortController();

  async function read(begin: boolean): Promise<void> {
    last.abort();
    const mine = new AbortController();
    last = mine;
    busy.value = true;
    error.value = null;
    let before = begin ? null : next.value;
    const known = begin ? [] : rows.value;
    const found: Alarm[] = [];
    try {
      for (let i = 0; i < IN_A_ROW && found.length < PAGE; i += 1) {
        const path = `/api/alarms${query({ ...words, limit: PAGE, before })}`;
        const page = await request<AlarmPage>(path, { signal: mine.signal });
        if (mine.signal.aborted) return;
        if (begin && i === 0) total.value = page.total;
        found.push(...page.alarms);
        before = page.next;
        if (before === null) break;
      }
      rows.value = [...known, ...found];
      next.value = before;
    } catch (thrown) {
      if (!mine.signal.aborted) error.value = thrown;
    } finally {
      if (last === mine) busy.value = false;
    }
  }

  onScopeDispose(() => last.abort());
  return {
    rows,
    total,
    next,
    busy,
    error,
    search: (given) => {
      words = given;
      return read(true);
    },
    more: () => read(false),
  };
}

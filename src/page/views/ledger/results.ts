import { onScopeDispose, type ShallowRef, shallowRef } from 'vue';
import { query, request } from '../../api/request.ts';
import type { Alarm, AlarmPage } from '../../api/types.ts';

const PAGE = 50;
/** A search for something rare looks at some thousands of alarms in one request; so many requests before asking a person. */
const IN_A_ROW = 10;
/** The gateway gives no more at once. */
const LARGEST_PAGE = 500;

export interface Results {
  readonly rows: ShallowRef<readonly Alarm[]>;
  readonly total: ShallowRef<number | null>;
  /** There is more to be looked at. */
  readonly next: ShallowRef<string | null>;
  readonly busy: ShallowRef<boolean>;
  readonly error: ShallowRef<unknown>;
  /** Begins anew; of two at once the later one counts. */
  search(words: Record<string, string | number | undefined>): Promise<void>;
  /** The same once more, as far as it has come: what is shown stays until then. @throws Refused */
  again(words: Record<string, string | number | undefined>): Promise<void>;
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
  /** So many requests have led to what is shown. */
  let asked = 0;

  /** Adds what comes after `from`, or begins anew without it: `wanted` or more, as far as `most` requests go. */
  async function read(from: string | null, wanted: number, most: number): Promise<void> {
    last.abort();
    const mine = new AbortController();
    last = mine;
    busy.value = true;
    const known = from === null ? [] : rows.value;
    let requests = from === null ? 0 : asked;
    let before = from;
    const found: Alarm[] = [];
    try {
      for (let i = 0; i < most && found.length < wanted; i += 1) {
        const path = `/api/alarms${query({ ...words, limit: Math.min(wanted, LARGEST_PAGE), before })}`;
        const page = await request<AlarmPage>(path, { signal: mine.signal });
        if (mine.signal.aborted) return;
        if (before === null) total.value = page.total;
        requests += 1;
        found.push(...page.alarms);
        before = page.next;
        if (before === null) break;
      }
      rows.value = [...known, ...found];
      next.value = before;
      asked = requests;
      error.value = null;
    } catch (thrown) {
      if (!mine.signal.aborted) throw thrown;
    } finally {
      if (last === mine) busy.value = false;
    }
  }

  async function saying(reading: Promise<void>): Promise<void> {
    error.value = null;
    try {
      await reading;
    } catch (thrown) {
      error.value = thrown;
    }
  }

  async function again(given: typeof words): Promise<void> {
    words = given;
    const reading = read(null, Math.max(PAGE, rows.value.length), Math.max(IN_A_ROW, asked));
    // Where nothing is shown yet there is nothing to lose by showing what went wrong.
    await (rows.value.length === 0 ? saying(reading) : reading);
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
      return saying(read(null, PAGE, IN_A_ROW));
    },
    again,
    more: () => saying(read(next.value, PAGE, IN_A_ROW)),
  };
}

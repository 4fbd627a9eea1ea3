import { computed, type Ref, ref, type ShallowRef, shallowRef } from 'vue';
import { useLoading } from './loading.ts';

export interface Page<T> {
  readonly rows: readonly T[];
  /** Where the older ones begin; `null`: there are none. */
  readonly next: number | null;
}

export interface Pages<T> {
  /** Newest first; `null` before the first answer. */
  readonly rows: Ref<readonly T[] | null>;
  readonly error: ShallowRef<unknown>;
  readonly more: Ref<boolean>;
  readonly busy: Ref<boolean>;
  read(): Promise<void>;
  /** The older ones. @throws Refused */
  older(): Promise<void>;
  /** Something else is asked for now. */
  restart(): Promise<void>;
}

/** Rows that came by themselves below which older ones were asked for: with more, a page left open for days would draw them all. */
const MOST_GROWN = 2_000;
/** Pages asked for at most to close a gap between the newest and what is shown. */
const MOST_BETWEEN = 5;

/**
 * A list that grows at both ends: what is new comes on top by itself, what is older when it is asked for. Nothing between is
 * left out: when more has come than a few pages tell, the list begins anew. A page may have few rows or none, and still more
 * behind it.
 * @param ask one page, from the newest or from what `next` said
 * @param nameOf tells rows apart
 * @param every ms after which the newest are read again; `null`: not by itself
 */
export function usePages<T>(
  ask: (before: number | null, signal?: AbortSignal) => Promise<Page<T>>,
  nameOf: (row: T) => string,
  every: number | null,
): Pages<T> {
  /** Once older ones were asked for: all rows that are known. */
  const kept = shallowRef<readonly T[]>([]);
  /** Where what is older than `kept` begins; `undefined`: one page is all that is shown. */
  const next = ref<number | null | undefined>();
  const busy = ref(false);
  let run = 0;
  /** From here on up all rows are known that had come when the newest were read last. */
  let known: number | null = null;
  let grown = 0;
  const newest = useLoading(async (signal) => {
    const mine = run;
    const page = await ask(null, signal);
    const between = next.value === undefined ? [] : await rowsBetween(page, signal);
    if (!signal.aborted && mine === run) keep(page, between);
    return page;
  }, every);

  const merged = (...parts: (readonly T[])[]): T[] => {
    const held = new Map<string, T>();
    for (const row of parts.flat()) if (!held.has(nameOf(row))) held.set(nameOf(row), row);
    return [...held.values()];
  };
  const rows = computed(() => (newest.value.value === null ? null : merged(newest.value.value.rows, kept.value)));
  /** Asked for once, the older pages say themselves whether there is more. */
  const from = computed(() => (next.value === undefined ? (newest.value.value?.next ?? null) : next.value));

  /** What lies between the newest page and what is shown below it; `null`: too much. */
  async function rowsBetween(page: Page<T>, signal: AbortSignal): Promise<readonly T[] | null> {
    const shown = new Set(kept.value.map(nameOf));
    const found: T[] = [];
    let last = page;
    for (let more = 0; more <= MOST_BETWEEN; more += 1) {
      const meets = last.next === null || (known !== null && last.next <= known);
      if (meets || last.rows.some((row) => shown.has(nameOf(row)))) return found;
      last = await ask(last.next, signal);
      found.push(...last.rows);
    }
    return null;
  }

  function keep(page: Page<T>, between: readonly T[] | null): void {
    if (next.value !== undefined) {
      const all = between === null ? [] : merged(page.rows, between, kept.value);
      grown += all.length - kept.value.length;
      if (between === null || grown > MOST_GROWN) forget();
      else kept.value = all;
    }
    known = page.next;
  }

  function forget(): void {
    run += 1;
    kept.value = [];
    next.value = undefined;
    grown = 0;
  }

  async function older(): Promise<void> {
    if (busy.value || from.value === null) return;
    // From now on what was the newest page moves down with every row that comes.
    kept.value = rows.value ?? [];
    next.value = from.value;
    const mine = run;
    busy.value = true;
    try {
      const page = await ask(next.value);
      if (mine !== run) return;
      kept.value = merged(kept.value, page.rows);
      next.value = page.next;
    } finally {
      busy.value = false;
    }
  }

  async function restart(): Promise<void> {
    forget();
    newest.value.value = null;
    newest.error.value = null;
    await newest.read();
  }

  return {
    rows,
    error: newest.error,
    more: computed(() => from.value !== null),
    busy,
    read: newest.read,
    older,
    restart,
  };
}

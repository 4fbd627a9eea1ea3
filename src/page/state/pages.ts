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

/** Rows that are kept at most: with more, a page left open for days would have to draw all of them. */
const MOST = 2_000;

/**
 * A list that grows at both ends: what is new comes on top by itself, what is older when it is asked for. Nothing between is
 * left out: when more has come than one page tells, the list begins anew.
 * @param ask one page, from the newest or from what `next` said
 * @param nameOf tells rows apart
 * @param every ms after which the newest are read again; `null`: not by itself
 */
export function usePages<T>(
  ask: (before: number | null, signal?: AbortSignal) => Promise<Page<T>>,
  nameOf: (row: T) => string,
  every: number | null,
): Pages<T> {
  const kept = shallowRef<readonly T[]>([]);
  const next = ref<number | null | undefined>();
  const busy = ref(false);
  let run = 0;
  const newest = useLoading(async (signal) => {
    const page = await ask(null, signal);
    if (!signal.aborted) keep(page);
    return page;
  }, every);

  const merged = (top: readonly T[], below: readonly T[]): T[] => {
    const held = new Map<string, T>();
    for (const row of top) held.set(nameOf(row), row);
    for (const row of below) if (!held.has(nameOf(row))) held.set(nameOf(row), row);
    return [...held.values()];
  };
  const rows = computed(() => (newest.value.value === null ? null : merged(newest.value.value.rows, kept.value)));

  /** What was the newest page moves down with every row that comes. */
  function keep(page: Page<T>): void {
    if (next.value === undefined) return; // one page is all that is shown
    const known = new Set(kept.value.map(nameOf));
    const all = merged(page.rows, kept.value);
    if (all.length <= MOST && page.rows.some((row) => known.has(nameOf(row)))) kept.value = all;
    else forget();
  }

  function forget(): void {
    run += 1;
    kept.value = [];
    next.value = undefined;
  }
  /** Asked for once, the older pages say themselves whether there is more. */
  const from = computed(() => (next.value === undefined ? (newest.value.value?.next ?? null) : next.value));

  async function older(): Promise<void> {
    if (busy.value || from.value === null) return;
    const mine = run;
    busy.value = true;
    try {
      const page = await ask(from.value);
      if (mine !== run) return;
      kept.value = [...(rows.value ?? []), ...page.rows];
      next.value = page.next;
    } finally {
      busy.value = false;
    }
  }

  async function restart(): Promise<void> {
    forget();
    newest.value.value = null;
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

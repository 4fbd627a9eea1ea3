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

/**
 * A list that grows at both ends: what is new comes on top by itself, what is older when it is asked for.
 * @param ask one page, from the newest or from what `next` said
 * @param nameOf tells rows apart
 * @param every ms after which the newest are read again
 */
export function usePages<T>(
  ask: (before: number | null, signal?: AbortSignal) => Promise<Page<T>>,
  nameOf: (row: T) => string,
  every: number,
): Pages<T> {
  const newest = useLoading((signal) => ask(null, signal), every);
  const kept = shallowRef<readonly T[]>([]);
  const next = ref<number | null | undefined>();
  const busy = ref(false);
  let run = 0;

  const rows = computed(() => {
    if (newest.value.value === null) return null;
    const held = new Map<string, T>();
    for (const row of newest.value.value.rows) held.set(nameOf(row), row);
    for (const row of kept.value) if (!held.has(nameOf(row))) held.set(nameOf(row), row);
    return [...held.values()];
  });
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
    run += 1;
    kept.value = [];
    next.value = undefined;
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

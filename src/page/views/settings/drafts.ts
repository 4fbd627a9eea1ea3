import { defineStore } from 'pinia';
import { computed, reactive, shallowRef } from 'vue';
import { query, Refused, request } from '../../api/request.ts';
import { spoken } from '../../words/words.ts';
import type { Draft, Section, SectionKey, Setting, Settings } from './types.ts';

interface Editing {
  /** What is being typed. */
  value: Draft | null;
  /** What it was when the typing began. */
  readonly from: string;
  revision: number;
  /** By path in the value; '' for the whole. */
  problems: Record<string, string>;
  /** Somebody else changed it meanwhile: as it is now. */
  conflict: Setting | null;
  busy: boolean;
}

const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/** The settings as the box has them, and what has been typed and not been saved: it outlives going to another place. */
export const useDrafts = defineStore('settings-drafts', () => {
  const settings = shallowRef<Settings | null>(null);
  const error = shallowRef<unknown>(null);
  const editing = reactive(new Map<SectionKey, Editing>());

  async function read(): Promise<void> {
    try {
      settings.value = await request<Settings>('/api/settings');
      error.value = null;
      for (const [key, draft] of editing) if (!isDirty(draft)) editing.delete(key);
    } catch (thrown) {
      error.value = thrown;
    }
  }

  const section = (key: SectionKey): Section | null => settings.value?.sections.find((one) => one.key === key) ?? null;

  /** The draft of a section; begun from its value as it is. */
  function edit(key: SectionKey): Editing | null {
    const known = editing.get(key);
    if (known !== undefined) return known;
    const now = section(key);
    if (now === null) return null;
    const value = copy(now.value) as Draft | null;
    const begun = {
      value,
      from: JSON.stringify(value),
      revision: now.revision,
      problems: {},
      conflict: null,
      busy: false,
    };
    editing.set(key, begun);
    return editing.get(key) ?? null;
  }

  const isDirty = (draft: Editing): boolean => JSON.stringify(draft.value) !== draft.from;
  const dirty = computed(() => new Set([...editing].filter(([, draft]) => isDirty(draft)).map(([key]) => key)));

  /** @returns whether it was taken; what is wrong stands at its field otherwise, and nothing typed is lost */
  async function save(key: SectionKey): Promise<boolean> {
    const draft = edit(key);
    if (draft === null || draft.busy) return false;
    draft.busy = true;
    try {
      await request(`/api/settings/${key}`, { method: 'PUT', body: { value: draft.value, revision: draft.revision } });
      editing.delete(key);
      await read();
      return true;
    } catch (thrown) {
      draft.problems = problemsOf(thrown);
      draft.conflict = thrown instanceof Refused && thrown.code === 'CONFLICT' ? (thrown.current as Setting) : null;
      return false;
    } finally {
      draft.busy = false;
    }
  }

  /** With what somebody else saved known, saves all the same. */
  async function saveOver(key: SectionKey): Promise<boolean> {
    const draft = editing.get(key);
    if (draft?.conflict == null) return false;
    draft.revision = draft.conflict.revision;
    draft.conflict = null;
    return save(key);
  }

  async function discard(key: SectionKey): Promise<void> {
    editing.delete(key);
    await read();
  }

  /** @throws Refused */
  async function reset(key: SectionKey): Promise<void> {
    await request(`/api/settings/${key}${query({ revision: section(key)?.revision ?? 0 })}`, { method: 'DELETE' });
    await discard(key);
  }

  function forget(): void {
    editing.clear();
    settings.value = null;
  }

  return { settings, error, dirty, read, section, edit, save, saveOver, discard, reset, forget };
});

function problemsOf(thrown: unknown): Record<string, string> {
  if (!(thrown instanceof Refused) || thrown.where === undefined) return { '': spoken(thrown) };
  const many = (thrown.hint ?? '').split('\n').flatMap((line) => {
    const [, where, message] = /^([\w.]*): (.+ · .+)$/.exec(line) ?? [];
    return where === undefined || message === undefined ? [] : [[where, spoken(new Error(message))]];
  });
  return many.length > 0 ? Object.fromEntries(many) : { [thrown.where]: spoken(thrown) };
}

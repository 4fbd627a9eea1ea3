import { t, wordOf } from '../../words/words.ts';
import type { DoorRecord } from './types.ts';

export interface Outcome {
  readonly ok: boolean;
  readonly code: string;
  readonly detail: string;
  /** From the command on its way to the answer. */
  readonly ms: number;
}

/** What came of it, as it is and not as one would wish: a message that is on its way is not an open door. */
export function outcomeWord({ code, detail, ms }: Outcome): string {
  const seconds = (ms / 1_000).toFixed(1);
  if (code === 'opened') return t('doors.result_opened', { seconds });
  if (code === 'refused') return detail === '' ? t('doors.result_refused') : t('doors.result_refusedWith', { detail });
  if (code === 'timeout') return t('doors.result_timeout', { seconds });
  return wordOf('doors.result', code);
}

/** `user:li` → `li`; the others in words. */
export function actorWord(actor: string): string {
  const [sort = '', name = ''] = actor.split(/:(.*)/s);
  if (sort === 'user') return name;
  if (sort === 'device') return t('doors.byDevice', { name });
  return wordOf('doors.by', sort);
}

/** Whoever or whatever a record is about; empty when it does not say. */
export function whoOf({ kind, detail, actor }: DoorRecord): string {
  if (kind === 'opened') return detail['person'] === undefined ? actorWord(actor) : String(detail['person']);
  return namedIn(detail);
}

/** Who is named by what a device told: by name, else by a number. */
export function namedIn(detail: Readonly<Record<string, unknown>>): string {
  for (const name of ['person', 'name', 'customId', 'personId', 'card', 'user']) {
    const value = detail[name];
    if (value !== undefined && value !== null && String(value).trim() !== '') return String(value);
  }
  return '';
}

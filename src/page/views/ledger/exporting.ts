import { onScopeDispose, type ShallowRef, shallowRef } from 'vue';
import { query, Refused } from '../../api/request.ts';
import { bytes } from '../../words/time.ts';
import { language } from '../../words/words.ts';

export type ExportFormat = 'csv' | 'xlsx';
export interface Exporting {
  /** What is under way, and how much of it has come. */
  readonly now: ShallowRef<{ readonly format: ExportFormat; readonly size: string } | null>;
  /** @returns the name it was saved under @throws Refused */
  save(format: ExportFormat, words: Record<string, string | number | undefined>): Promise<string>;
}

/** Fetched and then saved, rather than followed as a link: so a refusal can be said in words. */
export function useExporting(): Exporting {
  const now = shallowRef<Exporting['now']['value']>(null);
  const gone = new AbortController();
  onScopeDispose(() => gone.abort());

  async function save(format: ExportFormat, words: Record<string, string | number | undefined>): Promise<string> {
    now.value = { format, size: bytes(0) };
    try {
      const path = `/api/alarms/export${query({ ...words, format, lang: language.value })}`;
      const answer = await fetch(path, { signal: gone.signal });
      if (!answer.ok || answer.body === null) {
        throw new Refused(answer.status, (await answer.json()) as ConstructorParameters<typeof Refused>[1]);
      }
      const parts: BlobPart[] = [];
      let size = 0;
      const reader = answer.body.getReader();
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        parts.push(part.value);
        size += part.value.length;
        now.value = { format, size: bytes(size) };
      }
      const name = nameOf(answer.headers.get('content-disposition') ?? '') ?? `ledger.${format}`;
      hand(new Blob(parts, { type: answer.headers.get('content-type') ?? '' }), name);
      return name;
    } finally {
      now.value = null;
    }
  }

  return { now, save };
}

function hand(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The browser has taken it over by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function nameOf(disposition: string): string | null {
  const encoded = /filename\*=UTF-8''([^;]+)/.exec(disposition)?.[1];
  return encoded === undefined ? null : decodeURIComponent(encoded);
}

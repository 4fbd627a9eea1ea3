import type { Bilingual } from '../terminal.ts';

/** `bad` would keep an alarm from being stored, shown or sent; `doubtful` will one day, or makes it worse. */
export type Verdict = 'good' | 'doubtful' | 'bad';

/** One thing looked at. */
export interface Finding {
  /** Stable name for programs: `disk.space`, `port.mqtt`, … */
  readonly name: string;
  readonly verdict: Verdict;
  readonly text: Bilingual;
  /** What to do about it; absent when nothing. */
  readonly advice?: Bilingual;
  /** Figures behind the text. */
  readonly figures?: Readonly<Record<string, string | number | boolean | null>>;
}

export const MARK: Readonly<Record<Verdict, string>> = { good: '✓', doubtful: '!', bad: '✗' };

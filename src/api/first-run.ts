import type { Journal } from '../journal/journal.ts';
import type { Clock } from '../kernel/clock.ts';
import { settingChange } from './settings.ts';

/**
 * How far the first setting-up has come. `none`: nobody needs it (a box of before, or one installed by a program) ·
 * `due`: the page leads the administrator there · `later`: it reminds · `finished`, `dismissed`: it is silent.
 */
export const FIRST_RUN_STATES = ['none', 'due', 'later', 'finished', 'dismissed'] as const;
export type FirstRunState = (typeof FIRST_RUN_STATES)[number];

const NAME = 'first-run';

/** The guide through the first start: remembered on the box, so that it is done once and not in every browser. */
export class FirstRun {
  readonly #journal: Journal;
  readonly #clock: Clock;
  #state: FirstRunState;
  #revision: number;

  /** @throws QuanweiError STORAGE_* */
  constructor({ journal, clock }: { journal: Journal; clock: Clock }) {
    this.#journal = journal;
    this.#clock = clock;
    const [row] = journal.select<{ value: string; revision: number }>(
      'SELECT value, revision FROM settings WHERE name = ?',
      NAME,
    );
    this.#state = row === undefined ? 'none' : (JSON.parse(row.value) as { state: FirstRunState }).state;
    this.#revision = row?.revision ?? 0;
  }

  get state(): FirstRunState {
    return this.#state;
  }

  /** With its entry in the journal, in one transaction. @throws QuanweiError STORAGE_* */
  async set(state: FirstRunState, actor: string): Promise<void> {
    const before = this.#state;
    if (before === state) return;
    const revision = this.#revision + 1;
    await this.#journal.append(
      [
        {
          kind: 'setting.changed',
          actor,
          subject: `setting:${NAME}`,
          body: { what: 'changed', section: NAME, before: { state: before }, after: { state } },
        },
      ],
      [settingChange(NAME, { state }, revision, Math.round(this.#clock.wall()), actor)],
    );
    this.#state = state;
    this.#revision = revision;
  }
}

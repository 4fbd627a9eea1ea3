import { defineStore } from 'pinia';
import { shallowRef } from 'vue';
import type { AskField } from './AskDialog.vue';

export interface Question {
  readonly title: string;
  readonly explain?: string;
  readonly fields?: readonly AskField[];
  readonly action?: string;
  readonly grave?: boolean;
  /** Gets the values by name; what it throws is shown, and the dialog stays. */
  readonly send: (values: Record<string, string>) => Promise<unknown>;
}

/** One dialog for the whole page: whoever wants something asked says `await asking.ask({…})`. */
export const useAsking = defineStore('asking', () => {
  const question = shallowRef<Question | null>(null);
  let answer: (done: boolean) => void = () => undefined;

  /** @returns whether it was done */
  function ask(what: Question): Promise<boolean> {
    answer(false);
    question.value = what;
    return new Promise((resolve) => {
      answer = resolve;
    });
  }

  function end(done: boolean): void {
    question.value = null;
    answer(done);
    answer = () => undefined;
  }

  return { question, ask, end };
});

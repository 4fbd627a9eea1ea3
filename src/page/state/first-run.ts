import { defineStore } from 'pinia';
import { shallowRef } from 'vue';
import { request } from '../api/request.ts';
import type { FirstRun } from '../api/types.ts';

/** Whether the box still wants its first setting-up; known to administrators alone, remembered on the box. */
export const useFirstRun = defineStore('first-run', () => {
  const now = shallowRef<FirstRun | null>(null);

  async function look(): Promise<void> {
    now.value = await request<FirstRun>('/api/first-run');
  }

  /** @throws Refused */
  async function put(state: 'later' | 'finished' | 'dismissed'): Promise<void> {
    now.value = await request<FirstRun>('/api/first-run', { method: 'PUT', body: { state } });
  }

  return { now, look, put };
});

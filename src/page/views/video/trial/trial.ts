import { computed, onScopeDispose, type ShallowRef, shallowRef } from 'vue';
import { Refused, request } from '../../../api/request.ts';
import { spoken } from '../../../words/words.ts';
import type { Settings, Trial, TrialEvent } from '../types.ts';
import { type Chosen, forget, send } from './footage.ts';

/** How often it is asked how far it is, ms. */
const LOOK_MS = 700;

/** A try from choosing its footage to looking at what came of it. */
export function useTrial(camera: string, settings: ShallowRef<Settings>) {
  const base = `/api/cameras/${encodeURIComponent(camera)}/trials`;
  const chosen = shallowRef<Chosen | null>(null);
  /** Whatever the time of day. */
  const always = shallowRef(false);
  const trial = shallowRef<Trial | null>(null);
  /** 0–1 of what is sent; `null`: nothing is. */
  const sending = shallowRef<number | null>(null);
  const problem = shallowRef<string | null>(null);
  /** What was tried, to tell whether it is still what is drawn. */
  const tried = shallowRef('');
  /** Where the footage is looked at, seconds; and the finding that is looked at. */
  const time = shallowRef(0);
  const event = shallowRef<number | null>(null);
  let going = new AbortController();

  const busy = computed(() => sending.value !== null || trial.value?.state === 'running');
  const stale = computed(() => trial.value !== null && !busy.value && tried.value !== JSON.stringify(settings.value));
  const events = computed<readonly TrialEvent[]>(() => trial.value?.events ?? []);

  function choose(what: Chosen | null): void {
    if (busy.value) return;
    forget(chosen.value);
    chosen.value = what;
    trial.value = null;
    problem.value = null;
    time.value = 0;
    event.value = null;
  }

  /** @param piece bytes that are sent at a time */
  async function start(piece: number): Promise<void> {
    const what = chosen.value;
    if (what === null || busy.value) return;
    going = new AbortController();
    const { signal } = going;
    problem.value = null;
    trial.value = null;
    event.value = null;
    const draft = settings.value;
    try {
      trial.value = await begun(what, draft, piece, signal);
      tried.value = JSON.stringify(draft);
      await followed(signal);
    } catch (thrown) {
      if (!signal.aborted) problem.value = spoken(thrown);
      if (trial.value?.state === 'running') trial.value = null;
    } finally {
      sending.value = null;
    }
  }

  async function begun(what: Chosen, draft: Settings, piece: number, signal: AbortSignal): Promise<Trial> {
    const order = (footage: object): Promise<Trial> =>
      request<Trial>(base, { body: { settings: draft, footage, begins: beginsOf(what) }, signal });
    if (what.kind === 'clip') return order({ clip: what.clip.ref });
    if (what.upload !== null) {
      try {
        return await order({ upload: what.upload });
      } catch (thrown) {
        // It was kept for a while only: then it is sent again.
        if (!(thrown instanceof Refused) || thrown.code !== 'NOT_FOUND') throw thrown;
      }
    }
    sending.value = 0;
    what.upload = await send(camera, what.file, piece, (part) => (sending.value = part), signal);
    const started = await order({ upload: what.upload });
    sending.value = null;
    return started;
  }

  function beginsOf(what: Chosen): number | null {
    return what.kind === 'file' || always.value ? null : Math.round(what.clip.begins);
  }

  async function followed(signal: AbortSignal): Promise<void> {
    while (trial.value?.state === 'running' && !signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      trial.value = await request<Trial>(`${base}/${trial.value.id}`, { signal });
    }
  }

  async function stop(): Promise<void> {
    going.abort();
    const running = trial.value;
    sending.value = null;
    if (running?.state !== 'running') return;
    trial.value = await request<Trial>(`${base}/${running.id}`, { method: 'DELETE' }).catch(() => null);
  }

  /** Back to the camera's own picture. */
  async function leave(): Promise<void> {
    await stop();
    trial.value = null;
    choose(null);
  }

  const pictureOf = (n: number): string => `${base}/${trial.value?.id ?? ''}/pictures/${n}`;

  onScopeDispose(() => {
    void stop();
    forget(chosen.value);
  });
  return {
    chosen,
    always,
    trial,
    sending,
    problem,
    time,
    event,
    busy,
    stale,
    events,
    choose,
    start,
    stop,
    leave,
    pictureOf,
  };
}
export type TrialRoom = ReturnType<typeof useTrial>;

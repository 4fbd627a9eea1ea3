import { computed, onScopeDispose, readonly, type ShallowRef, shallowRef } from 'vue';
import { Refused, request } from '../../../api/request.ts';
import { spoken } from '../../../words/words.ts';
import type { Footage, Settings, Trial, TrialEvent } from '../types.ts';
import { type Chosen, forget, send } from './footage.ts';

/** How often it is asked how far it is, ms. */
const LOOK_MS = 700;

/** A try from choosing its footage to looking at what came of it. The box has one at a time, and so has this. */
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
  /** Seconds of footage that are looked at; 0 before it is known. */
  const most = shallowRef(0);
  /** Where the footage is looked at, seconds; and the finding that is looked at. */
  const time = shallowRef(0);
  const event = shallowRef<number | null>(null);
  /** From the start until it is over at the box as well. */
  const busy = shallowRef(false);
  /** The box is being asked to begin: it cannot be called off before it has answered. */
  const ordering = shallowRef(false);
  /** It has been called off, and the box not answered yet. */
  const over = shallowRef(false);
  let going = new AbortController();

  const stale = computed(() => trial.value !== null && !busy.value && tried.value !== JSON.stringify(settings.value));
  const events = computed<readonly TrialEvent[]>(() => trial.value?.events ?? []);

  function show(what: Chosen | null): void {
    forget(chosen.value);
    chosen.value = what;
    trial.value = null;
    problem.value = null;
    time.value = 0;
    event.value = null;
  }
  function choose(what: Chosen | null): void {
    if (!busy.value) show(what);
  }

  async function start(limits: Footage['limits']): Promise<void> {
    const what = chosen.value;
    if (what === null || busy.value) return;
    busy.value = true;
    over.value = false;
    going = new AbortController();
    const { signal } = going;
    /** Once its footage is let go of, a run shows nothing any more. */
    const tell = (now: Trial | null, thrown: unknown = null): void => {
      if (chosen.value !== what) return;
      trial.value = now;
      problem.value = thrown === null ? null : spoken(thrown);
    };
    const draft = settings.value;
    most.value = limits.seconds;
    event.value = null;
    tell(null);
    let id: string | null = null;
    try {
      const begun = await ordered(what, draft, limits.piece, signal);
      id = begun.id;
      tried.value = JSON.stringify(draft);
      tell(begun);
      await followed(begun, tell, signal);
    } catch (thrown) {
      if (!signal.aborted) tell(null, thrown);
    }
    if (signal.aborted && id !== null) {
      try {
        tell(await request<Trial>(`${base}/${id}`, { method: 'DELETE' }));
      } catch (thrown) {
        tell(null, thrown);
      }
    }
    busy.value = false;
  }

  async function ordered(what: Chosen, draft: Settings, piece: number, signal: AbortSignal): Promise<Trial> {
    if (what.kind === 'clip') return order(what, draft, { clip: what.clip.ref });
    if (what.upload !== null) {
      try {
        return await order(what, draft, { upload: what.upload });
      } catch (thrown) {
        // It was kept for a while only: then it is sent again.
        if (!(thrown instanceof Refused) || thrown.code !== 'NOT_FOUND') throw thrown;
      }
    }
    sending.value = 0;
    try {
      what.upload = await send(camera, what.file, piece, (part) => (sending.value = part), signal);
    } finally {
      sending.value = null;
    }
    signal.throwIfAborted();
    return order(what, draft, { upload: what.upload });
  }

  /** Never called off: only its answer says what there is to end. */
  async function order(what: Chosen, draft: Settings, footage: object): Promise<Trial> {
    const begins = what.kind === 'file' || always.value ? null : Math.round(what.clip.begins);
    ordering.value = true;
    try {
      return await request<Trial>(base, { body: { settings: draft, footage, begins } });
    } finally {
      ordering.value = false;
    }
  }

  /** Until it is over or called off. @throws Refused it cannot be looked at any more */
  async function followed(begun: Trial, tell: (now: Trial) => void, signal: AbortSignal): Promise<void> {
    for (let { state } = begun; state === 'running' && !signal.aborted; ) {
      await pause(signal);
      try {
        const now = await request<Trial>(`${base}/${begun.id}`, { signal });
        state = now.state;
        tell(now);
      } catch (thrown) {
        if (!passes(thrown)) throw thrown;
      }
    }
  }

  function stop(): void {
    over.value = busy.value;
    going.abort();
  }
  /** Back to the camera's own picture. */
  function leave(): void {
    stop();
    show(null);
  }

  const pictureOf = (n: number): string => `${base}/${trial.value?.id ?? ''}/pictures/${n}`;

  onScopeDispose(leave);
  return {
    ...{ chosen, always, trial, sending, problem, time, event, stale, events, choose, start, stop, leave, pictureOf },
    ...{ most: readonly(most), busy: readonly(busy), ordering: readonly(ordering), over: readonly(over) },
  };
}
export type TrialRoom = ReturnType<typeof useTrial>;

/** Over at once when it is called off. */
const pause = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const over = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', over);
      resolve();
    };
    const timer = setTimeout(over, LOOK_MS);
    signal.addEventListener('abort', over);
  });

/** A look that failed says nothing of the try: the gateway was not reached, or is too busy for now. */
const passes = (thrown: unknown): boolean =>
  thrown instanceof Refused && (thrown.status === 0 || thrown.status === 429 || thrown.status >= 500);

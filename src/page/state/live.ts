import { defineStore } from 'pinia';
import { computed, shallowRef } from 'vue';
import { Refused, request } from '../api/request.ts';
import type { AlarmPage, Entry, GatewayState } from '../api/types.ts';
import { setNow } from '../words/time.ts';

const TOPICS = 'alarm,device,door,system,upstream,order';
/** The gateway speaks every 15 s; silence longer than this is a lost connection, whatever the socket says. */
const SILENCE_MS = 40_000;
const RETRY_MS = 2_000;
/** Entries that came back after a gap are told together when nothing more has come for this long. */
const SETTLED_MS = 1_000;

type OnEntry = (entry: Entry) => void;
/** Takes the whole list again, as of `seq`. */
type OnPage = (page: AlarmPage) => void;

/** What happened while nobody could see it, told once the connection is back. */
export interface Gap {
  /** ms since the epoch, by this browser's clock */
  readonly from: number;
  readonly to: number;
  /** Alarms raised meanwhile. */
  readonly raised: number;
}

/**
 * Follows the gateway by server-sent events. The browser comes back by itself with the seq it has; when the gateway
 * refuses or says that too much was missed, the list is read again. One stream for the whole page: views listen with `on`.
 */
export const useLive = defineStore('live', () => {
  const up = shallowRef(false);
  /** Since when it is down, by this browser's clock; `null` while up. */
  const downSince = shallowRef<number | null>(Date.now());
  /** The gateway's last word about itself; `null` before the first. */
  const state = shallowRef<GatewayState | null>(null);
  const gap = shallowRef<Gap | null>(null);
  const connected = computed(() => up.value);

  const listeners = new Map<string, Set<OnEntry>>();
  let takePage: OnPage = () => undefined;
  let sessionOver: () => void = () => undefined;
  let source: EventSource | null = null;
  let heardAt = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let watch: ReturnType<typeof setInterval> | undefined;
  let settling: ReturnType<typeof setTimeout> | undefined;
  let missedFrom: number | null = null;
  let missedRaised = 0;
  let everUp = false;
  let run = 0;

  /** @param topic beginning of an entry's kind: `alarm`, `device`, `door`… @returns stops listening */
  function on(topic: string, fn: OnEntry): () => void {
    const known = listeners.get(topic) ?? new Set();
    listeners.set(topic, known.add(fn));
    return () => void known.delete(fn);
  }

  function start(page: OnPage, ended: () => void): void {
    stop();
    takePage = page;
    sessionOver = ended;
    watch = setInterval(() => {
      if (source !== null && Date.now() - heardAt >= SILENCE_MS) {
        down();
        void begin();
      }
    }, 2_000);
    void begin();
  }

  function stop(): void {
    run += 1;
    clearInterval(watch);
    clearTimeout(retry);
    clearTimeout(settling);
    source?.close();
    source = null;
    up.value = false;
    downSince.value = Date.now();
    missedFrom = null;
    everUp = false;
  }

  async function begin(): Promise<void> {
    const mine = ++run;
    clearTimeout(retry);
    source?.close();
    source = null;
    let page: AlarmPage;
    try {
      page = await request<AlarmPage>('/api/alarms?limit=500');
    } catch (thrown) {
      if (mine !== run) return;
      if (thrown instanceof Refused && thrown.status === 401) sessionOver();
      else again();
      return;
    }
    if (mine !== run) return;
    takePage(page);
    const stream = new EventSource(`/api/live?topics=${TOPICS}&after=${page.seq}`);
    source = stream;
    heardAt = Date.now();
    stream.addEventListener('open', heard);
    stream.addEventListener('message', (event: MessageEvent<string>) => {
      heard();
      tell(JSON.parse(event.data) as Entry);
    });
    stream.addEventListener('state', (event: MessageEvent<string>) => {
      heard();
      const told = JSON.parse(event.data) as GatewayState;
      setNow(told.now);
      state.value = told;
    });
    stream.addEventListener('reset', () => void begin());
    stream.addEventListener('ended', (event: MessageEvent<string>) => {
      down();
      if ((JSON.parse(event.data) as { reason: string }).reason === 'session') sessionOver();
    });
    stream.addEventListener('error', () => {
      down();
      // Closed for good: the gateway answered something else than a stream.
      if (stream.readyState === EventSource.CLOSED) again();
    });
  }

  function again(): void {
    down();
    clearTimeout(retry);
    retry = setTimeout(() => void begin(), RETRY_MS);
  }

  function tell(entry: Entry): void {
    if (settling !== undefined && entry.kind === 'alarm.raised') missedRaised += 1;
    const topic = entry.kind.slice(0, entry.kind.indexOf('.'));
    for (const fn of listeners.get(topic) ?? []) fn(entry);
    for (const fn of listeners.get('*') ?? []) fn(entry);
  }

  function heard(): void {
    heardAt = Date.now();
    if (up.value) return;
    up.value = true;
    downSince.value = null;
    if (everUp && missedFrom !== null) settle(missedFrom, heardAt);
    everUp = true;
  }

  /** Back again: what comes in the next moment was missed. */
  function settle(from: number, to: number): void {
    missedRaised = 0;
    clearTimeout(settling);
    settling = setTimeout(() => {
      settling = undefined;
      missedFrom = null;
      gap.value = { from, to, raised: missedRaised };
    }, SETTLED_MS);
  }

  function down(): void {
    if (up.value || downSince.value === null) downSince.value = Date.now();
    if (up.value) missedFrom ??= Math.min(heardAt, Date.now());
    up.value = false;
  }

  return { up, connected, downSince, state, gap, on, start, stop };
});

import { defineStore } from 'pinia';
import { computed, shallowRef } from 'vue';
import { Refused, request } from '../api/request.ts';
import type { AlarmPage, Entry, GatewayState, Person } from '../api/types.ts';
import { now, setNow, tick } from '../words/time.ts';
import { tellBackAgain } from './back-again.ts';
import { type Gap, joined, raisedSince } from './missed.ts';

const TOPICS = 'alarm,device,door,plan,system,upstream,order';
/** The gateway speaks every 15 s; silence longer than this is a lost connection, whatever the socket says. */
const SILENCE_MS = 40_000;
const RETRY_MS = 2_000;
/** Entries that were missed come in one go; when nothing more has come for this long, that was all of them. */
const SETTLED_MS = 400;
/** The first moment of a reconnect is not worth frightening anybody, ms. */
const BLINK_MS = 1_500;

type OnEntry = (entry: Entry) => void;
/** Takes the whole list again, as of its `seq`. */
type OnPage = (page: AlarmPage) => void;

/**
 * Follows the gateway by server-sent events, from the entry it heard last: by itself where the browser comes back by
 * itself, and anew where it does not (asleep, refused, silent). When the gateway says that too much was missed, the
 * list is read again. One stream for the whole page: views listen with `on`.
 */
export const useLive = defineStore('live', () => {
  const up = shallowRef(false);
  /** Since when it is down, by this browser's clock; `null` while up. */
  const downSince = shallowRef<number | null>(Date.now());
  /** When the gateway was heard last before that, by the box's clock. */
  const heardWall = shallowRef(Date.now());
  /** The gateway's last word about itself; `null` before the first. */
  const state = shallowRef<GatewayState | null>(null);
  /** What was missed, for the banner; whoever has read it sets it to `null`. */
  const gap = shallowRef<Gap | null>(null);
  /** What was missed is being told: how things stand now is known when it is over. */
  const catching = shallowRef(false);
  /** Goes up when too much was missed: whoever has read a list has to read it again. */
  const epoch = shallowRef(0);
  const connected = computed(() => up.value);
  /** Down for longer than a reconnect takes: what is shown is old. */
  const stale = computed(() => {
    void tick.value;
    return downSince.value !== null && Date.now() - downSince.value > BLINK_MS;
  });

  const listeners = new Map<string, Set<OnEntry>>();
  let takePage: OnPage = () => undefined;
  let sessionOver: () => void = () => undefined;
  let source: EventSource | null = null;
  let heardAt = 0;
  /** The newest entry that was heard, or `null` before the list was read. */
  let seq: number | null = null;
  /** Entries up to here were missed, when the connection is back. */
  let missedUpTo = 0;
  /** Whoever has read a list has not been told since that it may be old. */
  let lost = false;
  let missed: { from: number; at: number; raised: number } | null = null;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let watch: ReturnType<typeof setInterval> | undefined;
  let settling: ReturnType<typeof setTimeout> | undefined;
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
    watch = setInterval(look, 2_000);
    addEventListener('online', look);
    document.addEventListener('visibilitychange', look);
    void begin();
  }

  function stop(): void {
    run += 1;
    clearInterval(watch);
    clearTimeout(retry);
    clearTimeout(settling);
    removeEventListener('online', look);
    document.removeEventListener('visibilitychange', look);
    source?.close();
    source = null;
    seq = null;
    missed = null;
    lost = false;
    catching.value = false;
    up.value = false;
    downSince.value = Date.now();
  }

  /** A computer that slept finds its connection as it left it, and nobody at the other end. */
  function look(): void {
    if (source === null || Date.now() - heardAt < SILENCE_MS) return;
    down();
    void begin();
  }

  async function begin(): Promise<void> {
    const mine = ++run;
    clearTimeout(retry);
    source?.close();
    source = null;
    try {
      if (seq === null) {
        const page = await request<AlarmPage>('/api/alarms?limit=500');
        if (mine !== run) return;
        seq = page.seq;
        takePage(page);
      } else {
        // Whether there is anybody to listen to, and whether they still know this person.
        const { person } = await request<{ person: Person | null }>('/api/session');
        if (mine !== run) return;
        if (person === null) return sessionOver();
      }
    } catch (thrown) {
      if (mine !== run) return;
      if (thrown instanceof Refused && thrown.status === 401) sessionOver();
      else again();
      return;
    }
    follow(seq);
  }

  function follow(after: number): void {
    const stream = new EventSource(`/api/live?topics=${TOPICS}&after=${after}`);
    source = stream;
    heardAt = Date.now();
    let fresh = true;
    stream.addEventListener('open', () => {
      fresh = true;
      heardAt = Date.now();
    });
    stream.addEventListener('message', (event: MessageEvent<string>) => {
      heardAt = Date.now();
      tell(JSON.parse(event.data) as Entry);
    });
    stream.addEventListener('state', (event: MessageEvent<string>) => {
      heardAt = Date.now();
      const told = JSON.parse(event.data) as GatewayState;
      setNow(told.now);
      state.value = told;
      // Every so often the gateway says how far it has read, though nothing of it was for us.
      const upTo = Number(event.lastEventId);
      if (event.lastEventId !== '' && seq !== null && upTo > seq) seq = upTo;
      if (fresh) back(told.head);
      fresh = false;
    });
    stream.addEventListener('reset', () => void reset());
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
    lost = true;
    clearTimeout(retry);
    retry = setTimeout(() => void begin(), RETRY_MS);
  }

  function tell(entry: Entry): void {
    seq = Math.max(seq ?? 0, entry.seq);
    if (missed !== null && entry.kind === 'alarm.raised' && entry.seq <= missedUpTo) missed.raised += 1;
    const topic = entry.kind.slice(0, entry.kind.indexOf('.'));
    for (const fn of listeners.get(topic) ?? []) fn(entry);
    for (const fn of listeners.get('*') ?? []) fn(entry);
    if (!catching.value) return;
    if (entry.seq >= missedUpTo) caughtUp();
    else settle();
  }

  /** The stream is there. @param head newest entry of the journal now */
  function back(head: number): void {
    missedUpTo = head;
    catching.value = missed !== null;
    up.value = true;
    downSince.value = null;
    if (missed !== null) {
      if (seq !== null && seq >= head) caughtUp();
      else settle();
    }
    if (lost) tellBackAgain();
    lost = false;
  }

  function settle(): void {
    clearTimeout(settling);
    settling = setTimeout(caughtUp, SETTLED_MS);
  }

  function caughtUp(): void {
    clearTimeout(settling);
    catching.value = false;
    if (missed === null) return;
    const { from, at, raised } = missed;
    missed = null;
    if (raised > 0 || now() - at >= BLINK_MS) gap.value = joined(gap.value, { from, to: now(), raised, more: false });
  }

  /** Too much was missed, or it is another journal than before: everything is read again. */
  async function reset(): Promise<void> {
    clearTimeout(settling);
    const since = missed ?? { from: heardWall.value, at: now() };
    missed = null;
    seq = null;
    catching.value = false;
    epoch.value += 1;
    lost = true;
    const mine = run + 1;
    await begin();
    try {
      const counted = await raisedSince(since.from);
      if (run === mine) gap.value = joined(gap.value, { from: since.from, to: now(), ...counted });
    } catch (thrown) {
      // Lost again meanwhile: then the next one counts from the same moment.
      if (run === mine) missed = { ...since, raised: 0 };
      if (!(thrown instanceof Refused)) throw thrown;
    }
  }

  function down(): void {
    if (up.value) {
      lost = true;
      heardWall.value = now() - (Date.now() - heardAt);
      missed ??= { from: heardWall.value, at: now(), raised: 0 };
      downSince.value = Date.now();
    }
    downSince.value ??= Date.now();
    up.value = false;
  }

  return { up, connected, downSince, heardWall, stale, state, gap, catching, epoch, on, start, stop };
});

import { defineStore } from 'pinia';
import { computed, shallowRef, triggerRef } from 'vue';
import { Refused, request } from '../api/request.ts';
import type { Alarm, AlarmLevel, AlarmPage, Entry } from '../api/types.ts';
import { byNeed, isClosed, rings, section } from './alarm.ts';
import { useSession } from './session.ts';

/** What comes within this time is drawn together, ms. */
const DRAW_MS = 30;
/** Of so many closed ones it is remembered that they are: an older word about them does not open them again. */
const CLOSED_KNOWN = 2_000;
/** With fewer than this in sight, and more at the gateway, the next are asked for. */
const FEW = 300;
/** The gateway takes so many acknowledgements in one request. */
const AT_ONCE = 200;

/** The alarms that are not closed: one list for the board, the map, the bell and the title. */
export const useAlarms = defineStore('alarms', () => {
  const session = useSession();
  const held = shallowRef(new Map<string, Alarm>());
  /** There are more than the gateway tells at once. */
  const more = shallowRef(false);
  const loaded = shallowRef(false);
  /** The ids of those that ring; a new set whenever it changes. The first one does not wait for the picture. */
  const ringing = shallowRef<ReadonlySet<string>>(new Set());
  let bells = new Set<string>();
  const closed = new Map<string, number>();
  let holding = false;
  let asking = false;
  let drawing: ReturnType<typeof setTimeout> | undefined;

  const open = computed(() => [...held.value.values()].sort(byNeed(session.vocabulary?.levels ?? {})));
  const bySection = computed(() => {
    const parts: Record<ReturnType<typeof section>, Alarm[]> = { now: [], hand: [], aside: [] };
    for (const alarm of open.value) parts[section(alarm)].push(alarm);
    return parts;
  });
  /** Of what is in earnest: whoever sees a number at level 1 must not have to ask whether it is a drill. */
  const byLevel = computed(() => {
    const counts: Record<AlarmLevel, number> = { 1: 0, 2: 0, 3: 0, 4: 0 };
    for (const { level, drill } of open.value) if (!drill) counts[level] += 1;
    return counts;
  });
  const unseen = computed(() => bySection.value.now.length);
  const rung = computed(() => ringing.value.size > 0);

  function replace(page: AlarmPage): void {
    closed.clear();
    held.value = new Map(page.alarms.map((alarm) => [alarm.id, alarm]));
    more.value = page.next !== null;
    ring();
    loaded.value = true;
  }

  /** Nobody is signed in any more: nothing is shown, and nothing rings. */
  function forget(): void {
    clearTimeout(drawing);
    drawing = undefined;
    holding = false;
    closed.clear();
    held.value = new Map();
    ring();
    more.value = false;
    loaded.value = false;
  }

  const isOlder = (alarm: Alarm): boolean => {
    const known = held.value.get(alarm.id);
    if (known === undefined) return (closed.get(alarm.id) ?? 0) > alarm.revision;
    return known.revision > alarm.revision || (known.revision === alarm.revision && known.count > alarm.count);
  };

  /** One alarm as it is now; an older word about it than the one known is ignored. */
  function take(alarm: Alarm): void {
    if (isOlder(alarm)) return;
    if (isClosed(alarm)) {
      held.value.delete(alarm.id);
      closed.set(alarm.id, alarm.revision);
      const [eldest] = closed.keys();
      if (closed.size > CLOSED_KNOWN && eldest !== undefined) closed.delete(eldest);
    } else held.value.set(alarm.id, alarm);
    if (holding) return;
    if (rings(alarm)) bells.add(alarm.id);
    else bells.delete(alarm.id);
    if (bells.size > 0 !== ringing.value.size > 0) ringing.value = new Set(bells);
    drawing ??= setTimeout(draw, DRAW_MS);
  }

  function draw(): void {
    clearTimeout(drawing);
    drawing = undefined;
    triggerRef(held);
    if (bells.size !== ringing.value.size || [...bells].some((id) => !ringing.value.has(id))) {
      ringing.value = new Set(bells);
    }
    if (more.value && !asking && held.value.size < FEW) void further();
  }

  /** Those that did not find room before, now that others have been closed. */
  async function further(): Promise<void> {
    asking = true;
    const before = held.value;
    try {
      const page = await request<AlarmPage>('/api/alarms?limit=500');
      // Read anew or signed out meanwhile: then this is of the past.
      if (held.value !== before) return;
      more.value = page.next !== null;
      for (const alarm of page.alarms) take(alarm);
    } catch (thrown) {
      // The next alarm that is closed asks again.
      if (!(thrown instanceof Refused)) throw thrown;
    } finally {
      asking = false;
    }
  }

  function ring(): void {
    bells = new Set([...held.value.values()].filter(rings).map(({ id }) => id));
    ringing.value = new Set(bells);
  }

  /** While the past is being told nothing rings and nothing is drawn: what matters is how it ended. */
  function hold(on: boolean): void {
    if (on === holding) return;
    holding = on;
    if (on) return;
    ring();
    draw();
  }

  function onEntry(entry: Entry): void {
    const body = entry.body as { alarm?: Alarm } | null;
    if (body?.alarm !== undefined) take(body.alarm);
  }

  const get = (id: string): Alarm | null => held.value.get(id) ?? null;

  /** All but level 1: a fire is acknowledged by somebody who has read where it is; `left` are so many. @throws Refused */
  async function acknowledgeAll(): Promise<{ done: number; refused: number; left: number }> {
    const waiting = bySection.value.now;
    const some = waiting.filter(({ level }) => level > 1);
    const told = { done: 0, refused: 0, left: waiting.length - some.length };
    for (let from = 0; from < some.length; from += AT_ONCE) {
      const alarms = some.slice(from, from + AT_ONCE).map(({ id, revision }) => ({ id, revision }));
      const { done, refused } = await request<{ done: Alarm[]; refused: unknown[] }>('/api/alarms/acknowledge', {
        body: { alarms },
      });
      for (const alarm of done) take(alarm);
      told.done += done.length;
      told.refused += refused.length;
    }
    return told;
  }

  return {
    held,
    open,
    bySection,
    byLevel,
    more,
    loaded,
    unseen,
    ringing,
    rung,
    replace,
    forget,
    take,
    hold,
    onEntry,
    get,
    acknowledgeAll,
  };
});

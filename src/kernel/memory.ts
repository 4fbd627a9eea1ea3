import { PerformanceObserver, performance } from 'node:perf_hooks';
import { getHeapSpaceStatistics, getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Cancel, Clock } from './clock.ts';

/** Bytes of the half of the young generation from which it is told to grow no more; a burst may overtake the telling. */
const LARGEST = 8 * 1024 * 1024;

// Left alone the young generation grows to three times 16 MB while modules are loaded and never gives them back: a
// quarter of all the memory a small box should need for us.
setFlagsFromString('--semi-space-growth-factor=1');

/** To be called when everything is loaded: from then on the young generation may grow, up to the bound. */
export function letYoungGenerationGrow(): void {
  // It is collected in about a millisecond, many times a second under load. To wake four threads for each of them costs more
  // than they save, on a box whose second processor has other work: a seventh of all that a flood of messages takes.
  setFlagsFromString('--no-parallel-scavenge');
  const mayGrow = new PerformanceObserver(() => {
    const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
    const half = (young?.space_size ?? LARGEST * 2) / 2;
    setFlagsFromString(`--semi-space-growth-factor=${half < LARGEST ? 2 : 1}`);
  });
  mayGrow.observe({ entryTypes: ['gc'] });
}

/** How often it is looked whether a burst is over, ms. */
const LOOK_MS = 500;
/** Bytes the heap must have grown by for it to be worth the pause. */
const GROWN = 16 * 1024 * 1024;
/** Share of the time the event loop was busy, above which a burst is under way, and below which nobody is kept waiting. */
const BURST = 0.5;
const IDLE = 0.1;
/** A burst is over when so many looks in a row have not seen it: bursts come in waves. */
const CALM_LOOKS = 20;

/** Tells when a burst has left something behind that is worth collecting, and nobody is kept waiting by it. */
export class BurstWatch {
  #calm = 0;
  /** Size of the heap when it was collected last, bytes; `null` before the first time. */
  #floor: number | null = null;

  /** @param busy share of the time since the last look @param heap size, bytes @returns whether to collect now */
  look(busy: number, heap: number): boolean {
    this.#calm = busy > BURST ? 0 : this.#calm + 1;
    if (busy > IDLE || heap < (this.#floor ?? 0) + GROWN) return false;
    // What a start leaves behind need not wait: nothing has come yet that could come in waves.
    return this.#floor === null || this.#calm >= CALM_LOOKS;
  }

  collected(heap: number): void {
    this.#floor = heap;
  }
}

/**
 * Gives back what a burst (a backlog on its way up, a start) has left behind, once it is over. V8 by itself keeps it:
 * it collects when more is asked for, and after a burst nobody asks. Costs the event loop 50–150 ms when it has nothing
 * to do, once for each burst; and with the last object of a kind goes what was compiled for it, so that a wave which
 * came right after would cost a tenth more.
 */
export function giveBackAfterBursts(clock: Clock): Cancel {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  setFlagsFromString('--no-expose-gc');
  const watch = new BurstWatch();
  const heap = () => getHeapStatistics().total_heap_size;
  let before = performance.eventLoopUtilization();
  return clock.every(LOOK_MS, () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    if (!watch.look(utilization, heap())) return;
    setFlagsFromString('--compact-on-every-full-gc');
    collect();
    setFlagsFromString('--no-compact-on-every-full-gc');
    watch.collected(heap());
  });
}

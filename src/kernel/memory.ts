import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** Bytes of the half of the young generation from which it is told to grow no more; a burst may overtake the telling. */
const LARGEST = 4 * 1024 * 1024;

// Left alone the young generation grows to three times 16 MB while modules are loaded and never gives them back: a
// quarter of all the memory a small box should need for us.
setFlagsFromString('--semi-space-growth-factor=1');

/** To be called when everything is loaded: from then on the young generation may grow, up to the bound. */
export function letYoungGenerationGrow(): void {
  const mayGrow = new PerformanceObserver(() => {
    const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
    const half = (young?.space_size ?? LARGEST * 2) / 2;
    setFlagsFromString(`--semi-space-growth-factor=${half < LARGEST ? 2 : 1}`);
  });
  mayGrow.observe({ entryTypes: ['gc'] });
}

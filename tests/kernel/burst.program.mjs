// A burst that leaves much behind, then quiet; prints the heap's size after each and after it was looked at, in MB.
import { setTimeout as pause } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import { SimulatedClock } from '../../src/kernel/clock.ts';
import { giveBackAfterBursts, letYoungGenerationGrow } from '../../src/kernel/memory.ts';

const size = () => Math.round(getHeapStatistics().total_heap_size / 1024 / 1024);
const clock = new SimulatedClock(0, 'boot');
letYoungGenerationGrow();
giveBackAfterBursts(clock);

let kept = [];
for (let i = 0; i < 600_000; i += 1) kept.push({ n: i, text: `entry ${i}` });
const burst = size();
clock.advance(500); // the loop was busy all the time: nobody is kept waiting
const busy = size();
kept = [];
// On a busy machine even an idle loop looks busy at times.
for (let tries = 0; tries < 100 && size() >= burst / 2; tries += 1) {
  await pause(100);
  clock.advance(500);
}
console.log(JSON.stringify({ burst, busy, quiet: size(), kept: kept.length }));

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { figure, type Report } from './figure.ts';
import { installed } from './peers.ts';

/** As long as a round of presses. */
const SECONDS = 10;
/** Buckets of a microsecond; what is later still counts as this late. */
const LATEST_US = 50_000;
/** What a press would notice. */
const HITCH_US = 3_000;

interface Measured {
  readonly thread: Record<
    string,
    { readonly histogram: Record<string, number>; readonly cycles: number; readonly max: number }
  >;
}

/**
 * How late this machine lets a thread be that does nothing but wake up every millisecond, before all others (SCHED_FIFO, one on
 * each processor): what no program on it can be better than. `cyclictest` of Debian's `rt-tests`, where it is installed.
 */
export function machine(report: Report): void {
  if (!installed('cyclictest')) {
    console.error('how late the machine itself is was not measured: cyclictest is not installed (rt-tests)');
    return;
  }
  const dir = mkdtempSync(join(tmpdir(), 'quanwei-bench-'));
  try {
    const file = join(dir, 'late.json');
    const { status, stderr } = spawnSync(
      'cyclictest',
      [
        ...['--smp', '--priority=90', '--interval=1000', `--duration=${SECONDS}`, '--quiet'],
        ...[`--histogram=${LATEST_US}`, `--json=${file}`],
      ],
      // It prints the histogram as well.
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    if (status !== 0) {
      console.error(`how late the machine itself is was not measured: ${stderr.toString().trim()} (it needs root)`);
      return;
    }
    const threads = Object.values((JSON.parse(readFileSync(file, 'utf8')) as Measured).thread);
    const late = new Map<number, number>();
    for (const { histogram } of threads)
      for (const [us, times] of Object.entries(histogram)) late.set(Number(us), (late.get(Number(us)) ?? 0) + times);
    const of = 'the machine itself: an idle real-time thread is late';
    report(figure(`${of}, p50`, percentileOf(late, 50) / 1_000, 'ms'));
    report(figure(`${of}, p99`, percentileOf(late, 99) / 1_000, 'ms'));
    const hitches = [...late].reduce((sum, [us, times]) => sum + (us >= HITCH_US ? times : 0), 0);
    report(figure(`${of}, by ${HITCH_US / 1_000} ms or more`, hitches / SECONDS, 'times/s'));
    report(figure(`${of}, at most`, Math.max(...threads.map(({ max }) => max)) / 1_000, 'ms'));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** @param counted value → how often */
function percentileOf(counted: ReadonlyMap<number, number>, p: number): number {
  const sorted = [...counted].sort(([a], [b]) => a - b);
  let left = (sorted.reduce((sum, [, times]) => sum + times, 0) * p) / 100;
  for (const [value, times] of sorted) {
    left -= times;
    if (left <= 0) return value;
  }
  return sorted.at(-1)?.[0] ?? Number.NaN;
}

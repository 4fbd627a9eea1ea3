import { readFileSync } from 'node:fs';
import { SystemClock } from '../../src/kernel/clock.ts';
import { createLog } from '../../src/kernel/log.ts';
import { ForkedInference } from '../../src/vision/inference/forked.ts';
import { model } from '../support/vision-material.ts';
import { figure, median, percentile, type Report } from './figure.ts';

/** What a site loads, and the larger size for far views. */
const MODELS = [
  'nanodet',
  'nanodet@640x384',
  'centernet',
  'movenet-lightning',
  'fr_detect',
  'fr_landmark',
  'fr_feature',
  'fr_liveness',
];

/**
 * What a picture costs, from bytes in this process to boxes in this process: CPU time of the child (one thread: its own
 * time whatever else the machine does) and the time that passed; then the memory of a child with everything loaded.
 */
export async function inference(report: Report, runs: number): Promise<void> {
  const models = await Promise.all(MODELS.map(model));
  const child = await ForkedInference.start({
    models,
    clock: new SystemClock(),
    log: createLog('bench', 'silent'),
    random: Math.random,
    bounds: { runMs: 60_000 },
  });
  try {
    report(figure('inference: memory of the child, all models loaded', memoryOf(child.pid), 'MB'));
    for (const { id, entry, width, height } of models) {
      const input = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 7919) & 255);
      const run = () => child.run(entry.task, id, input, 'bench');
      for (let i = 0; i < 3; i++) await run();
      const passed: number[] = [];
      const before = cpuOf(child.pid);
      for (let i = 0; i < runs; i++) {
        const begun = performance.now();
        await run();
        passed.push(performance.now() - begun);
      }
      report(figure(`inference: ${id}, CPU of the child a picture`, (cpuOf(child.pid) - before) / runs, 'ms'));
      report(figure(`inference: ${id}, picture to answer p50`, median(passed), 'ms'));
      report(figure(`inference: ${id}, picture to answer p95`, percentile(passed, 95), 'ms'));
    }
    report(figure('inference: memory of the child after all runs', memoryOf(child.pid), 'MB'));
  } finally {
    await child.close();
  }
}

const memoryOf = (pid = 0): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024;

/** User and system time of a process, ms; the kernel counts in hundredths of a second. */
function cpuOf(pid = 0): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

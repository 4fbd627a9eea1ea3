import { spawn } from 'node:child_process';
import { clip, fencesOf } from '../support/footage.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';
import { freePort } from '../support/ports.ts';
import type { End } from './ending.ts';
import { Eyes, gone, IDLY } from './eyes-process.ts';
import { figure, median, percentile, type Report } from './figure.ts';
import { ages, oursOnce } from './latency.ts';

const CAMERAS = 2;
/** The kills come this often: each finds the program loading its models again, which is the hardest it works. */
const KILL_MS = 3_000;
/** What runs wild takes this much more each time, up to the bound of its unit (systemd/quanwei-vision.service), MB. */
const EATS = { step: 64, most: 1_536 };

/** Each as many times in turn; the median of them counts. */
const ROUNDS = 3;

interface Spread {
  readonly p50: number;
  readonly p99: number;
}

const spreadOf = (all: readonly number[]): Spread => ({ p50: percentile(all, 50), p99: percentile(all, 99) });

type Beside = (ours: GatewayProcess, after: (end: End) => void) => Promise<void>;

const working = async (ours: GatewayProcess, after: (end: End) => void): Promise<Eyes> => {
  const eyes = new Eyes(ours, CAMERAS);
  after(() => eyes.end());
  await eyes.atWork();
  return eyes;
};

const killed: Beside = async (ours, after) => {
  const eyes = await working(ours, after);
  const timer = setInterval(() => {
    eyes.signal('SIGKILL');
    eyes.start();
  }, KILL_MS);
  after(() => clearInterval(timer));
};

const stopped: Beside = async (ours, after) => (await working(ours, after)).signal('SIGSTOP');

/** Beside the real one a process that takes memory and writes to all of it, again and again, as a leak does. */
const eating: Beside = async (ours, after) => {
  await working(ours, after);
  const program = `const all = []; setInterval(() => {
    if (all.length * ${EATS.step} >= ${EATS.most}) all.length = 0;
    all.push(Buffer.alloc(${EATS.step} * 1048576, 1));
  }, 50)`;
  const [command, ...how] = IDLY;
  const eater = spawn(command, [...how, process.execPath, '-e', program], { stdio: 'ignore' });
  after(() => gone(eater));
};

/**
 * Button to centre while the vision process is at work, killed, stopped and eats memory, beside the same box without it:
 * promise 5 of the design, AI can never hurt fire.
 */
export async function beside(report: Report, buttons: number): Promise<void> {
  const footage = await clip('climb-brick-150');
  const settings = async (count: number) => ({
    cameras: Array.from({ length: count }, (_, i) => ({
      id: `cam-${i + 1}`,
      url: footage.file,
      fences: fencesOf(footage),
    })),
    vision: { listen: `http://127.0.0.1:${await freePort()}` },
  });
  const alone: Spread[] = [];
  const without = async (): Promise<void> => {
    const timing = await oursOnce(buttons, 0, await settings(0));
    alone.push(spreadOf(ages(timing, timing.upstream)));
  };
  const whens: [string, Beside][] = [
    ['at work', async (ours, after) => void (await working(ours, after))],
    ['killed every 3 s', killed],
    ['stopped', stopped],
    ['eating memory', eating],
  ];
  const runs = whens.map(([when, run]) => ({ when, run, spreads: [] as Spread[] }));
  await without();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { run, spreads } of runs) {
      const timing = await oursOnce(buttons, 0, await settings(CAMERAS), run);
      spreads.push(spreadOf(ages(timing, timing.upstream)));
      // Before and after each: a machine has better and worse minutes.
      await without();
    }
  }
  for (const { when, spreads } of runs) {
    for (const p of ['p50', 'p99'] as const) {
      const name = `button to centre ${p}, vision ${when}`;
      const of = (all: readonly Spread[]): number => median(all.map((one) => one[p]));
      report(figure(name, of(spreads), 'ms', 'without vision', of(alone)));
    }
  }
}

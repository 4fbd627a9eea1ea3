import { availableParallelism } from 'node:os';
import { clip, fencesOf } from '../support/footage.ts';
import { freePort } from '../support/ports.ts';
import type { End } from './ending.ts';
import { Eyes, gone, IdleGroup } from './eyes-process.ts';
import { figure, percentile, type Report } from './figure.ts';
import { arrivals, oursOnce, PRESSES_PER_SECOND } from './latency.ts';

const CAMERAS = 2;
/** What runs wild takes this much more each time, up to the bound of its unit (systemd/quanwei-vision.service), MB. */
const EATS = { step: 64, most: 1_536 };
/**
 * So long the vision process does what the figure says, and so long it rests, in turn, beside one and the same gateway:
 * a machine has better and worse minutes, and both see the same ones. Long enough to load its models anew, ms.
 */
const TURN_MS = 3_000;
const TURNS = 8;
const ROUNDS = 4;

/** What begins and ends a turn; everything is running and has its cameras. */
interface Turns {
  on(): void;
  off(): void;
}
type Trouble = (eyes: Eyes, group: IdleGroup, after: (end: End) => void) => Turns;

const working = (eyes: Eyes): Turns => ({ on: () => eyes.signalAll('SIGCONT'), off: () => eyes.signalAll('SIGSTOP') });

/** Each time it loads its models again, which is the hardest it works. */
const killed = (eyes: Eyes): Turns => ({ on: () => eyes.start(), off: () => eyes.signalAll('SIGKILL') });

/** Alone: its children go on until nobody takes what they say. */
const stopped = (eyes: Eyes): Turns => ({
  on: () => {
    eyes.signalAll('SIGCONT');
    eyes.signal('SIGSTOP');
  },
  off: () => eyes.signalAll('SIGSTOP'),
});

/** Programs in the group of vision, at work while it is their turn. */
function companions(group: IdleGroup, programs: readonly string[], after: (end: End) => void): Turns {
  const all = programs.map((program) => group.node(['-e', program]));
  after(async () => void (await Promise.all(all.map(gone))));
  const signal = (name: NodeJS.Signals): void => {
    for (const one of all) one.kill(name);
  };
  return { on: () => signal('SIGCONT'), off: () => signal('SIGSTOP') };
}

/** Beside the real one a process that takes memory and writes to all of it, again and again, as a leak does. */
const eating: Trouble = (eyes, group, after) => {
  const program = `const all = []; setInterval(() => {
    if (all.length * ${EATS.step} >= ${EATS.most}) all.length = 0;
    all.push(Buffer.alloc(${EATS.step} * 1048576, 1));
  }, 50)`;
  const [vision, eater] = [working(eyes), companions(group, [program], after)];
  return {
    on: () => {
      vision.on();
      eater.on();
    },
    off: () => {
      vision.off();
      eater.off();
    },
  };
};

/** What any work costs beside which a gateway runs: vision rests, and each processor counts for nothing. */
const counting: Trouble = (eyes, group, after) => {
  eyes.signalAll('SIGSTOP');
  return companions(
    group,
    Array.from({ length: availableParallelism() }, () => 'for (;;);'),
    after,
  );
};

const TROUBLES: readonly [string, Trouble][] = [
  ['at work', working],
  ['killed and started again', killed],
  ['stopped', stopped],
  ['eating memory', eating],
  ['away, a bare loop in its place', counting],
];

/** How long presses took, ms, by what vision did when the button was pressed. */
interface Ages {
  readonly on: number[];
  readonly off: number[];
}

async function turns(trouble: Trouble, buttons: number, settings: Record<string, unknown>, ages: Ages): Promise<void> {
  /** When turns began; the first is `on`, and they take turns. */
  const begun: number[] = [];
  const timing = await oursOnce(buttons, 0, settings, async (ours, after) => {
    const group = IdleGroup.make();
    after(() => group.remove());
    const eyes = new Eyes(ours, CAMERAS, group);
    after(() => eyes.end());
    await eyes.atWork();
    const { on, off } = trouble(eyes, group, after);
    off();
    const turn = (): void => {
      if (begun.length % 2 === 0) on();
      else off();
      begun.push(performance.now());
    };
    turn();
    const timer = setInterval(turn, Math.min(TURN_MS, ((buttons / PRESSES_PER_SECOND) * 1_000) / TURNS));
    after(() => clearInterval(timer));
  });
  for (const { at, ms } of arrivals(timing, timing.upstream)) {
    const turn = begun.findLastIndex((from) => from <= at);
    ages[turn % 2 === 0 ? 'on' : 'off'].push(ms);
  }
}

/**
 * Button to centre while the vision process is at work, killed, stopped and eats memory, beside the same gateway while all
 * of it rests: promise 5 of the design, AI can never hurt fire.
 */
export async function beside(report: Report, buttons: number): Promise<void> {
  const footage = await clip('climb-brick-150');
  const cameras = Array.from({ length: CAMERAS }, (_, i) => ({
    id: `cam-${i + 1}`,
    url: footage.file,
    fences: fencesOf(footage),
  }));
  const none = (): Ages => ({ on: [], off: [] });
  const runs = TROUBLES.map(([name, trouble]) => ({ name, trouble, ages: none() }));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { trouble, ages } of runs) {
      const vision = { listen: `http://127.0.0.1:${await freePort()}` };
      await turns(trouble, buttons, { cameras, vision }, ages);
    }
  }
  for (const { name, ages } of runs) {
    for (const p of [50, 99]) {
      const [on, off] = [percentile(ages.on, p), percentile(ages.off, p)];
      report(figure(`button to centre p${p}, vision ${name}`, on, 'ms', 'vision at rest, same run', off));
    }
  }
}

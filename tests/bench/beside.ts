import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { clip, fencesOf } from '../support/footage.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';
import { freePort } from '../support/ports.ts';
import { figure, percentile, type Report } from './figure.ts';
import { ages, oursOnce } from './latency.ts';

const CLI = fileURLToPath(new URL('../../dist/main/cli.js', import.meta.url));
const CAMERAS = 2;
/** The kills come this often: each finds the program loading its models again, which is the hardest it works. */
const KILL_MS = 3_000;
/** What runs wild takes this much more each time, up to the bound of its unit (systemd/quanwei-vision.service), MB. */
const EATS = { step: 64, most: 1_536 };

/** The niceness that the unit's CPUWeight= stands for where there is no systemd: 20 beside the gateway's 500. */
const NICE = '10';

type Beside = (ours: GatewayProcess) => Promise<() => Promise<void>>;

function watch(ours: GatewayProcess): ChildProcess {
  const child = spawn('nice', ['-n', NICE, process.execPath, CLI, 'vision', '--config', ours.config], {
    env: { ...ours.env, QUANWEI_LOG: 'error' },
    stdio: 'ignore',
  });
  return child;
}

/** Its cameras are on line: it decodes and analyses, and is past its beginnings. */
async function atWork(ours: GatewayProcess): Promise<void> {
  for (const end = performance.now() + 60_000; ; ) {
    const { devices } = (await ours.api('/api/devices')) as { devices: { id: string; online: boolean | null }[] };
    if (devices.filter(({ id, online }) => id.startsWith('cam-') && online === true).length === CAMERAS) return;
    if (performance.now() > end) throw new Error('the vision process did not get to work within a minute');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function gone(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

const working: Beside = async (ours) => {
  const child = watch(ours);
  await atWork(ours);
  return () => gone(child);
};

const killed: Beside = async (ours) => {
  let child = watch(ours);
  await atWork(ours);
  const timer = setInterval(() => {
    child.kill('SIGKILL');
    child = watch(ours);
  }, KILL_MS);
  return async () => {
    clearInterval(timer);
    await gone(child);
  };
};

const stopped: Beside = async (ours) => {
  const child = watch(ours);
  await atWork(ours);
  child.kill('SIGSTOP');
  return () => gone(child);
};

/** Beside the real one a process that takes memory and writes to all of it, again and again, as a leak does. */
const eating: Beside = async (ours) => {
  const child = watch(ours);
  await atWork(ours);
  const program = `const all = []; setInterval(() => {
    if (all.length * ${EATS.step} >= ${EATS.most}) all.length = 0;
    all.push(Buffer.alloc(${EATS.step} * 1048576, 1));
  }, 50)`;
  const eater = spawn('nice', ['-n', NICE, process.execPath, '-e', program], { stdio: 'ignore' });
  return async () => {
    await gone(eater);
    await gone(child);
  };
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
  const base = await oursOnce(buttons, 0, await settings(0));
  const alone = ages(base, base.upstream);
  const whens: [string, Beside][] = [
    ['at work', working],
    ['killed every 3 s', killed],
    ['stopped', stopped],
    ['eating memory', eating],
  ];
  for (const [when, run] of whens) {
    const timing = await oursOnce(buttons, 0, await settings(CAMERAS), run);
    const toCentre = ages(timing, timing.upstream);
    for (const p of [50, 99]) {
      const name = `button to centre p${p}, vision ${when}`;
      report(figure(name, percentile(toCentre, p), 'ms', 'without vision', percentile(alone, p)));
    }
  }
}

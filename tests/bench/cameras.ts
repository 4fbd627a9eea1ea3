import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Alarm } from '../../src/alarms/alarm.ts';
import { SystemClock } from '../../src/kernel/clock.ts';
import { createLog } from '../../src/kernel/log.ts';
import { ForkedInference } from '../../src/vision/inference/forked.ts';
import { clip, type Footage, fencesOf } from '../support/footage.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { freePort } from '../support/ports.ts';
import { model } from '../support/vision-material.ts';
import { ending } from './ending.ts';
import { figure, type Report } from './figure.ts';
import { busyCores, type Used, usedByTree } from './processes.ts';

const CLI = fileURLToPath(new URL('../../dist/main/cli.js', import.meta.url));
const FPS = 5;
const MODEL_RUNS = 40;
/** Of the frames asked for, how many must be looked at for a camera to count as held. */
const HELD = 0.95;
/** Cameras count their frames over so long, ms. */
const COUNTED = 10_000;
/** Until an overload is told: three looks, and one that began before. */
const TOLD = 45_000;

export interface CamerasOptions {
  /** How many cameras at a time, in rising order; the last is beyond what the box can do. */
  readonly counts: readonly number[];
  /** Ten-second looks at each. */
  readonly looks: number;
}

interface Round {
  /** Frames a second that were looked at, each camera's. */
  readonly fps: readonly number[];
  readonly seconds: number;
  readonly before: Used;
  readonly after: Used;
  /** Cores that everything else on this machine used meanwhile. */
  readonly others: number;
  readonly overload: string | null;
}

/**
 * `quanwei vision` as it is shipped, beside a gateway, with more and more cameras on two cores: files at a camera's pace,
 * 640×360 at 25 frames a second, all with a fence. `still`: a wall with a sensor's noise. `busy`: somebody climbs over it
 * again and again, every alarm with its evidence.
 */
export async function cameras(report: Report, options: CamerasOptions): Promise<void> {
  const models = await modelsAlone();
  const footage = await clip('climb-brick-150');
  const dir = mkdtempSync(join(tmpdir(), 'quanwei-bench-'));
  try {
    const still = stillOf(footage, join(dir, 'still.mp4'));
    const stillPeer = { what: 'ffmpeg decoding alone', cpu: decodingAlone(still) };
    await scene('still', still, stillPeer, footage, options, report);
    const busyPeer = { what: 'ffmpeg decoding alone and the models', cpu: decodingAlone(footage.file) + FPS * models };
    await scene('busy', footage.file, busyPeer, footage, options, report);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The first picture for 15 s, with the noise of a sensor. */
function stillOf({ file }: Footage, into: string): string {
  const noise = 'trim=end_frame=1,loop=loop=-1:size=1:start=0,setpts=N/25/TB,noise=alls=6:allf=t';
  const codec = ['-c:v', 'libx264', '-preset', 'veryfast', '-bf', '0', '-g', '50', '-b:v', '700k'];
  execFileSync('ffmpeg', ['-v', 'error', '-i', file, '-vf', noise, '-r', '25', '-t', '15', ...codec, into]);
  return into;
}

async function scene(
  name: string,
  file: string,
  peer: { readonly what: string; readonly cpu: number },
  footage: Footage,
  { counts, looks }: CamerasOptions,
  report: Report,
): Promise<void> {
  const rounds = new Map<number, Round>();
  let held = 0;
  let short = false;
  for (const count of counts) {
    // What is beyond the box is tried once more, with the most.
    if (short && count !== counts.at(-1)) continue;
    const round = await watched(file, footage, count, looks, count === counts.at(-1));
    rounds.set(count, round);
    const { fps, seconds, before, after, others } = round;
    const least = Math.min(...fps);
    const of = `cameras: ${name}, ${count} at a time`;
    report(figure(`${of}: CPU a camera`, (after.cpu - before.cpu) / seconds / count, 'CPU s/s', peer.what, peer.cpu));
    report(figure(`${of}: frames looked at, the worst camera`, least, 'fps', 'asked for', FPS));
    report(
      figure(
        `${of}: frames looked at, all together`,
        fps.reduce((a, b) => a + b, 0),
        'fps',
        'asked for',
        FPS * count,
      ),
    );
    report(figure(`${of}: the worst camera beside the best`, least / Math.max(...fps), 'ratio'));
    report(figure(`${of}: memory in all`, after.rss, 'MB'));
    report(figure(`${of}: memory gained in ${Math.round(seconds)} s`, after.rss - before.rss, 'MB'));
    report(figure(`${of}: other work on this machine meanwhile`, others, 'cores'));
    short ||= least < FPS * HELD;
    if (!short) held = count;
    else if (count === counts.at(-1)) {
      const told = round.overload ?? 'it is not';
      report(figure(`${of}: the overload is told (${told})`, round.overload === null ? 0 : 1, 'alarms'));
    }
  }
  report(figure(`cameras: ${name}, held at ${FPS} fps on two cores`, held, 'cameras'));
  const first = rounds.get(counts[0] ?? 0);
  if (first !== undefined) {
    // Each as dear as the first few: on a machine that has other work the count above says more of that work.
    const each = (first.after.cpu - first.before.cpu) / first.fps.reduce((a, b) => a + b, 0) / first.seconds;
    report(figure(`cameras: ${name}, CPU a frame, ${counts[0]} at a time`, each * 1_000, 'ms'));
  }
  const [least, most] = [counts[0] ?? 0, [...rounds.keys()].at(-1) ?? 0];
  const further = ((rounds.get(most)?.after.rss ?? 0) - (rounds.get(least)?.after.rss ?? 0)) / (most - least);
  const furtherOwn = ((rounds.get(most)?.after.pss ?? 0) - (rounds.get(least)?.after.pss ?? 0)) / (most - least);
  report(figure(`cameras: ${name}, memory of a further camera, its ffmpeg included`, further, 'MB'));
  report(figure(`cameras: ${name}, the same without what processes share`, furtherOwn, 'MB'));
}

async function watched(file: string, footage: Footage, count: number, looks: number, beyond: boolean): Promise<Round> {
  return ending(async (after) => {
    const dir = mkdtempSync(join(tmpdir(), 'quanwei-bench-'));
    after(() => rmSync(dir, { recursive: true, force: true }));
    const gateway = await GatewayProcess.prepare(dir, {
      cameras: Array.from({ length: count }, (_, n) => ({
        id: `cam-${n + 1}`,
        url: file,
        fps: FPS,
        fences: fencesOf(footage),
      })),
      vision: { listen: `http://127.0.0.1:${await freePort()}` },
    });
    after(() => gateway.stop());
    await gateway.start();
    const vision = startVision(gateway);
    after(() => ended(vision));
    const pid = vision.pid ?? 0;
    // Until every camera has had a whole look: models are warm, and whoever came last is there.
    await until(
      async () => (await rates(gateway)).every((fps) => fps !== null && fps > 0),
      60_000,
      'the cameras do not come online',
    );
    await pause(COUNTED + 2_000);
    const [before, busyBefore, begun] = [usedByTree(pid), busyCores(), performance.now()];
    const sums = new Array<number>(count).fill(0);
    for (let look = 0; look < looks; look += 1) {
      await pause(COUNTED);
      for (const [n, fps] of (await rates(gateway)).entries()) sums[n] = (sums[n] ?? 0) + (fps ?? 0);
    }
    const [end, seconds] = [usedByTree(pid), (performance.now() - begun) / 1_000];
    const others = (busyCores() - busyBefore - (end.cpu - before.cpu)) / seconds;
    const fps = sums.map((sum) => sum / looks);
    if (beyond && Math.min(...fps) < FPS * HELD) {
      const told = async () => (await toldOverload(gateway)) !== null;
      // That it was not told is a figure as well.
      await until(told, TOLD, 'no overload was told').catch(() => undefined);
    }
    const overload = await toldOverload(gateway);
    return { fps, seconds, before, after: end, others, overload };
  });
}

/** On two cores, however many there are. */
function startVision(gateway: GatewayProcess): ChildProcess {
  const command = [process.execPath, CLI, 'vision', '--config', gateway.config];
  const [program, ...args] = cpus().length > 2 ? ['taskset', '-c', '0,1', ...command] : command;
  return spawn(program as string, args, {
    env: { ...process.env, QUANWEI_LOG: 'warn' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  await gone;
}

/** Frames a second that each camera's picture was really looked at, of the ten seconds before; `null`: not there yet. */
async function rates(gateway: GatewayProcess): Promise<(number | null)[]> {
  const { cameras: all } = (await gateway.api('/api/cameras')) as { cameras: { fps: number | null }[] };
  return all.map(({ fps }) => fps);
}

async function toldOverload(gateway: GatewayProcess): Promise<string | null> {
  const { alarms } = (await gateway.api('/api/alarms')) as { alarms: Alarm[] };
  const told = alarms.find(({ detail }) => detail['condition'] === 'overload');
  return told === undefined ? null : String(told.detail['reason']);
}

/** CPU seconds that one frame with one person costs in the models, as the vision process runs them. */
async function modelsAlone(): Promise<number> {
  const models = await Promise.all(['nanodet', 'movenet-lightning'].map(model));
  const child = await ForkedInference.start({
    ...{ models, clock: new SystemClock(), log: createLog('bench', 'silent'), random: Math.random },
    bounds: { runMs: 60_000 },
  });
  try {
    const inputs = models.map(({ width, height }) => new Uint8Array(width * height * 3).fill(127));
    const before = usedByTree(child.pid ?? 0).cpu;
    for (let run = 0; run < MODEL_RUNS; run += 1) {
      for (const [n, { id, entry }] of models.entries())
        await child.run(entry.task, id, inputs[n] as Uint8Array, 'bench');
    }
    return (usedByTree(child.pid ?? 0).cpu - before) / MODEL_RUNS;
  } finally {
    await child.close();
  }
}

/** CPU seconds a second of the film. */
function decodingAlone(file: string): number {
  const loops = 3;
  const { stderr } = spawnSync('ffmpeg', [
    ...[
      '-v',
      'info',
      '-nostdin',
      '-benchmark',
      '-stream_loop',
      String(loops),
      '-threads',
      '1',
      '-i',
      file,
      '-f',
      'null',
      '-',
    ],
  ]);
  const [, user = 'NaN', system = 'NaN'] = /bench: utime=([\d.]+)s stime=([\d.]+)s/.exec(stderr.toString()) ?? [];
  return (Number(user) + Number(system)) / (15 * (loops + 1));
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function until(holds: () => Promise<boolean>, most: number, otherwise: string): Promise<void> {
  const begun = performance.now();
  while (!(await holds())) {
    if (performance.now() - begun > most) throw new Error(otherwise);
    await pause(500);
  }
}

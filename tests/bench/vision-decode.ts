import { spawn, spawnSync } from 'node:child_process';
import { pino } from 'pino';
import { SystemClock } from '../../src/kernel/clock.ts';
import { FileSource } from '../../src/vision/capture/file-source.ts';
import { PictureHealth } from '../../src/vision/health/picture-health.ts';
import { MotionGate } from '../../src/vision/motion.ts';
import { canServeRtsp } from '../support/rtsp.ts';
import { made } from '../vision/capture/clips.ts';
import { figure, median, type Report } from './figure.ts';
import { motionAlone } from './motion.ts';
import { installed } from './peers.ts';

const STREAMS = [
  { name: '1080p25', size: '1920x1080', rate: '4M' },
  { name: '360p25', size: '640x360', rate: '500k' },
] as const;
const SCENES = { still: 'testsrc2=r=25:d=1', busy: 'testsrc2=r=25:d=1000' } as const;
const TIMES = 'TIMEFORMAT="cpu %U %S"; time "$@"';

/** What a camera at rest costs: decoding, scaling, the motion gate and the picture's health, beside ffmpeg decoding alone. */
export async function visionDecode(report: Report, seconds: number): Promise<void> {
  const beside = installed('motion') && canServeRtsp();
  if (!beside) console.error('decode: without motion, which is not installed here (apt-get install motion)');
  for (const { name, size, rate } of STREAMS) {
    for (const [scene, source] of Object.entries(SCENES)) {
      const film = scene === 'still' ? `${source}:s=${size},loop=loop=-1:size=1:start=0` : `${source}:s=${size}`;
      const file = made(
        `bench-${name}-${scene}.mp4`,
        ...[
          '-f',
          'lavfi',
          '-i',
          `${film},noise=alls=4:allf=t`,
          '-t',
          `${seconds}`,
          '-c:v',
          'libx264',
          '-preset',
          'veryfast',
        ],
        ...['-bf', '0', '-g', '50', '-b:v', rate, '-pix_fmt', 'yuv420p'],
      );
      const [ours, own, alone]: [number[], number[], number[]] = [[], [], []];
      for (let run = 0; run < 3; run += 1) {
        alone.push(cpuOf(spawnSync('bash', ['-c', TIMES, 'bash', ...decoding(file)]).stderr.toString()) / seconds);
        const { child, node } = await watched(file);
        ours.push((child + node) / seconds);
        own.push(node / seconds);
      }
      report(
        figure(
          `${name}, ${scene}: one camera at 5 fps`,
          median(ours),
          'CPU s/s',
          'ffmpeg decoding alone',
          median(alone),
        ),
      );
      report(figure(`${name}, ${scene}: of that outside of ffmpeg`, median(own), 'CPU s/s'));
      if (!beside) continue;
      const [width = 0, height = 0] = size.split('x').map(Number);
      const theirs = await motionAlone(file, width, height);
      report(
        figure(
          `${name}, ${scene}: one camera at 5 fps (motion: live)`,
          median(ours),
          'CPU s/s',
          'motion of Debian',
          theirs,
        ),
      );
    }
  }
}

const decoding = (file: string) => ['ffmpeg', '-v', 'error', '-threads', '1', '-i', file, '-f', 'null', '-'];

function cpuOf(said: string): number {
  const [, user = 'NaN', system = 'NaN'] = /cpu ([\d.]+) ([\d.]+)/.exec(said) ?? [];
  return Number(user) + Number(system);
}

/** CPU seconds of ffmpeg, its start included, and of this process. */
async function watched(file: string): Promise<{ child: number; node: number }> {
  let said = '';
  const source = new FileSource({
    ...{ path: file, choice: { fps: 5 }, pace: 'full', width: 640, input: { width: 416, height: 256 } },
    ...{ clock: new SystemClock(), log: pino({ level: 'silent' }) },
    spawn(command, args, options) {
      if (command !== 'ffmpeg') return spawn(command, args, options);
      const child = spawn('bash', ['-c', TIMES, 'bash', command, ...args], options);
      child.stderr?.on('data', (chunk: Buffer) => {
        said += chunk.toString();
      });
      return child;
    },
  });
  const [motion, health] = [new MotionGate(), new PictureHealth()];
  const begun = process.cpuUsage();
  await new Promise<void>((resolve) => {
    source.start({
      frame({ grey, t }) {
        motion.moves(grey, t * 1_000);
        health.look(grey, t * 1_000);
      },
      state: ({ state }) => void (state !== 'online' && resolve()),
    });
  });
  const { user, system } = process.cpuUsage(begun);
  await source.stop();
  return { child: cpuOf(said), node: (user + system) / 1e6 };
}

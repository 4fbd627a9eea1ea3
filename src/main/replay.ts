import { readFileSync } from 'node:fs';
import type { CameraConfig, GatewayConfig } from '../config/schema.ts';
import { type Clock, type WallMs, wallMs } from '../kernel/clock.ts';
import { QuanweiError } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import { CameraAnalysis, type EventContext } from '../vision/analysis/camera-analysis.ts';
import { FileSource } from '../vision/capture/file-source.ts';
import type { Frame } from '../vision/capture/source.ts';
import type { IntrusionEvent } from '../vision/event.ts';
import { ForkedInference } from '../vision/inference/forked.ts';
import { BUILT_IN_MODELS, loadModels } from '../vision/models/catalogue.ts';
import { ModelStore, modelsDirectory } from '../vision/models/store.ts';
import { MotionGate } from '../vision/motion.ts';

const POSE_MODEL = 'movenet-lightning';

export interface ReplayOptions {
  readonly video: string;
  readonly config: GatewayConfig;
  readonly camera: CameraConfig;
  /** When the footage begins, for schedules. */
  readonly begins: WallMs;
  readonly clock: Clock;
  readonly log: Log;
  /** The footage waits for it. */
  event(event: IntrusionEvent, context: EventContext): Promise<void>;
  /** After each frame that was analysed. */
  frame?(frame: Frame, analysis: CameraAnalysis): void;
}

export interface Replayed {
  readonly frames: number;
  /** Of the footage. */
  readonly seconds: number;
  /** CPU seconds of this process and its children, user and system. */
  readonly cpu: number;
  readonly still: number;
  readonly detected: number;
  readonly poses: number;
}

/**
 * Footage through everything a camera goes through, as fast as it can be.
 * @throws QuanweiError BAD_PICTURE the footage cannot be read; BAD_MODEL a model is not there
 */
export async function replay(options: ReplayOptions): Promise<Replayed> {
  const { video, config, camera, begins, clock, log } = options;
  const before = cpuSeconds();
  const catalogue = loadModels([BUILT_IN_MODELS, ...config.vision.models]);
  const store = new ModelStore(modelsDirectory());
  const detector = await store.open(catalogue.wanted(camera.detector));
  const pose = camera.fences.length === 0 ? null : await store.open(catalogue.wanted(POSE_MODEL));
  const inference = await ForkedInference.start({
    models: pose === null ? [detector] : [detector, pose],
    clock,
    log,
    random: Math.random,
  });
  const told: [IntrusionEvent, EventContext][] = [];
  const { start = 0.4, continue: least = start / 2 } = detector.entry.thresholds;
  const analysis = new CameraAnalysis({
    camera,
    timezone: config.site.timezone,
    inference,
    detector: { id: detector.id, start, continue: least },
    pose: pose?.id ?? null,
    motion: new MotionGate(camera.masks),
    report: (event, context) => void told.push([event, context]),
  });
  const source = new FileSource({
    path: video,
    choice: { fps: camera.fps },
    pace: 'full',
    width: camera.width,
    input: { width: detector.width, height: detector.height },
    clock,
    log,
  });
  let seconds = 0;
  try {
    await new Promise<void>((resolve, reject) => {
      source.start({
        frame: async (frame) => {
          await analysis.feed({ ...frame, wall: wallMs(begins + frame.t * 1_000) });
          seconds = frame.t + 1 / camera.fps;
          options.frame?.(frame, analysis);
          for (const [event, context] of told.splice(0)) await options.event(event, context);
        },
        state: (now) => {
          if (now.state === 'ended') resolve();
          if (now.state === 'offline') {
            reject(new QuanweiError('BAD_PICTURE', `cannot be played: ${now.reason}`, { where: video }));
          }
        },
      });
    });
  } finally {
    await source.stop();
    await inference.close();
  }
  const { frames, still, detected, poses } = analysis.counts;
  return { frames, seconds: Math.round(seconds * 1_000) / 1_000, cpu: cpuSeconds() - before, still, detected, poses };
}

/** USER_HZ: a constant of the Linux ABI. */
const TICKS = 100;

/** CPU seconds of this process and, on Linux, of its children that have ended (proc(5): utime, stime, cutime, cstime). */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  const own = (user + system) / 1e6;
  if (process.platform !== 'linux') return own;
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return own + (Number(fields[13]) + Number(fields[14])) / TICKS;
}

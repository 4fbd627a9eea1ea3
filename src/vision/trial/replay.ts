import { readFileSync } from 'node:fs';
import type { CameraConfig } from '../../config/schema.ts';
import { type Clock, type WallMs, wallMs } from '../../kernel/clock.ts';
import { QuanweiError } from '../../kernel/errors.ts';
import type { Log } from '../../kernel/log.ts';
import { CameraAnalysis, type EventContext } from '../analysis/camera-analysis.ts';
import { FileSource } from '../capture/file-source.ts';
import type { Frame } from '../capture/source.ts';
import type { FaceEvent, HealthEvent, IntrusionEvent } from '../event.ts';
import { ForkedInference } from '../inference/forked.ts';
import type { Launch } from '../inference/launch.ts';
import type { ModelCatalogue } from '../models/catalogue.ts';
import type { ModelStore } from '../models/store.ts';
import { MotionGate } from '../motion.ts';
import { POSE } from '../needed-models.ts';
import { pictureLook } from '../picture-look.ts';
import { type ReplayedGallery, replayedFaces } from './replayed-faces.ts';

export interface ReplayOptions {
  readonly video: string;
  readonly camera: CameraConfig;
  /** Of the site, IANA. */
  readonly timezone: string;
  readonly catalogue: ModelCatalogue;
  readonly store: ModelStore;
  /** When the footage begins, for schedules. */
  readonly begins: WallMs;
  readonly clock: Clock;
  readonly log: Log;
  /** Seconds of footage that are looked at; default: all of it. */
  readonly most?: number;
  /** Of the child the models run in; a test of its death gives another. */
  readonly launch?: Launch;
  /** Ends it; what was seen so far is told. */
  readonly signal?: AbortSignal;
  /** The footage waits for it. */
  event(event: IntrusionEvent, context: EventContext): Promise<void>;
  /** What is wrong with the picture, and whose faces are seen; without it neither is looked at. Waited for, too. */
  also?(event: HealthEvent | FaceEvent, frame: Frame): Promise<void>;
  /** Asked for when the camera is set for faces. @throws QuanweiError BAD_MODEL */
  faces?(): Promise<ReplayedGallery>;
  /** When it can be read. @param seconds `null` when its container does not say */
  opened?(seconds: number | null): void;
  /** After each frame that was looked at. */
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
 * @throws QuanweiError BAD_PICTURE the footage cannot be read; BAD_MODEL a model is not there; VISION_DEGRADED the models ended
 * on the way, and what nobody looked at is not told as if nothing had been in it
 */
export async function replay(options: ReplayOptions): Promise<Replayed> {
  const { video, camera, timezone, catalogue, store, begins, clock, log, signal } = options;
  const before = cpuSeconds();
  const detector = await store.open(catalogue.wanted(camera.detector));
  const pose = camera.fences.length === 0 ? null : await store.open(catalogue.wanted(POSE));
  const looksAtFaces = options.also !== undefined && camera.faces !== false;
  const gallery = looksAtFaces ? ((await options.faces?.()) ?? null) : null;
  const inference = await ForkedInference.start({
    models: pose === null ? [detector] : [detector, pose],
    clock,
    log,
    random: Math.random,
    ...(options.launch === undefined ? {} : { launch: options.launch }),
  }).catch(async (thrown: unknown) => {
    await gallery?.close();
    throw thrown;
  });
  const told: [IntrusionEvent, EventContext][] = [];
  const further: (HealthEvent | FaceEvent)[] = [];
  const health = options.also === undefined ? null : pictureLook(camera.id, (event) => void further.push(event));
  const faces = gallery === null ? null : replayedFaces(camera, gallery, (event) => void further.push(event));
  const { start = 0.4, continue: least = start / 2 } = detector.entry.thresholds;
  const analysis = new CameraAnalysis({
    camera,
    timezone,
    inference,
    detector: { id: detector.id, start, continue: least },
    pose: pose?.id ?? null,
    motion: new MotionGate(camera.masks),
    faces: faces?.step,
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
      signal?.addEventListener('abort', () => resolve(), { once: true });
      if (signal?.aborted === true) resolve();
      source.start({
        frame: async (frame) => {
          if (frame.t >= (options.most ?? Number.POSITIVE_INFINITY)) {
            resolve();
            return;
          }
          await health?.frame(frame);
          await analysis.feed({ ...frame, wall: wallMs(begins + frame.t * 1_000) });
          await faces?.look(frame);
          // Footage waits for the models, so none of it is given up because there is too much: they were not there.
          if (analysis.counts.shed > 0) {
            const when = frame.t.toFixed(1);
            reject(
              new QuanweiError('VISION_DEGRADED', `the models ended ${when} s into the footage`, { where: video }),
            );
            return;
          }
          seconds = frame.t + 1 / camera.fps;
          options.frame?.(frame, analysis);
          for (const [event, context] of told.splice(0)) await options.event(event, context);
          for (const event of further.splice(0)) await options.also?.(event, frame);
        },
        state: (now) => {
          if (now.state === 'online') {
            faces?.width(now.width);
            options.opened?.(now.seconds ?? null);
          }
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
    await gallery?.close();
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

import type { CameraConfig } from '../config/schema.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { EventContext } from './analysis/camera-analysis.ts';
import type { Look } from './camera.ts';
import { FileSource } from './capture/file-source.ts';
import { RtspSource } from './capture/rtsp-source.ts';
import type { FrameSource } from './capture/source.ts';
import type { Engines } from './engines.ts';
import type { EvidenceReference, HealthEvent, IntrusionEvent } from './event.ts';
import { faceLook } from './face-look.ts';
import { peopleLook } from './people-look.ts';
import type { Telling } from './report/message.ts';
import { liveFeed } from './serve/feed.ts';
import { LiveStream } from './serve/live-stream.ts';
import { type EncodeJpeg, NewestPicture } from './serve/newest-picture.ts';

/** Where what a camera's looks find is told. */
export interface CameraHooks {
  /** @param at wall time, ms @returns the event's id */
  tell(telling: Telling, at: number): string;
  health(event: HealthEvent): void;
}

/** Pictures of what happened. */
export interface KeepPictures {
  /** @returns references of what was kept; none when it could not be */
  pictures(event: IntrusionEvent, context: EventContext, camera: CameraConfig): Promise<EvidenceReference[]>;
}

/** A camera as it is put together, before it is started. */
export interface OpenedCamera {
  readonly source: FrameSource;
  readonly looks: readonly Look[];
  readonly newest: NewestPicture;
  readonly live: Readonly<Record<'main' | 'sub', LiveStream>>;
}

export interface OpenParts {
  readonly timezone: string;
  readonly evidence: KeepPictures;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly encode: EncodeJpeg;
}

/** Without a detector the picture is looked at all the same: for its health, and by people. */
const NO_DETECTOR = { width: 416, height: 256 };

const isFile = (address: string): boolean => /^(file:|\/)/.test(address);
const pathOf = (address: string): string => (address.startsWith('file:') ? new URL(address).pathname : address);

export function openCamera(config: CameraConfig, hooks: CameraHooks, engines: Engines, parts: OpenParts): OpenedCamera {
  const { clock, log, random, encode, evidence, timezone } = parts;
  const main = () => Promise.resolve(config.url);
  const sub = () => Promise.resolve(config.subUrl ?? config.url);
  const input = engines.people?.models.get(config.detector) ?? NO_DETECTOR;
  const watched = config.subUrl ?? config.url;
  const common = { width: config.width, input, clock, log };
  const source = isFile(watched)
    ? new FileSource({ ...common, path: pathOf(watched), choice: { fps: config.fps }, pace: 'loop' })
    : new RtspSource({ ...common, address: sub, transport: config.transport, fps: config.fps, random });
  const report = async (event: IntrusionEvent, context: EventContext): Promise<void> => {
    const kept = await evidence.pictures(event, context, config).catch((thrown: unknown) => {
      log.error({ err: thrown, camera: config.id }, 'evidence could not be kept');
      return [];
    });
    hooks.tell(kept.length === 0 ? event : { ...event, evidence: kept }, context.frame.wall);
  };
  const faces = faceLook(config, engines.faces, (event) => hooks.tell(event, clock.wall()));
  const people = peopleLook(config, engines.people, {
    timezone,
    motion: { moves: () => true },
    faces: faces?.step,
    // Pictures are made while the next frame is looked at; told is it when they are there.
    report: (event, context) => void report(event, context),
  });
  const alone = people === null ? faces : null;
  const looks: Look[] = [people, alone].filter((one) => one !== null);
  if (faces !== null && alone === null) looks.push({ frame: () => undefined, state: (state) => faces.state?.(state) });
  return {
    source,
    looks,
    newest: new NewestPicture(encode),
    live: {
      main: new LiveStream(liveFeed(main, config.transport, { clock }), clock),
      sub: new LiveStream(liveFeed(sub, config.transport, { clock }), clock),
    },
  };
}

import type { CameraConfig } from '../config/schema.ts';
import type { Clock } from '../kernel/clock.ts';
import type { NewId } from '../kernel/ids.ts';
import type { Log } from '../kernel/log.ts';
import type { EventContext } from './analysis/camera-analysis.ts';
import type { Look } from './camera.ts';
import { fileOf } from './capture/address.ts';
import { FileSource } from './capture/file-source.ts';
import { addressOf } from './capture/onvif.ts';
import { Recorder } from './capture/recorder.ts';
import { Ring } from './capture/ring.ts';
import { RtspSource } from './capture/rtsp-source.ts';
import type { FrameSource } from './capture/source.ts';
import type { Engines } from './engines.ts';
import type { EvidenceReference, HealthEvent, IntrusionEvent } from './event.ts';
import type { Evidence } from './evidence/evidence.ts';
import { faceLook } from './face-look.ts';
import type { PictureHealth } from './health/picture-health.ts';
import { jpegOf } from './jpeg.ts';
import { MotionGate } from './motion.ts';
import { peopleLook } from './people-look.ts';
import { pictureLook } from './picture-look.ts';
import type { Telling } from './report/message.ts';
import { liveFeed } from './serve/feed.ts';
import { LiveStream } from './serve/live-stream.ts';
import { NewestPicture } from './serve/newest-picture.ts';

/** Where what a camera's looks find is told. */
export interface CameraHooks {
  readonly newId: NewId;
  /** @param at wall time, ms */
  tell(telling: Telling, at: number, id?: string): void;
  health(event: HealthEvent): void;
  /** Outlives the camera's parts while its address stays. */
  readonly pictureHealth: PictureHealth;
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
  readonly evidence: Evidence;
  /** ms before an event that its clip shows. */
  readonly before: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
}

/** Without a detector the picture is looked at all the same: for its health, and by people. */
const NO_DETECTOR = { width: 416, height: 256 };

/** Quality of pictures that are looked at and not kept. */
const LOOKED_AT = 80;
/** Kept in memory beyond what a clip needs, ms: pictures are made a moment after the event. */
const SLACK = 3_000;
/** Bytes of a camera's recording in memory at most. */
const RING = 48 * 1024 * 1024;

export function openCamera(config: CameraConfig, hooks: CameraHooks, engines: Engines, parts: OpenParts): OpenedCamera {
  const { clock, log, random, evidence, timezone } = parts;
  const { transport, fps, width, url, subUrl = url } = config;
  // A camera that is known by ONVIF is asked for its streams each time one is opened: they change with its settings.
  const main = addressOf(url, 'main');
  const sub = addressOf(subUrl, 'sub');
  const input = engines.people?.models.get(config.detector) ?? NO_DETECTOR;
  const common = { width, input, clock, log };
  const ring =
    config.record && fileOf(url) === null ? new Ring({ clock, keep: parts.before + SLACK, limit: RING }) : null;
  // One stream for both is fetched once; an ONVIF address stands for two.
  const one = subUrl === url && !url.startsWith('onvif:');
  const copy = ring !== null && one ? { copy: ring.push } : {};
  const path = fileOf(subUrl);
  const source =
    path === null
      ? new RtspSource({ ...common, ...copy, address: sub, transport, fps, random })
      : new FileSource({ ...common, path, choice: { fps }, pace: 'loop' });
  const recorder =
    ring === null || one ? null : new Recorder({ address: main, transport, copy: ring.push, clock, random });

  const report = async (event: IntrusionEvent, { frame, people }: EventContext): Promise<void> => {
    const id = hooks.newId();
    const boxes = people.filter(({ track }) => track === event.track).map(({ box }) => box);
    const { picture, mono, wall } = frame;
    const kept = await evidence.keep({ camera: config.id, event: id, mono, wall, picture, boxes, ring });
    hooks.tell(kept.pictures.length === 0 ? event : { ...event, evidence: kept.pictures }, wall, id);
    const later = (more: readonly EvidenceReference[]): void => {
      if (more.length > 0) hooks.tell({ type: 'evidence', camera: config.id, of: id, evidence: more }, clock.wall());
    };
    // Neither waits for the other: on a busy box a picture may take longer than the clip.
    void kept.better.then(later);
    void kept.clip.then((clip) => later(clip === null ? [] : [clip]));
  };
  const faces = faceLook(config, engines.faces, { tell: (event) => hooks.tell(event, clock.wall()), log });
  const people = peopleLook(config, engines.people, {
    timezone,
    motion: new MotionGate(config.masks),
    faces: faces?.step,
    // Pictures are made while the next frame is looked at; told is it when they are there.
    report: (event, context) => void report(event, context),
  });
  const looks: Look[] = [pictureLook(config.id, (event) => hooks.health(event), hooks.pictureHealth)];
  if (people !== null) looks.push(people);
  // Where people are followed faces are looked for beside them.
  if (faces !== null)
    looks.push(people === null ? faces : { frame: () => undefined, state: (state) => faces.state?.(state) });
  if (recorder !== null) looks.push({ frame: () => undefined, close: () => recorder.stop() });
  return {
    source,
    looks,
    newest: new NewestPicture((picture) => jpegOf(picture, LOOKED_AT)),
    live: {
      main: new LiveStream(liveFeed(main, transport, { clock }), clock),
      sub: new LiveStream(liveFeed(sub, transport, { clock }), clock),
    },
  };
}

import type { CameraConfig } from '../../config/schema.ts';
import { QuanweiError } from '../../kernel/errors.ts';
import { type Frame, lasting } from '../capture/source.ts';
import { crop, squareAround, uncrop } from '../crop.ts';
import type { IntrusionEvent } from '../event.ts';
import type { Inference } from '../inference/inference.ts';
import { type Detection, type Grey, letterbox, unletterbox } from '../picture.ts';
import type { Seen } from '../rules/rule.ts';
import { TimeOfDay } from '../rules/schedule.ts';
import type { LiveTrack, Track } from '../tracking/track.ts';
import { Tracker, type TrackerSettings } from '../tracking/tracker.ts';
import { Light } from './light.ts';
import { Scene } from './scene.ts';

/** Whether something moves in a camera's picture. */
export interface MotionGate {
  /** @param at ms, of any clock that does not step back */
  moves(grey: Grey, at: number): boolean;
}

/** What a face module is offered of each frame people were looked for in. */
export interface FaceStep {
  /** Takes what it needs of the frame and goes on by itself. */
  look(frame: Frame, people: readonly Track[]): void;
}

/** What an event was seen in; made into pictures by whoever keeps evidence. */
export interface EventContext {
  /** May be kept: it has planes of its own. */
  readonly frame: Frame;
  /** Everybody seen in the frame; `track` of the event is one of them. */
  readonly people: readonly Seen[];
}

export interface AnalysisParts {
  readonly camera: CameraConfig;
  /** Of the site, IANA. */
  readonly timezone: string;
  readonly inference: Inference;
  /** Model that finds people and its thresholds; `Frame.input` is of its size. */
  readonly detector: { readonly id: string; readonly start: number; readonly continue: number };
  /** Model that finds joints; `null`: none, then only boxes count. */
  readonly pose: string | null;
  readonly motion: MotionGate;
  readonly faces?: FaceStep | undefined;
  report(event: IntrusionEvent, context: EventContext): void;
}

export interface AnalysisCounts {
  frames: number;
  /** Of these nothing moved in, and nobody was followed: they cost nothing more. */
  still: number;
  /** People were looked for. */
  detected: number;
  poses: number;
  /** Given up by the inference: too much to do, or it was not there. */
  shed: number;
}

/** Poses looked at in one frame; who is further from a fence waits. */
const MOST_POSES = 6;
const POSE_MARGIN = 1.25;

/** One camera: frame → does anything move → people → tracks → joints of who is at a fence → rules → events. */
export class CameraAnalysis {
  readonly counts: AnalysisCounts = { frames: 0, still: 0, detected: 0, poses: 0, shed: 0 };
  readonly #parts: AnalysisParts;
  readonly #light = new Light();
  readonly #time: TimeOfDay;
  #scene: Scene | null = null;
  #tracker: Tracker;

  constructor(parts: AnalysisParts) {
    this.#parts = parts;
    this.#time = new TimeOfDay(parts.timezone);
    this.#tracker = this.#newTracker();
  }

  /** Everybody who is followed just now. */
  get people(): readonly Track[] {
    return this.#tracker.tracks;
  }

  /** Whether thresholds of the night are in use. */
  get night(): boolean {
    return this.#light.night;
  }

  /**
   * Frames come one after the other: the next one when this promise is settled. Nothing of a frame is looked at afterwards.
   * @throws QuanweiError what the inference throws, but VISION_DEGRADED: then the frame counts as shed
   */
  async feed(frame: Frame): Promise<void> {
    const { motion, faces } = this.#parts;
    const { grey, picture, mono: at } = frame;
    this.counts.frames++;
    const scene = this.#sceneOf(frame);
    const moves = motion.moves(grey, at);
    if (!moves && this.#tracker.tracks.length === 0 && this.counts.frames > 1) {
      this.counts.still++;
      return;
    }
    this.#light.look(picture, at);
    const found = await this.#detect(frame);
    if (found === null) {
      this.#forget(scene, this.#tracker.skip(at).gone);
      return;
    }
    const { seen, gone } = this.#tracker.update(
      found.filter((one) => !scene.masked(one)),
      at,
    );
    await this.#lookAtJoints(frame, scene, seen);
    this.#judge(frame, scene, seen);
    this.#forget(scene, gone);
    faces?.look(frame, seen);
  }

  #sceneOf({ picture: { width, height } }: Frame): Scene {
    if (this.#scene?.width !== width || this.#scene.height !== height) {
      // Another size of the stream: boxes of before mean nothing in it.
      if (this.#scene !== null) this.#tracker = this.#newTracker();
      this.#scene = new Scene(this.#parts.camera, { width, height });
    }
    return this.#scene;
  }

  /** @returns boxes in pixels of the picture; `null` when the frame was shed */
  async #detect({ input, picture }: Frame): Promise<Detection[] | null> {
    const { inference, detector, camera } = this.#parts;
    const found = await this.#run(() => inference.run('persons', detector.id, input.data, camera.id));
    if (found === null) return null;
    this.counts.detected++;
    const place = letterbox(picture, input);
    return found.map((one) => unletterbox(one, place));
  }

  async #lookAtJoints({ picture }: Frame, scene: Scene, seen: readonly LiveTrack[]): Promise<void> {
    const { inference, pose, camera } = this.#parts;
    if (pose === null) return;
    const near = seen.filter(({ last }) => scene.nearFence(last.box)).slice(0, MOST_POSES);
    const { width: size } = near.length > 0 ? inference.size(pose) : { width: 0 };
    await Promise.all(
      near.map(async (track) => {
        const square = squareAround(track.last.box, POSE_MARGIN);
        const points = await this.#run(() =>
          inference.run('pose', pose, crop(picture, square, size).data, `${camera.id}/pose`),
        );
        if (points === null) return;
        this.counts.poses++;
        track.pose(points.map((point) => uncrop(point, square, size)));
      }),
    );
  }

  #judge(frame: Frame, scene: Scene, seen: readonly LiveTrack[]): void {
    const { camera, report } = this.#parts;
    const people = seen.map((track) => ({
      track: track.id,
      box: track.last.box,
      score: track.score,
      pose: track.last.pose,
    }));
    const findings = scene.look(people, frame.mono, this.#time.at(frame.wall));
    if (findings.length === 0) return;
    const context = { frame: lasting(frame), people };
    for (const finding of findings) report({ ...finding, camera: camera.id }, context);
  }

  #forget(scene: Scene, gone: readonly Track[]): void {
    for (const { id } of gone) scene.forget(id);
  }

  async #run<T>(run: () => Promise<T | null>): Promise<T | null> {
    try {
      const found = await run();
      if (found === null) this.counts.shed++;
      return found;
    } catch (thrown) {
      // It is told once by whoever runs the inference, not with every frame.
      if (!(thrown instanceof QuanweiError) || thrown.code !== 'VISION_DEGRADED') throw thrown;
      this.counts.shed++;
      return null;
    }
  }

  #newTracker(): Tracker {
    return new Tracker(() => this.#settings());
  }

  #settings(): TrackerSettings {
    const { camera, detector } = this.#parts;
    const day = camera.threshold ?? detector.start;
    const start = this.night ? (camera.nightThreshold ?? day) : day;
    return {
      start,
      continue: Math.min(start, (detector.continue * start) / detector.start),
      minHeight: camera.minHeight * (this.#scene?.height ?? 0),
    };
  }
}

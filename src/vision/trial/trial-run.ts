import type { Clock } from '../../kernel/clock.ts';
import type { LaunchTrial, TrialChild } from './launch.ts';
import type { FromTrial, TrialEvent, TrialSighting, TrialTask } from './wire.ts';

/** Events that are listed, each with its picture; more are counted. */
const EVENTS = 100;
/** Boxes of people that are told, all frames together. */
const SIGHTINGS = 20_000;

/** Why it ended before its end. `left`: nobody asked any more; `late`: it took too long. */
export type Stopped = 'cancelled' | 'left' | 'late';

/** A try as it is told. Seconds are those of the footage. */
export interface TrialView {
  readonly id: string;
  readonly camera: string;
  readonly state: 'running' | 'done' | 'failed' | Stopped;
  /** With `failed`. */
  readonly problem: { readonly code: string; readonly message: string } | null;
  readonly begins: number | null;
  /** Of the whole; `null`: not known (yet). */
  readonly seconds: number | null;
  /** How far it is. */
  readonly t: number;
  readonly frames: number;
  /** Frames in which something moved and people were looked for. */
  readonly looked: number;
  /** How often somebody's posture was looked at: they were at a fence. */
  readonly postures: number;
  /** People that were followed. */
  readonly people: number;
  /** Only the beginning was looked at: it is longer than what is. */
  readonly cut: boolean;
  readonly events: readonly TrialEvent[];
  /** Events that are not listed. */
  readonly more: number;
  /** Who was seen where; only when it is over. */
  readonly sightings: readonly TrialSighting[] | null;
}

interface Parts {
  readonly id: string;
  readonly camera: string;
  readonly begins: number | null;
  readonly task: TrialTask;
  readonly launch: LaunchTrial;
  readonly clock: Clock;
}

/** One try, from its start until it is forgotten. */
export class TrialRun {
  readonly id: string;
  readonly camera: string;
  /** Path of the footage. */
  readonly video: string;
  readonly startedAt: number;
  /** When somebody asked last, mono ms. */
  askedAt: number;
  readonly #about: Pick<TrialView, 'id' | 'camera' | 'begins'>;
  readonly #child: TrialChild;
  readonly #events: TrialEvent[] = [];
  readonly #pictures: Uint8Array[] = [];
  readonly #sightings: TrialSighting[] = [];
  readonly #people = new Set<number>();
  #state: TrialView['state'] = 'running';
  /** Said, while the process is still there. */
  #outcome: TrialView['state'] | null = null;
  #problem: TrialView['problem'] = null;
  #seconds: number | null = null;
  #t = 0;
  #counts = { frames: 0, detected: 0, poses: 0 };
  #cut = false;
  #more = 0;

  constructor({ id, camera, begins, task, launch, clock }: Parts) {
    this.id = id;
    this.camera = camera;
    this.video = task.video;
    this.#about = { id, camera, begins };
    this.startedAt = clock.mono();
    this.askedAt = this.startedAt;
    this.#child = launch(task, {
      message: (message) => this.#hear(message),
      ended: (how) => {
        this.#problem ??= this.#outcome === null ? { code: 'VISION_DEGRADED', message: how } : null;
        this.#state = this.#outcome ?? 'failed';
      },
    });
  }

  /** Whether no process of it is left. */
  get over(): boolean {
    return this.#state !== 'running';
  }

  view(): TrialView {
    const { frames, detected: looked, poses: postures } = this.#counts;
    return {
      ...this.#about,
      ...{ state: this.#state, problem: this.#problem, seconds: this.#seconds, t: this.#t, cut: this.#cut },
      ...{ frames, looked, postures, people: this.#people.size, events: this.#events, more: this.#more },
      sightings: this.over ? this.#sightings : null,
    };
  }

  picture(event: number): Uint8Array | null {
    return this.#pictures[event] ?? null;
  }

  /** Resolves when no process of it is left. */
  async stop(why: Stopped): Promise<void> {
    this.#outcome ??= why;
    await this.#child.end();
  }

  #hear(message: FromTrial): void {
    if (message.type === 'opened') this.#seconds = message.seconds;
    else if (message.type === 'frame') {
      this.#t = message.t;
      this.#counts = { ...message.counts };
      for (const one of message.people) {
        this.#people.add(one[1]);
        if (this.#sightings.length < SIGHTINGS) this.#sightings.push(one);
      }
    } else if (message.type === 'event') {
      if (this.#events.length >= EVENTS) {
        this.#more += 1;
        return;
      }
      this.#events.push(message.event);
      // Off the message it came in.
      this.#pictures.push(message.jpeg.slice());
    } else if (message.type === 'done') {
      this.#outcome ??= 'done';
      this.#t = message.seconds;
      this.#cut = message.cut;
    } else {
      this.#outcome ??= 'failed';
      this.#problem = { code: message.code, message: message.message.slice(0, 200) };
    }
  }
}

import { withSettings } from '../../config/camera-overlay.ts';
import type { CameraSettings } from '../../config/cameras.ts';
import type { CameraConfig } from '../../config/schema.ts';
import type { Cancel, Clock } from '../../kernel/clock.ts';
import { QuanweiError } from '../../kernel/errors.ts';
import type { LaunchTrial } from './launch.ts';
import { TrialRun, type TrialView } from './trial-run.ts';

/** Seconds of footage that are looked at. */
export const MOST_SECONDS = 300;
/** A try takes no longer than this, ms. */
const WALL_MS = 10 * 60_000;
/** Nobody asked how it is for so long: it is given up, ms. A page in the background asks once a minute. */
const ASKED_MS = 90_000;
/** What came of it is remembered for so long after somebody asked, ms. */
const KEEP_MS = 15 * 60_000;
const LOOK_MS = 5_000;
/** Decoder, models and the program itself, bytes; with less the box's memory would end somebody who does real work. */
const MEMORY = 400 * 1024 * 1024;

export interface TrialOrder {
  readonly camera: string;
  /** As the page's form has them. */
  readonly settings: CameraSettings;
  /** Path of the footage. */
  readonly video: string;
  /** When it begins, wall ms; `null`: whatever the time, everything is armed. */
  readonly begins: number | null;
}

/** As they are in use; `vision.models` are directories with model entries beside the built-in ones. */
export interface SettingsInUse {
  readonly cameras: readonly CameraConfig[];
  readonly timezone: string;
  readonly vision: { readonly models: readonly string[] };
}

interface Parts {
  settings(): SettingsInUse;
  readonly launch: LaunchTrial;
  /** Of nice(2): live cameras are served first. */
  readonly priority: number;
  readonly clock: Clock;
  readonly newId: () => string;
  /** Bytes that may be taken before something has to go. */
  freeMemory(): number;
}

/**
 * Settings tried on footage: one at a time, in a process of its own, below the live cameras' priority. Nothing of it is
 * told to the gateway's journal, kept on disk, or known to the cameras.
 */
export class Trials {
  readonly #parts: Parts;
  readonly #timer: Cancel;
  #run: TrialRun | null = null;
  #closed = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#timer = parts.clock.every(LOOK_MS, () => this.#look());
  }

  /** @throws QuanweiError NOT_FOUND no such camera; TOO_MANY another one is under way; VISION_DEGRADED memory is short */
  start({ camera: id, settings, video, begins }: TrialOrder): TrialView {
    const { clock, launch, priority, newId, freeMemory } = this.#parts;
    const { cameras, timezone, vision } = this.#parts.settings();
    const known = cameras.find((one) => one.id === id);
    if (known === undefined || this.#closed) throw new QuanweiError('NOT_FOUND', 'no such camera');
    if (this.#run?.over === false) throw new QuanweiError('TOO_MANY', 'another try is under way');
    if (freeMemory() < MEMORY) throw new QuanweiError('VISION_DEGRADED', 'memory is short');
    const camera = withSettings({ ...known, url: video, subUrl: undefined } as CameraConfig, settings);
    const task = {
      ...{ video, timezone, models: vision.models, most: MOST_SECONDS, priority },
      camera: begins === null ? withoutTimes(camera) : camera,
      begins: begins ?? clock.wall(),
    };
    this.#run = new TrialRun({ id: newId(), camera: id, begins, task, launch, clock });
    return this.#run.view();
  }

  /** @param camera whose it has to be; `null`: anybody's @throws QuanweiError NOT_FOUND */
  view(id: string, camera: string | null = null): TrialView {
    return this.#under(id, camera).view();
  }

  /** JPEG. @throws QuanweiError NOT_FOUND */
  picture(id: string, event: number, camera: string | null = null): Uint8Array {
    const jpeg = this.#under(id, camera).picture(event);
    if (jpeg === null) throw new QuanweiError('NOT_FOUND', 'there is no such picture');
    return jpeg;
  }

  /** Resolves when no process of it is left. @throws QuanweiError NOT_FOUND */
  async cancel(id: string, camera: string | null = null): Promise<TrialView> {
    const run = this.#under(id, camera);
    await run.stop('cancelled');
    return run.view();
  }

  /** Whether something is tried on this file just now. */
  plays(file: string): boolean {
    return this.#run?.over === false && this.#run.video === file;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer.cancel();
    await this.#run?.stop('cancelled');
  }

  #under(id: string, camera: string | null): TrialRun {
    const known = this.#run?.id === id && (camera === null || this.#run.camera === camera);
    if (this.#run === null || !known) throw new QuanweiError('NOT_FOUND', 'this try is not known any more');
    this.#run.askedAt = this.#parts.clock.mono();
    return this.#run;
  }

  #look(): void {
    const run = this.#run;
    if (run === null) return;
    const now = this.#parts.clock.mono();
    if (run.over) {
      if (now - run.askedAt > KEEP_MS) this.#run = null;
    } else if (now - run.askedAt > ASKED_MS) void run.stop('left');
    else if (now - run.startedAt > WALL_MS) void run.stop('late');
  }
}

function withoutTimes(camera: CameraConfig): CameraConfig {
  const always = <T extends { readonly times: unknown }>(drawn: readonly T[]) =>
    drawn.map((one) => ({ ...one, times: [] }));
  return {
    ...camera,
    fences: always(camera.fences),
    lines: always(camera.lines),
    zones: always(camera.zones),
  };
}

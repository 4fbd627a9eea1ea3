import type { CameraConfig } from '../config/schema.ts';
import type { Cancel, Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { Frame, FrameSource, SourceState } from './capture/source.ts';
import type { HealthEvent } from './event.ts';
import type { CameraStatus } from './report/message.ts';
import type { LiveStream } from './serve/live-stream.ts';
import type { NewestPicture } from './serve/newest-picture.ts';
import { Starvation } from './starvation.ts';

const STATUS_MS = 10_000;

/** Something that looks at a camera's frames: for people, for faces, for the picture's own health. */
export interface Look {
  /** While it is unsettled newer frames are shed. What it throws costs this frame and is logged. */
  frame(frame: Frame): void | Promise<void>;
  state?(state: SourceState): void;
  close?(): Promise<void> | void;
}

export interface WatchedCameraParts {
  readonly config: CameraConfig;
  readonly source: FrameSource;
  /** In the order in which they see a frame. */
  readonly looks: readonly Look[];
  readonly newest: NewestPicture;
  readonly live: Readonly<Record<'main' | 'sub', LiveStream>>;
  readonly clock: Clock;
  readonly log: Log;
  status(status: CameraStatus): void;
  health(event: HealthEvent): void;
}

/** One camera: its stream in, whoever looks at it, and how it is. */
export class WatchedCamera {
  readonly #parts: WatchedCameraParts;
  readonly #timer: Cancel;
  #status: CameraStatus = { state: 'offline', reason: 'starting' };
  readonly #starvation: Starvation;
  #frames = 0;
  #before = { frames: 0, came: 0 };
  #countedAt: number;

  constructor(parts: WatchedCameraParts) {
    const { source, clock, config } = parts;
    this.#parts = parts;
    this.#starvation = new Starvation((active, reason) =>
      parts.health({ type: 'health', camera: config.id, condition: 'degraded', active, reason }),
    );
    this.#countedAt = clock.mono();
    this.#timer = clock.every(STATUS_MS, () => this.#count());
    const address = hostOf(config.url);
    this.#status = { ...this.#status, ...(address === null ? {} : { address }) };
    parts.status(this.#status);
    source.start({ frame: (frame) => this.#frame(frame), state: (state) => this.#state(state) });
  }

  get config(): CameraConfig {
    return this.#parts.config;
  }

  get status(): CameraStatus {
    return this.#status;
  }

  get newest(): NewestPicture {
    return this.#parts.newest;
  }

  live(stream: 'main' | 'sub'): LiveStream {
    return this.#parts.live[stream];
  }

  /** Frames that were looked at, and those that were shed. */
  get work(): { done: number; shed: number } {
    return { done: this.#frames, shed: this.#parts.source.shed };
  }

  /** Resolves when every child process is gone. */
  async stop(): Promise<void> {
    const { source, live, looks } = this.#parts;
    this.#timer.cancel();
    await Promise.all([source.stop(), live.main.stop(), live.sub.stop()]);
    for (const look of looks) await look.close?.();
  }

  async #frame(frame: Frame): Promise<void> {
    const { newest, looks, log, config } = this.#parts;
    this.#frames += 1;
    newest.put(frame.picture, frame.wall);
    for (const look of looks) {
      try {
        await look.frame(frame);
      } catch (thrown) {
        log.error({ err: thrown, camera: config.id }, 'a frame could not be looked at');
      }
    }
  }

  #state(state: SourceState): void {
    const { newest, looks } = this.#parts;
    const { address } = this.#status;
    const place = address === undefined ? {} : { address };
    this.#starvation.expect(state.state === 'online' ? state.fps : null);
    if (state.state === 'online') this.#tell({ state: 'online', fps: round(state.fps), ...place });
    else {
      newest.clear();
      const reason = state.state === 'ended' ? 'the footage is over' : state.reason;
      this.#tell({ state: 'offline', reason, ...place });
    }
    for (const look of looks) look.state?.(state);
  }

  /** Frames that really come: a camera that is asked for five and gives one is told as such. */
  #count(): void {
    const now = this.#parts.clock.mono();
    const seconds = Math.max(1, now - this.#countedAt) / 1_000;
    const fps = round((this.#frames - this.#before.frames) / seconds);
    const came = this.#frames + this.#parts.source.shed;
    this.#starvation.look((came - this.#before.came) / seconds);
    this.#before = { frames: this.#frames, came };
    this.#countedAt = now;
    if (this.#status.state !== 'offline') this.#tell({ ...this.#status, fps });
  }

  #tell(status: CameraStatus): void {
    this.#status = status;
    this.#parts.status(status);
  }
}

const round = (fps: number): number => Math.round(fps * 10) / 10;

/** Never the credentials. */
function hostOf(url: string): string | null {
  if (!URL.canParse(url)) return null;
  const { host } = new URL(url);
  return host === '' ? null : host;
}

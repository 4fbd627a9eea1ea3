import { Backoff } from '../../kernel/backoff.ts';
import type { Cancel, Clock } from '../../kernel/clock.ts';
import { QuanweiError } from '../../kernel/errors.ts';
import type { Log } from '../../kernel/log.ts';
import type { Child, Launch } from './launch.ts';
import { errorOf, type FromChild, type ToChild } from './wire.ts';

export interface LifeBounds {
  /** Longest time for loading all models, ms */
  readonly loadMs: number;
  /** Longest time without an answer while something is under way, ms. Some hundred times what a run takes. */
  readonly runMs: number;
  /** Starts within the window, after which it is given up */
  readonly restarts: number;
  readonly windowMs: number;
  /** Given up: it is tried once more each time this has passed, ms */
  readonly probeMs: number;
  /** Running this long without a fault counts as healthy: the waits before a restart begin small again, ms */
  readonly stableMs: number;
}

export interface LifeEvents {
  /** Models are loaded: pictures may be sent. */
  ready(): void;
  answer(message: Extract<FromChild, { n: number }>): void;
  /** It is gone, and with it what was under way. */
  lost(): void;
  /** Given up (why), or back again (`null`). Told once each. */
  degraded(reason: string | null): void;
}

export interface LifeParts {
  readonly launch: Launch;
  readonly clock: Clock;
  /** 0 ≤ x < 1 */
  readonly random: () => number;
  readonly log: Log;
  readonly bounds: LifeBounds;
  /** Sent to each child first. */
  readonly load: ToChild;
}

/** First and longest wait before the child is started again, ms. */
const BACKOFF = { min: 100, max: 10_000 };
/**
 * When the bound has passed it is waited this much more before the child is ended, ms: if it was we who stood still, its
 * answers lie in the channel and are read first.
 */
const GRACE_MS = 250;

/** Keeps one child alive: loads it, ends it when it is stuck, starts it again, and knows when to give up. */
export class ChildLife {
  readonly #parts: LifeParts;
  readonly #events: LifeEvents;
  readonly #backoff: Backoff;
  #child: Child | null = null;
  #ready = false;
  #closed = false;
  /** Why we ended the child ourselves. */
  #verdict: string | null = null;
  #watch: Cancel | null = null;
  /** The next start, or the moment from which it counts as healthy. */
  #next: Cancel | null = null;
  /** When it was started again, mono ms; only those inside the window. */
  #starts: number[] = [];
  #onEnd: (() => void) | null = null;
  degraded: string | null = null;
  restarts = 0;

  constructor(parts: LifeParts, events: LifeEvents) {
    this.#parts = parts;
    this.#events = events;
    this.#backoff = new Backoff({ ...BACKOFF, random: parts.random });
  }

  get ready(): boolean {
    return this.#ready;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /**
   * The first start: resolves when the models are loaded.
   * @throws QuanweiError BAD_MODEL a model cannot be used; VISION_DEGRADED the child ended or took too long
   */
  start(): Promise<void> {
    return new Promise((resolve, reject) => this.#launch(resolve, reject));
  }

  /** Only while {@link ready}. */
  send(message: ToChild): void {
    this.#child?.send(message);
  }

  /** From now on an answer is due within the bound; `false`: nothing is under way. */
  expect(something: boolean): void {
    this.#watch?.cancel();
    this.#watch = null;
    if (something) this.#watchFor(this.#parts.bounds.runMs, 'a run');
  }

  /** Resolves when no process is left. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#ready = false;
    this.#watch?.cancel();
    this.#next?.cancel();
    const child = this.#child;
    if (child === null) return;
    await new Promise<void>((resolve) => {
      this.#onEnd = resolve;
      child.kill();
    });
  }

  #launch(loaded: () => void, failed: (error: QuanweiError) => void): void {
    const { launch, bounds, load } = this.#parts;
    this.#verdict = null;
    let refusal: QuanweiError | null = null;
    const child = launch({
      message: (message) => {
        if (this.#closed) return;
        if (message.type === 'ready') {
          this.#ready = true;
          this.expect(false);
          loaded();
          this.#events.ready();
        } else if (message.type === 'unloadable') {
          refusal = errorOf(message.error);
          child.kill();
        } else this.#events.answer(message);
      },
      ended: (how) => {
        const wasReady = this.#ready;
        this.#child = null;
        this.#ready = false;
        this.#watch?.cancel();
        this.#watch = null;
        this.#events.lost();
        this.#onEnd?.();
        const error =
          refusal ?? new QuanweiError('VISION_DEGRADED', `the infer child is gone: ${this.#verdict ?? how}`);
        if (wasReady) this.#again(error);
        else failed(error);
      },
    });
    this.#child = child;
    child.send(load);
    this.#watchFor(bounds.loadMs, 'loading the models');
  }

  #watchFor(ms: number, what: string): void {
    const { clock } = this.#parts;
    this.#watch = clock.after(ms, () => {
      this.#watch = clock.after(GRACE_MS, () => {
        this.#verdict = `${what} took longer than ${ms / 1000} s`;
        this.#child?.kill();
      });
    });
  }

  #again(error: QuanweiError): void {
    this.#next?.cancel();
    if (this.#closed) return;
    const { clock, log, bounds } = this.#parts;
    const now = clock.mono();
    this.#starts = this.#starts.filter((start) => now - start < bounds.windowMs);
    if (this.degraded !== null || this.#starts.length >= bounds.restarts) {
      this.#giveUp(error);
      return;
    }
    const ms = this.#backoff.next();
    log.warn({ err: error, ms }, 'the infer child is started again');
    this.#next = clock.after(ms, () => this.#restart());
  }

  #giveUp(error: QuanweiError): void {
    const { clock, log, bounds } = this.#parts;
    if (this.degraded === null) {
      this.degraded = `${error.describe()} (${this.#starts.length} restarts in ${bounds.windowMs / 1000} s)`;
      log.error({ err: error }, 'the infer child is given up for now');
      this.#events.degraded(this.degraded);
    }
    this.#next = clock.after(bounds.probeMs, () => this.#restart());
  }

  #restart(): void {
    const { clock, bounds, log } = this.#parts;
    this.restarts += 1;
    this.#starts.push(clock.mono());
    this.#launch(
      () => {
        this.#next = clock.after(bounds.stableMs, () => this.#backoff.reset());
        if (this.degraded === null) return;
        this.degraded = null;
        // On probation: one more fault inside the window is enough.
        this.#starts = new Array<number>(bounds.restarts).fill(clock.mono());
        log.info('the infer child works again');
        this.#events.degraded(null);
      },
      (error) => this.#again(error),
    );
  }
}

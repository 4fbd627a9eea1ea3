import type { Clock } from '../../kernel/clock.ts';
import { invariant, QuanweiError } from '../../kernel/errors.ts';
import type { Log } from '../../kernel/log.ts';
import type { ModelFile } from '../models/entry.ts';
import { ChildLife, type LifeBounds } from './child-life.ts';
import type { Found, Inference, InferenceCounts, Task } from './inference.ts';
import { forkChild, type Launch } from './launch.ts';
import { WaitingPictures } from './waiting.ts';
import { errorOf, type FromChild, specOf } from './wire.ts';

export interface InferenceBounds extends LifeBounds {
  /** Pictures of one source that may wait */
  readonly perSource: number;
  /** Pictures that may wait in all */
  readonly total: number;
  /** Pictures the child has at a time: what it has cannot be shed any more */
  readonly batch: number;
}

export const BOUNDS: InferenceBounds = {
  perSource: 8,
  total: 128,
  batch: 8,
  loadMs: 60_000,
  runMs: 4_000,
  restarts: 5,
  windowMs: 60_000,
  probeMs: 60_000,
  stableMs: 30_000,
};

export interface ForkedOptions {
  /** All of them live in one child; another set of models is another `ForkedInference`. */
  readonly models: readonly ModelFile[];
  readonly clock: Clock;
  readonly log: Log;
  /** 0 ≤ x < 1 */
  readonly random: () => number;
  /** In place of the entries' own thresholds, such as `{ floor: 0.05 }` */
  readonly thresholds?: Record<string, number>;
  readonly bounds?: Partial<InferenceBounds>;
  readonly launch?: Launch;
  /** Given up (why), or back again (`null`). */
  readonly onDegraded?: (reason: string | null) => void;
}

interface Pending {
  readonly source: string;
  readonly model: string;
  readonly input: Uint8Array;
  settle(found: Found[Task] | null): void;
  fail(error: QuanweiError): void;
}

/** Models in a forked child. */
export class ForkedInference implements Inference {
  readonly #models: ReadonlyMap<string, ModelFile>;
  readonly #bounds: InferenceBounds;
  readonly #waiting: WaitingPictures<Pending>;
  readonly #underWay = new Map<number, Pending>();
  readonly #life: ChildLife;
  readonly #counts = { done: 0, shed: 0, failed: 0 };
  #next = 1;
  #gathering = false;
  #closed = false;

  private constructor({ models, thresholds, bounds, launch, onDegraded, clock, log, random }: ForkedOptions) {
    this.#models = new Map(models.map((model) => [model.id, model]));
    this.#bounds = { ...BOUNDS, ...bounds };
    this.#waiting = new WaitingPictures(this.#bounds);
    this.#life = new ChildLife(
      {
        launch: launch ?? forkChild,
        clock,
        log,
        random,
        bounds: this.#bounds,
        load: { type: 'load', models: models.map((model) => specOf(model, thresholds)) },
      },
      {
        ready: () => this.#feed(),
        answer: (message) => this.#onAnswer(message),
        lost: () => this.#giveUp(this.#underWay.values(), () => this.#underWay.clear()),
        degraded: (reason) => {
          if (reason !== null) this.#giveUp(this.#waiting.take(this.#waiting.size));
          onDegraded?.(reason);
        },
      },
    );
  }

  /**
   * Resolves when the child has loaded the models and run each once.
   * @throws QuanweiError BAD_MODEL a model cannot be used; VISION_DEGRADED the child ended or took too long
   */
  static async start(options: ForkedOptions): Promise<ForkedInference> {
    const inference = new ForkedInference(options);
    await inference.#life.start();
    return inference;
  }

  get counts(): Readonly<InferenceCounts> {
    return { ...this.#counts, restarts: this.#life.restarts };
  }

  get degraded(): string | null {
    return this.#life.degraded;
  }

  /** Of the child; `undefined` while there is none. */
  get pid(): number | undefined {
    return this.#life.pid;
  }

  /** Pictures that wait or are under way. */
  get pending(): number {
    return this.#waiting.size + this.#underWay.size;
  }

  size(model: string): { readonly width: number; readonly height: number } {
    const { width, height } = this.#model(model);
    return { width, height };
  }

  async run<T extends Task>(task: T, model: string, input: Uint8Array, source: string): Promise<Found[T] | null> {
    const { entry, width, height } = this.#model(model);
    if (entry.task !== task) throw new QuanweiError('NOT_FOUND', `model ${model} finds ${entry.task}, not ${task}`);
    invariant(
      input.length === width * height * 3,
      `${input.length} bytes for the ${width}×${height} input of ${model}`,
    );
    if (this.#closed) return null;
    if (this.degraded !== null) throw new QuanweiError('VISION_DEGRADED', this.degraded);
    const found = await new Promise<Found[Task] | null>((settle, fail) => {
      const shed = this.#waiting.add({ source, model, input, settle, fail });
      if (shed !== null) {
        this.#counts.shed += 1;
        shed.settle(null);
      }
      this.#gather();
    });
    return found as Found[T] | null;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#life.close();
    this.#giveUp(this.#waiting.take(this.#waiting.size));
  }

  #model(id: string): ModelFile {
    const model = this.#models.get(id);
    if (model !== undefined) return model;
    throw new QuanweiError('NOT_FOUND', `model ${id} is not loaded`, {
      hint: `loaded are: ${[...this.#models.keys()].join(', ')}`,
    });
  }

  /** What comes in one turn of the event loop travels together. */
  #gather(): void {
    if (this.#gathering) return;
    this.#gathering = true;
    setImmediate(() => {
      this.#gathering = false;
      this.#feed();
    });
  }

  /** The child gets its next batch while it works on the last picture of the one before, and so never waits for us. */
  #feed(): void {
    if (!this.#life.ready || this.#underWay.size > 1 || this.#waiting.size === 0) return;
    const idle = this.#underWay.size === 0;
    const pictures = this.#waiting.take(this.#bounds.batch - this.#underWay.size).map((pending) => {
      const n = this.#next;
      this.#next += 1;
      this.#underWay.set(n, pending);
      return { n, model: pending.model, input: pending.input };
    });
    this.#life.send({ type: 'run', pictures });
    if (idle) this.#life.expect(true);
  }

  #onAnswer(message: Extract<FromChild, { n: number }>): void {
    const pending = this.#underWay.get(message.n);
    if (pending === undefined) return;
    this.#underWay.delete(message.n);
    if (message.type === 'found') {
      this.#counts.done += 1;
      // Off the message it came in, which is many times as large where many came together.
      pending.settle(message.found instanceof Float32Array ? message.found.slice() : message.found);
    } else {
      this.#counts.failed += 1;
      pending.fail(errorOf(message.error));
    }
    this.#life.expect(this.#underWay.size > 0);
    this.#feed();
  }

  #giveUp(pictures: Iterable<Pending>, then?: () => void): void {
    const lost = [...pictures];
    then?.();
    this.#counts.failed += lost.length;
    for (const { settle } of lost) settle(null);
  }
}

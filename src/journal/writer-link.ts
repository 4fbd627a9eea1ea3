import { Worker } from 'node:worker_threads';
import type { Cancel, Clock } from '../kernel/clock.ts';
import { messageOf, QuanweiError } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import { errorOf, type FromWriter, pack, type ToWriter, type WireRequest, type WriterSetup } from './wire.ts';

/** Waits before the thread is started again: doubled each time, back to the first after a commit. */
const RESTART_MS = { first: 100, longest: 10_000 };
/** While storing fails, it is tried this often whether somebody wants to store something or not, ms. */
const PROBE_MS = 1_000;
/** What may wait for the disk; beyond it storing is refused at once. */
const BOUND = { requests: 50_000, characters: 64 * 1024 * 1024 };

/** A request and who waits for it. */
export interface Pending {
  readonly request: Omit<WireRequest, 'n'>;
  /** @param first seq of its first entry, 0 when it has none */
  done(first: number): void;
  failed(error: QuanweiError): void;
}

export interface LinkEvents {
  /** Storing began to fail (`error`), or works again (`null`). */
  state(error: QuanweiError | null): void;
  /** The thread died; tells the first seq of each of `pendings` that is on disk after all, by its place in the list. */
  settle(pendings: readonly Pending[]): Map<number, number>;
}

/** The main thread's end of the writer: gathers what one turn of the event loop wants stored and hands it over at once. */
export class WriterLink {
  readonly #thread: string;
  readonly #setup: WriterSetup;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #events: LinkEvents;
  readonly #waiting = new Map<number, Pending>();
  #gathered: WireRequest[] = [];
  #characters = 0;
  #next = 1;
  #worker: Worker | null = null;
  #ready = false;
  #closing: (() => void) | null = null;
  #backoff = RESTART_MS.first;
  #restart: Cancel | null = null;
  #probe: Cancel | null = null;
  error: QuanweiError | null = null;
  commits = 0;

  /** @param thread the compiled `writer-thread` */
  constructor(thread: string, setup: WriterSetup, clock: Clock, log: Log, events: LinkEvents) {
    this.#thread = thread;
    this.#setup = setup;
    this.#clock = clock;
    this.#log = log;
    this.#events = events;
  }

  get queue(): number {
    return this.#waiting.size;
  }

  /** Resolves when the thread is ready to store; rejects when it cannot get there. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const worker = new Worker(this.#thread, {
        workerData: this.#setup,
        execArgv: [],
        resourceLimits: { maxYoungGenerationSizeMb: 6, maxOldGenerationSizeMb: 256 },
      });
      let failure: unknown = null;
      this.#worker = worker;
      worker.on('message', (message: FromWriter) => {
        if (message.type === 'ready') {
          this.#ready = true;
          resolve();
        } else this.#onMessage(message);
      });
      worker.on('error', (thrown) => {
        failure = thrown;
      });
      worker.on('exit', (code) => {
        this.#worker = null;
        const wasReady = this.#ready;
        this.#ready = false;
        if (this.#closing !== null) {
          this.#closing();
          return;
        }
        const why = failure === null ? `it ended with ${code}` : messageOf(failure);
        const error = new QuanweiError('STORAGE_UNAVAILABLE', `the writer stopped: ${why}`, {
          where: this.#setup.file,
          hint: 'it is started again by itself',
          cause: failure,
        });
        if (wasReady) this.#onCrash(error);
        else reject(error);
      });
    });
  }

  submit(pending: Pending): void {
    const refusal = this.#refusal();
    if (refusal !== null) {
      pending.failed(refusal);
      return;
    }
    const n = this.#next;
    this.#next += 1;
    this.#waiting.set(n, pending);
    this.#characters += charactersOf(pending);
    // Everything that arrives in one turn of the event loop travels, and is committed, together.
    if (this.#gathered.length === 0) setImmediate(() => this.#flush());
    this.#gathered.push({ n, ...pending.request });
  }

  /** Resolves when all that was submitted has been answered and the thread has ended. */
  async close(): Promise<void> {
    this.#restart?.cancel();
    this.#probe?.cancel();
    const worker = this.#worker;
    if (worker === null || !this.#ready) {
      await worker?.terminate();
      return;
    }
    await new Promise<void>((resolve) => {
      this.#closing = resolve;
      this.#flush();
      worker.postMessage({ type: 'close', wall: this.#clock.wall() } satisfies ToWriter);
    });
  }

  #refusal(): QuanweiError | null {
    if (this.#closing !== null) return new QuanweiError('STORAGE_UNAVAILABLE', 'the journal is closed');
    if (!this.#ready) return this.error ?? new QuanweiError('STORAGE_UNAVAILABLE', 'the writer is not running');
    if (this.#waiting.size >= BOUND.requests || this.#characters >= BOUND.characters) {
      return new QuanweiError('STORAGE_UNAVAILABLE', 'the disk cannot keep up', {
        where: this.#setup.file,
        hint: 'send again later',
      });
    }
    return null;
  }

  #flush(): void {
    if (this.#gathered.length === 0 || this.#worker === null) return;
    const requests = this.#gathered;
    this.#gathered = [];
    this.#worker.postMessage({ type: 'requests', requests: requests.map(pack) } satisfies ToWriter);
  }

  #onMessage(message: Exclude<FromWriter, { type: 'ready' }>): void {
    if (message.type === 'closed') return;
    for (const outcome of message.outcomes) {
      const pending = this.#take(outcome.n);
      if (pending === null) continue;
      if ('error' in outcome) pending.failed(errorOf(outcome.error));
      else pending.done(outcome.first);
    }
    if (message.failure === null) {
      this.commits += 1;
      this.#backoff = RESTART_MS.first;
      this.#setError(null);
    } else this.#setError(errorOf(message.failure));
  }

  #onCrash(error: QuanweiError): void {
    this.#log.error({ err: error }, 'the writer stopped');
    this.#gathered = [];
    const pendings = [...this.#waiting.values()];
    // Nobody may be told "not stored" about what was: the last commit may have been answered to nobody.
    const stored = this.#events.settle(pendings);
    this.#waiting.clear();
    this.#characters = 0;
    pendings.forEach((pending, i) => {
      const first = stored.get(i);
      if (first === undefined) pending.failed(error);
      else pending.done(first);
    });
    this.#setError(error);
    this.#later();
  }

  #later(): void {
    this.#restart = this.#clock.after(this.#backoff, () => {
      this.start().catch((thrown: unknown) => {
        this.#log.error({ err: thrown }, 'the writer could not be started');
        this.#later();
      });
    });
    this.#backoff = Math.min(this.#backoff * 2, RESTART_MS.longest);
  }

  #setError(error: QuanweiError | null): void {
    const before = this.error;
    this.error = error;
    if (error !== null) {
      this.#probe ??= this.#clock.every(PROBE_MS, () => this.#tryWriting());
    } else {
      this.#probe?.cancel();
      this.#probe = null;
    }
    if (before?.code !== error?.code) this.#events.state(error);
  }

  #tryWriting(): void {
    // Whoever waits already is probe enough.
    if (!this.#ready || this.#waiting.size > 0) return;
    this.submit({
      request: { entries: [], changes: [{ sql: PROBE, params: [this.#setup.boot] }], erase: [], remove: [] },
      done: () => undefined,
      failed: () => undefined,
    });
  }

  #take(n: number): Pending | null {
    const pending = this.#waiting.get(n);
    if (pending === undefined) return null;
    this.#waiting.delete(n);
    this.#characters -= charactersOf(pending);
    return pending;
  }
}

/** Changes nothing but has to be written: the least that tells whether the disk takes writes again. */
const PROBE = 'UPDATE boots SET wall = wall WHERE boot = ?';

function charactersOf({ request }: Pending): number {
  let sum = 0;
  for (const { body } of request.entries) sum += body.length;
  for (const { params } of request.changes) {
    for (const param of params) sum += typeof param === 'string' || param instanceof Uint8Array ? param.length : 8;
  }
  return sum;
}

import type { Cancel, Clock } from '../kernel/clock.ts';
import { QuanweiError } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import { Committer } from './committer.ts';
import { Pace, type Place } from './pace.ts';
import {
  errorOf,
  type FromWriter,
  type WireError,
  type WireOutcome,
  type WireRequest,
  type WriterSetup,
} from './wire.ts';
import { WriterThread } from './writer-thread-link.ts';

/** Waits before the thread is started again: doubled each time, back to the first after a commit. */
const RESTART_MS = { first: 100, longest: 10_000 };
/** While storing fails, it is tried this often whether somebody wants to store something or not, ms. */
const PROBE_MS = 1_000;
/** What may wait for the disk; beyond it storing is refused at once. */
const BOUND = { requests: 50_000, characters: 64 * 1024 * 1024 };
/** Pages of log from which a commit in this thread is followed by a checkpoint: everybody waits for it, so it is small. */
const CHECKPOINT_PAGES = 128;
/** How long nothing must have come before the log is moved into the database in good time, ms. */
const IDLE_MS = 500;
/** A thread that has nothing to do is ended after this, ms: it is 10 MB. */
const KEEP_THREAD_MS = 20_000;

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

export interface LinkOptions extends WriterSetup {
  /** The compiled `writer-thread`. */
  readonly thread: string;
  /** The thread is used from the start and for everything. */
  readonly alwaysThread: boolean;
  /** What a commit took a moment ago, ms. */
  readonly commitMs: number;
}

/**
 * The way to the disk: gathers what one turn of the event loop wants stored and has it committed at once, in this
 * thread or in the writer's (`Pace` says which). There is one writer at any time: this thread closes its connection
 * before the other is given anything, and opens it again only when the other has said that it has let go.
 */
export class WriterLink {
  readonly #options: LinkOptions;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #events: LinkEvents;
  readonly #pace = new Pace();
  readonly #committer: Committer;
  readonly #thread: WriterThread;
  readonly #waiting = new Map<number, { readonly pending: Pending; readonly characters: number }>();
  #gathered: WireRequest[] = [];
  #characters = 0;
  #next = 1;
  /** Who has the database now; nobody while it is handed back, or while the thread is started again. */
  #writer: Place | 'nobody' = 'here';
  #starting = false;
  #noThreadBefore = Number.NEGATIVE_INFINITY;
  #open = false;
  #closed = false;
  #backoff = RESTART_MS.first;
  #restart: Cancel | null = null;
  #probe: Cancel | null = null;
  #idle: NodeJS.Timeout | null = null;
  #spare: Cancel | null = null;
  error: QuanweiError | null = null;
  commits = 0;

  constructor(options: LinkOptions, clock: Clock, log: Log, events: LinkEvents) {
    const { file, boot, thread } = options;
    this.#options = options;
    this.#clock = clock;
    this.#log = log;
    this.#events = events;
    this.#committer = new Committer({ file, boot }, CHECKPOINT_PAGES);
    this.#thread = new WriterThread(
      thread,
      { file, boot },
      { message: (message) => this.#onMessage(message), died: (error) => this.#onDeath(error) },
    );
  }

  get queue(): number {
    return this.#waiting.size;
  }

  /** Resolves when something can be stored; rejects when it cannot get there. */
  async start(): Promise<void> {
    const { alwaysThread, commitMs } = this.#options;
    if (alwaysThread || this.#pace.begin(performance.now(), commitMs) === 'there') {
      await this.#thread.start();
      this.#writer = 'there';
    } else this.#committer.open();
    this.#open = true;
  }

  /** @param now nothing more comes in this turn of the event loop that could be committed together with it */
  submit(pending: Pending, now = false): void {
    const refusal = this.#refusal();
    if (refusal !== null) {
      pending.failed(refusal);
      return;
    }
    const n = this.#next;
    this.#next += 1;
    const characters = charactersOf(pending);
    this.#waiting.set(n, { pending, characters });
    this.#characters += characters;
    const first = this.#gathered.length === 0;
    this.#gathered.push({ n, ...pending.request });
    if (now) this.#flush();
    // Everything that arrives in one turn of the event loop is committed together.
    else if (first) setImmediate(() => this.#flush());
  }

  /** Resolves when all that was submitted has been answered and the database is let go of. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#restart?.cancel();
    this.#probe?.cancel();
    this.#spare?.cancel();
    if (this.#idle !== null) clearTimeout(this.#idle);
    if (this.#writer === 'here' && this.#open) {
      this.#commitHere();
      this.#closed = true;
      this.#committer.close(this.#clock.wall());
      await this.#thread.end(null);
      return;
    }
    // It takes the database back, should it have just let go of it.
    if (this.#open && this.#thread.ready) this.#post();
    this.#closed = true;
    await this.#thread.end(this.#open ? this.#clock.wall() : null);
  }

  #refusal(): QuanweiError | null {
    if (this.#closed) return new QuanweiError('STORAGE_UNAVAILABLE', 'the journal is closed');
    if (!this.#open) return this.error ?? new QuanweiError('STORAGE_UNAVAILABLE', 'the writer is not running');
    if (this.#waiting.size >= BOUND.requests || this.#characters >= BOUND.characters) {
      return new QuanweiError('STORAGE_UNAVAILABLE', 'the disk cannot keep up', {
        where: this.#options.file,
        hint: 'send again later',
      });
    }
    return null;
  }

  #flush(): void {
    if (this.#gathered.length === 0 || this.#closed) return;
    if (this.#writer === 'there') this.#post();
    // While a thread is being started for a disk that hangs everybody waits for it, and the event loop for nobody.
    else if (this.#writer === 'here' && !(this.#starting && this.#pace.stuck)) this.#commitHere();
  }

  #post(): void {
    const requests = this.#gathered;
    this.#gathered = [];
    if (requests.length > 0) this.#thread.post(requests);
  }

  #commitHere(): void {
    const requests = this.#gathered;
    if (requests.length === 0) return;
    this.#gathered = [];
    const result = this.#committer.commit(requests);
    this.#answer(result.outcomes, result.failure);
    this.#committer.tidy(requests, result);
    // What could not be stored tells nothing of the disk's pace, and a full disk is no time to open it anew.
    if (result.failure === null && this.#pace.note(performance.now(), result.ms, entriesOf(requests)) === 'there') {
      this.#handOver();
    }
    if (this.#idle === null) {
      this.#idle = setTimeout(() => {
        this.#idle = null;
        if (this.#writer === 'here') this.#committer.idle();
      }, IDLE_MS).unref();
    } else this.#idle.refresh();
  }

  /** To the thread, which is started first if there is none; until it is there this one goes on, unless the disk hangs. */
  #handOver(): void {
    if (this.#starting || this.#closed || this.#clock.mono() < this.#noThreadBefore) return;
    this.#spare?.cancel();
    this.#spare = null;
    if (this.#thread.ready) {
      this.#give();
      return;
    }
    this.#starting = true;
    this.#thread.start().then(
      () => {
        this.#starting = false;
        if (!this.#closed) this.#give();
      },
      (thrown: unknown) => {
        this.#starting = false;
        this.#noThreadBefore = this.#clock.mono() + RESTART_MS.longest;
        this.#log.error({ err: thrown }, 'the writer’s thread could not be started');
        this.#flush();
      },
    );
  }

  #give(): void {
    this.#committer.release();
    this.#writer = 'there';
    this.#post();
  }

  #takeBack(): void {
    this.#writer = 'nobody';
    this.#thread.release();
  }

  #onMessage(message: Exclude<FromWriter, { type: 'ready' | 'closed' }>): void {
    if (message.type === 'released') {
      if (this.#closed) return;
      this.#writer = 'here';
      this.#spare = this.#clock.after(KEEP_THREAD_MS, () => {
        this.#spare = null;
        if (this.#writer === 'here' && !this.#starting) void this.#thread.end(null);
      });
      this.#flush();
      return;
    }
    let entries = 0;
    for (const { n } of message.outcomes) entries += this.#waiting.get(n)?.pending.request.entries.length ?? 0;
    this.#answer(message.outcomes, message.failure);
    if (this.#options.alwaysThread || this.#closed || this.#writer !== 'there' || message.failure !== null) return;
    if (this.#pace.note(performance.now(), message.ms, entries) === 'here') this.#takeBack();
  }

  #answer(outcomes: readonly WireOutcome[], failure: WireError | null): void {
    for (const outcome of outcomes) {
      const pending = this.#take(outcome.n);
      if (pending === null) continue;
      if ('error' in outcome) pending.failed(errorOf(outcome.error));
      else pending.done(outcome.first);
    }
    if (failure === null) {
      this.commits += 1;
      this.#backoff = RESTART_MS.first;
      this.#setError(null);
    } else this.#setError(errorOf(failure));
  }

  #onDeath(error: QuanweiError): void {
    this.#log.error({ err: error }, 'the writer stopped');
    if (this.#writer === 'here') return; // it had nothing to do
    this.#open = false;
    this.#gathered = [];
    const pendings = [...this.#waiting.values()].map(({ pending }) => pending);
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
      this.#thread.start().then(
        () => {
          this.#writer = 'there';
          this.#open = true;
        },
        (thrown: unknown) => {
          this.#log.error({ err: thrown }, 'the writer could not be started');
          this.#later();
        },
      );
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
    if (!this.#open || this.#waiting.size > 0) return;
    this.submit({
      request: { entries: [], changes: [{ sql: PROBE, params: [this.#options.boot] }], erase: [], remove: [] },
      done: () => undefined,
      failed: () => undefined,
    });
  }

  #take(n: number): Pending | null {
    const waiting = this.#waiting.get(n);
    if (waiting === undefined) return null;
    this.#waiting.delete(n);
    this.#characters -= waiting.characters;
    return waiting.pending;
  }
}

/** Changes nothing but has to be written: the least that tells whether the disk takes writes again. */
const PROBE = 'UPDATE boots SET wall = wall WHERE boot = ?';

const entriesOf = (requests: readonly WireRequest[]): number =>
  requests.reduce((sum, { entries }) => sum + entries.length, 0);

function charactersOf({ request }: Pending): number {
  let sum = 0;
  for (const { body } of request.entries) sum += body.length;
  for (const { params } of request.changes) {
    for (const param of params) sum += typeof param === 'string' || param instanceof Uint8Array ? param.length : 8;
  }
  return sum;
}

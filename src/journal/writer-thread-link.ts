import { Worker } from 'node:worker_threads';
import { messageOf, QuanweiError } from '../kernel/errors.ts';
import { type FromWriter, Packer, type ToWriter, type WireRequest, type WriterSetup } from './wire.ts';

export interface ThreadEvents {
  message(message: Exclude<FromWriter, { type: 'ready' | 'closed' }>): void;
  /** It ended without being asked to. */
  died(error: QuanweiError): void;
}

/** The main thread's handle of the writer's thread. */
export class WriterThread {
  readonly #file: string;
  readonly #setup: WriterSetup;
  readonly #events: ThreadEvents;
  readonly #packer = new Packer();
  #worker: Worker | null = null;
  #ready = false;
  /** Threads that were asked to end. */
  readonly #ending = new Map<Worker, () => void>();

  /** @param file the compiled `writer-thread` */
  constructor(file: string, setup: WriterSetup, events: ThreadEvents) {
    this.#file = file;
    this.#setup = setup;
    this.#events = events;
  }

  get ready(): boolean {
    return this.#ready;
  }

  /** Resolves when it can be given something to do; rejects when it cannot get there. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const worker = new Worker(this.#file, {
        workerData: this.#setup,
        execArgv: [],
        resourceLimits: { maxYoungGenerationSizeMb: 6, maxOldGenerationSizeMb: 256 },
      });
      let failure: unknown = null;
      this.#worker = worker;
      worker.on('message', (message: FromWriter) => {
        if (message.type === 'ready') {
          if (this.#worker !== worker) return;
          this.#ready = true;
          resolve();
        } else if (message.type !== 'closed') this.#events.message(message);
      });
      worker.on('error', (thrown) => {
        failure = thrown;
      });
      worker.on('exit', (code) => {
        const ended = this.#ending.get(worker);
        if (ended !== undefined) {
          this.#ending.delete(worker);
          ended();
          return;
        }
        const wasReady = this.#ready;
        this.#worker = null;
        this.#ready = false;
        const why = failure === null ? `it ended with ${code}` : messageOf(failure);
        const error = new QuanweiError('STORAGE_UNAVAILABLE', `the writer stopped: ${why}`, {
          where: this.#setup.file,
          hint: 'it is started again by itself',
          cause: failure,
        });
        if (wasReady) this.#events.died(error);
        else reject(error);
      });
    });
  }

  post(requests: readonly WireRequest[]): void {
    const parcel = this.#packer.pack(requests);
    this.#worker?.postMessage(parcel, [parcel.bodies]);
  }

  /** It commits what it was given, lets go of the database and says `released`. */
  release(): void {
    this.#tell({ type: 'release' });
  }

  /** Resolves when it has ended. @param wall recorded as the orderly end of the process; `null` when it is not its to tell */
  end(wall: number | null): Promise<void> {
    return new Promise((resolve) => {
      const worker = this.#worker;
      if (worker === null) {
        resolve();
        return;
      }
      this.#ending.set(worker, resolve);
      if (this.#ready) this.#tell(wall === null ? { type: 'end' } : { type: 'close', wall });
      else void worker.terminate();
      // Whoever needs a thread from here on needs another one.
      this.#worker = null;
      this.#ready = false;
    });
  }

  #tell(message: ToWriter): void {
    this.#worker?.postMessage(message);
  }
}

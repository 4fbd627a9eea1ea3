import { performance } from 'node:perf_hooks';
import { storageError } from './database.ts';
import { type WireRequest, type WriterSetup, wireError } from './wire.ts';
import { type Commit, Writer } from './writer.ts';

/** Pages of log that are worth a checkpoint while idle. */
const IDLE_PAGES = 100;

/** A commit and the ms the disk took for it. */
export interface TimedCommit extends Commit {
  readonly head: number;
  readonly ms: number;
}

/**
 * Stores requests through a writer that is opened when it is needed, and anew after a failure of the disk: the old
 * connection's handles may point at a device that is gone. What it knows is what the database says, so of two of them
 * one can go on where the other let go; only one may be in use at a time.
 */
export class Committer {
  readonly #setup: WriterSetup;
  /** Pages of log from which a commit is followed by a checkpoint. */
  readonly #checkpointPages: number;
  #writer: Writer | null = null;
  /** The last commit found no room. */
  #full = false;
  /** There has been no room: from then on the log is kept short whenever something is removed. */
  #tight = false;

  constructor(setup: WriterSetup, checkpointPages: number) {
    this.#setup = setup;
    this.#checkpointPages = checkpointPages;
  }

  /** @throws QuanweiError STORAGE_* */
  open(): void {
    if (this.#writer !== null) return;
    this.#writer = Writer.open(this.#setup.file, this.#setup.boot);
    // The one before may have left a log that has no room to grow, and only it knew that the disk is full.
    this.#writer.checkpoint(1, true);
  }

  /** Seq of the newest entry; 0 for none, or while no writer is open. */
  get head(): number {
    return this.#writer?.head ?? 0;
  }

  /** Everything in one transaction. Never throws for what storage or a request does. */
  commit(requests: readonly WireRequest[]): TimedCommit {
    // Of the disk itself: a clock that a test moves would not know.
    const begun = performance.now();
    let result: Commit;
    try {
      this.open();
      // Room that has come since goes to the database first, which lets the log begin anew: taken by the log alone, it
      // would be gone, and neither could go on.
      if (this.#full) this.#writer?.checkpoint(1, true);
      result = (this.#writer as Writer).commit(requests);
    } catch (thrown) {
      const failure = wireError(storageError(thrown, this.#setup.file), 'STORAGE_UNAVAILABLE');
      result = { outcomes: requests.map(({ n }) => ({ n, error: failure })), failure };
    }
    return { ...result, head: this.head, ms: performance.now() - begun };
  }

  /** What follows a commit once everybody has been answered. */
  tidy(requests: readonly WireRequest[], { failure }: Commit): void {
    this.#full = failure?.code === 'STORAGE_FULL';
    this.#tight ||= this.#full;
    if (failure === null) {
      if (requests.some(({ erase }) => erase.length > 0)) this.#writer?.emptyLog();
      // What is removed changes many pages with one request.
      else
        this.#writer?.checkpoint(
          this.#checkpointPages,
          this.#tight && requests.some(({ remove }) => remove.length > 0),
        );
    } else if (this.#full) this.#writer?.checkpoint(1, true);
    else this.release();
  }

  idle(): void {
    this.#writer?.checkpoint(IDLE_PAGES, true);
  }

  /** Lets go of the database without a word. */
  release(): void {
    const writer = this.#writer;
    this.#writer = null;
    writer?.close(null);
  }

  /** @param wall recorded as the orderly end of this process */
  close(wall: number): void {
    try {
      this.open();
      this.#writer?.close(wall);
    } catch (thrown) {
      // A disk that cannot be written cannot record an orderly end either; the next start then checks more.
      if (storageError(thrown, this.#setup.file) === thrown) throw thrown;
    }
    this.#writer = null;
  }
}

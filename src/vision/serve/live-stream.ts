import type { Cancel, Clock } from '../../kernel/clock.ts';
import { messageOf } from '../../kernel/errors.ts';
import { codecOf, Mp4Reader } from './mp4.ts';

/** Nobody looked for this long: the camera’s stream is let go of, ms. */
const LINGER_MS = 3_000;
/** A stream that begins with nothing for this long is given up, ms. */
const START_MS = 15_000;
/** Bytes since the last key frame that are kept for whoever joins. */
const KEPT = 8 * 1024 * 1024;

/** A running program that copies a camera’s stream into fragmented MP4. */
export interface Feed {
  /** Resolves when it is gone. */
  stop(): Promise<unknown>;
}
export type OpenFeed = (on: { data(chunk: Buffer): void; end(why: string): void }) => Feed;

/** Somebody who looks. */
export interface Viewer {
  /** Told first: what has to be asked of the browser. `null`: no browser plays it, and nothing more comes. */
  begin(codec: string | null): void;
  /** @returns whether there is room for more: who reads too slowly is let go */
  data(bytes: Buffer): boolean;
  end(why: string): void;
}

/**
 * One stream of one camera for all who look at it: one program, however many they are, running only while somebody
 * looks. Who joins gets the beginning of the present group of pictures, and sees something at once.
 */
export class LiveStream {
  readonly #open: OpenFeed;
  readonly #clock: Clock;
  readonly #viewers = new Set<Viewer>();
  #feed: Feed | null = null;
  #init: Buffer | null = null;
  #codec: string | null = null;
  #group: Buffer[] = [];
  #bytes = 0;
  #linger: Cancel | null = null;
  #starting: Cancel | null = null;

  constructor(open: OpenFeed, clock: Clock) {
    this.#open = open;
    this.#clock = clock;
  }

  get viewers(): number {
    return this.#viewers.size;
  }

  /** @returns what ends the looking */
  join(viewer: Viewer): () => void {
    this.#linger?.cancel();
    this.#linger = null;
    this.#viewers.add(viewer);
    if (this.#init !== null) {
      viewer.begin(this.#codec);
      for (const bytes of this.#codec === null ? [] : [this.#init, ...this.#group]) this.#send(viewer, bytes);
    } else if (this.#feed === null) this.#start();
    return () => this.#leave(viewer);
  }

  /** Ends it for everybody; resolves when the program is gone. */
  async stop(why = 'stopped'): Promise<void> {
    this.#linger?.cancel();
    this.#starting?.cancel();
    const feed = this.#feed;
    this.#feed = null;
    this.#init = null;
    this.#group = [];
    this.#bytes = 0;
    const viewers = [...this.#viewers];
    this.#viewers.clear();
    for (const viewer of viewers) viewer.end(why);
    await feed?.stop();
  }

  #start(): void {
    const mine = (): boolean => this.#feed === feed;
    const reader = new Mp4Reader({
      init: (bytes) => {
        this.#starting?.cancel();
        this.#init = bytes;
        this.#codec = codecOf(bytes);
        for (const viewer of [...this.#viewers]) {
          viewer.begin(this.#codec);
          if (this.#codec !== null) this.#send(viewer, bytes);
        }
      },
      fragment: (bytes, key) => this.#fragment(bytes, key),
    });
    const feed: Feed = this.#open({
      data: (chunk) => {
        if (!mine()) return;
        try {
          reader.write(chunk);
        } catch (thrown) {
          void this.stop(messageOf(thrown));
        }
      },
      end: (why) => {
        if (mine()) void this.stop(why);
      },
    });
    this.#feed = feed;
    this.#starting = this.#clock.after(START_MS, () => void this.stop('no picture'));
  }

  #fragment(bytes: Buffer, key: boolean): void {
    if (key || this.#bytes + bytes.length > KEPT) {
      this.#group = [];
      this.#bytes = 0;
    }
    // A group that was cut off is of no use to whoever joins: only one that begins with a key frame is kept.
    if (key || this.#group.length > 0) {
      this.#group.push(bytes);
      this.#bytes += bytes.length;
    }
    if (this.#codec !== null) for (const viewer of [...this.#viewers]) this.#send(viewer, bytes);
  }

  #send(viewer: Viewer, bytes: Buffer): void {
    if (!this.#viewers.has(viewer) || viewer.data(bytes)) return;
    this.#leave(viewer);
    viewer.end('too slow');
  }

  #leave(viewer: Viewer): void {
    if (!this.#viewers.delete(viewer) || this.#viewers.size > 0) return;
    this.#linger = this.#clock.after(LINGER_MS, () => void this.stop());
  }
}

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, rmdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cancel, Clock } from '../../kernel/clock.ts';
import { messageOf, QuanweiError } from '../../kernel/errors.ts';
import type { Log } from '../../kernel/log.ts';

export interface MediaStoreOptions {
  /** Directory that `media/` lies in. */
  readonly data: string;
  readonly clock: Clock;
  readonly log: Log;
  /** ms */
  readonly keepFor: number;
  /** Most bytes that all of it may take. */
  readonly limit: number;
  /** Bytes of the disk that are left to others: the journal lives on it. */
  readonly minFree: number;
  /** Nothing can be kept at present, and why; `null`: again it can. */
  readonly trouble: (reason: string | null) => void;
}

/** What a piece of evidence is of; its name is made of it. */
export interface About {
  /** Wall time, ms */
  readonly wall: number;
  readonly camera: string;
  readonly event: string;
  /** `main-`: out of the main stream, of the moment that the one without it is of */
  readonly what: 'boxes' | 'plain' | 'main-boxes' | 'main-plain' | 'clip';
}

export interface Stored {
  /** Below the data directory: `media/2026/06/01/…` */
  readonly ref: string;
  readonly sha256: string;
}

const DAY = /^\d{4}\/\d{2}\/\d{2}$/;
const TIDY_EVERY = 60_000;

/** Only what a name may have, whatever the configuration or a message says. */
const safe = (text: string): string => text.replace(/[^A-Za-z0-9_-]+/g, '_').slice(0, 48);

/** Names sort by time. */
function nameOf({ wall, camera, event, what }: About): { day: string; name: string } {
  const [date = '', time = ''] = new Date(wall).toISOString().split('T');
  const ending = what === 'clip' ? 'mp4' : 'jpg';
  const clock = time.replace(/\D/g, '').slice(0, 9);
  return { day: date.replaceAll('-', '/'), name: `${clock}-${safe(camera)}-${safe(event)}-${what}.${ending}` };
}

/**
 * Pictures and clips on the disk, whole or not at all; the oldest go when they are too old, too many, or the disk is
 * needed by others. When nothing can be kept it says so, and goes on by itself when there is room again.
 */
export class MediaStore {
  readonly #options: MediaStoreOptions;
  readonly #root: string;
  readonly #parts: string;
  /** Bytes of each day, oldest first. */
  #days = new Map<string, number>();
  #inTrouble = false;
  #timer: Cancel | null = null;
  #tidying: Promise<void> = Promise.resolve();
  #next: Promise<void> | null = null;
  #n = 0;

  private constructor(options: MediaStoreOptions) {
    this.#options = options;
    this.#root = join(options.data, 'media');
    this.#parts = join(this.#root, '.parts');
  }

  /** Never fails for want of a disk: it is in trouble then. */
  static async open(options: MediaStoreOptions): Promise<MediaStore> {
    const store = new MediaStore(options);
    try {
      await rm(store.#parts, { recursive: true, force: true });
      await store.#count();
    } catch (thrown) {
      store.#fail(thrown);
    }
    await store.tidy();
    store.#timer = options.clock.every(TIDY_EVERY, () => void store.tidy());
    return store;
  }

  get bytes(): number {
    let sum = 0;
    for (const size of this.#days.values()) sum += size;
    return sum;
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    await this.#tidying;
  }

  /**
   * On the disk when it resolves. Its name gets there with the next commit on that disk: where the journal lies on it too, of the
   * event that tells of the picture; else when the file system next commits by itself (ext4: 5 s).
   * @throws QuanweiError STORAGE_FULL, STORAGE_UNAVAILABLE; the trouble has been told then
   */
  put(about: About, bytes: Uint8Array): Promise<Stored> {
    return this.#keep(about, async (part) => {
      const file = await open(part, 'wx', 0o640);
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      return { sha256: createHash('sha256').update(bytes).digest('hex'), size: bytes.length };
    });
  }

  /**
   * Keeps what `write` makes under the name it is given; a name that nobody sees before it is whole. For what is large: it is
   * on the disk when the kernel sees fit, half a minute later at most. Waiting for it here would keep a fire alarm waiting
   * for the same disk.
   * @throws QuanweiError STORAGE_FULL, STORAGE_UNAVAILABLE; what `write` throws
   */
  make(about: About, write: (part: string) => Promise<void>): Promise<Stored> {
    return this.#keep(about, async (part) => {
      await write(part);
      return digestOf(part);
    });
  }

  /** @param write what is to be kept, whole when it is settled */
  async #keep(about: About, write: (part: string) => Promise<Settled>): Promise<Stored> {
    const { day, name } = nameOf(about);
    const dir = join(this.#root, day);
    const part = join(this.#parts, `${process.pid}-${this.#n++}-${name}`);
    try {
      if (!(await this.#room())) await this.tidy();
      if (!(await this.#room())) throw new QuanweiError('STORAGE_FULL', 'the disk has no room for evidence');
      await mkdir(this.#parts, { recursive: true, mode: 0o750 });
      await mkdir(dir, { recursive: true, mode: 0o750 });
      const { sha256, size } = await write(part);
      await rename(part, join(dir, name));
      this.#days.set(day, (this.#days.get(day) ?? 0) + size);
      this.#recover();
      if (this.bytes > this.#options.limit) await this.tidy();
      return { ref: `media/${day}/${name}`, sha256 };
    } catch (thrown) {
      await rm(part, { force: true }).catch((left: unknown) => this.#options.log.warn({ err: left }, 'a part is left'));
      throw this.#fail(thrown);
    }
  }

  /** Removes what is too old, or has to go so that there is room. One at a time; who asks meanwhile shares the next. */
  tidy(): Promise<void> {
    if (this.#next !== null) return this.#next;
    const next = this.#tidying.then(async () => {
      this.#next = null;
      try {
        await this.#tidy();
      } catch (thrown) {
        this.#options.log.warn({ err: thrown }, 'old evidence cannot be removed');
      }
    });
    this.#next = next;
    this.#tidying = next;
    return next;
  }

  async #tidy(): Promise<void> {
    const { clock, keepFor, limit } = this.#options;
    // A clock that is certainly wrong must not throw everything away.
    if (clock.state() === 'synced') {
      const oldest = nameOf({ wall: clock.wall() - keepFor, camera: '', event: '', what: 'clip' });
      for (const day of this.#sorted()) {
        if (day > oldest.day) break;
        await this.#clear(day, (name) => day < oldest.day || name < oldest.name);
      }
    }
    for (const day of this.#sorted()) {
      if (this.bytes <= limit && (await this.#room())) break;
      await this.#clear(day, async () => this.bytes > limit || !(await this.#room()));
    }
    if (this.#inTrouble && (await this.#room())) this.#recover();
  }

  #sorted(): string[] {
    return [...this.#days.keys()].sort();
  }

  async #clear(day: string, goes: (name: string) => boolean | Promise<boolean>): Promise<void> {
    const dir = join(this.#root, day);
    const names = (await readdir(dir).catch(nothing)).sort();
    let left = names.length;
    for (const name of names) {
      if (!(await goes(name))) break;
      const file = join(dir, name);
      const { size } = await stat(file);
      await rm(file, { force: true });
      left -= 1;
      this.#days.set(day, Math.max(0, (this.#days.get(day) ?? 0) - size));
    }
    if (left > 0) return;
    this.#days.delete(day);
    await rmdir(dir).catch(nothing);
  }

  async #room(): Promise<boolean> {
    await mkdir(this.#root, { recursive: true, mode: 0o750 });
    const { bavail, bsize } = await statfs(this.#root);
    return bavail * bsize > this.#options.minFree;
  }

  async #count(): Promise<void> {
    const days = (await readdir(this.#root, { recursive: true }).catch(nothing)).filter((path) => DAY.test(path));
    for (const day of days.sort()) {
      let size = 0;
      for (const name of await readdir(join(this.#root, day))) size += (await stat(join(this.#root, day, name))).size;
      this.#days.set(day, size);
    }
  }

  #recover(): void {
    if (!this.#inTrouble) return;
    this.#inTrouble = false;
    this.#options.trouble(null);
  }

  /** Only the disk's own faults are a trouble of the storage. */
  #fail(thrown: unknown): unknown {
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : null;
    const full = code === 'ENOSPC' || code === 'EDQUOT' || code === 'STORAGE_FULL';
    const broken = code === 'EIO' || code === 'EROFS' || code === 'EACCES' || code === 'EPERM' || code === 'ENOTDIR';
    if (!full && !broken) return thrown;
    const error = full
      ? new QuanweiError('STORAGE_FULL', 'the disk has no room for evidence', { cause: thrown })
      : new QuanweiError('STORAGE_UNAVAILABLE', `evidence cannot be written: ${messageOf(thrown)}`, { cause: thrown });
    if (!this.#inTrouble) this.#options.trouble(error.message);
    this.#inTrouble = true;
    return error;
  }
}

interface Settled {
  readonly sha256: string;
  readonly size: number;
}

async function digestOf(path: string): Promise<Settled> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { sha256: hash.digest('hex'), size };
}

function nothing(thrown: unknown): string[] {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : null;
  if (code === 'ENOENT' || code === 'ENOTEMPTY') return [];
  throw thrown;
}

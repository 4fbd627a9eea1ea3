import { createWriteStream, mkdirSync, rmSync } from 'node:fs';
import { open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Cancel, Clock } from '../../kernel/clock.ts';
import { QuanweiError } from '../../kernel/errors.ts';

/** Largest footage that is taken, bytes. */
const MOST_BYTES = 200_000_000;
/** Longest wait for the next piece before somebody else may send theirs, ms. */
const PIECE_MS = 30_000;
/** Footage nobody tries anything on goes after this, ms. */
const KEEP_MS = 20 * 60_000;
const LOOK_MS = 10_000;

interface Upload {
  readonly id: string;
  readonly file: string;
  readonly total: number;
  received: number;
  /** When it was last written or used, mono ms. */
  at: number;
  writing: boolean;
}

export interface Piece {
  /** `null`: the first one. */
  readonly upload: string | null;
  readonly offset: number;
  /** Bytes of the whole. */
  readonly total: number;
}

export interface Received {
  readonly upload: string;
  readonly received: number;
}

interface Parts {
  /** Of its own: emptied at the start. */
  readonly directory: string;
  readonly clock: Clock;
  readonly newId: () => string;
  /** Bytes of the disk that are left to others. */
  readonly minFree: number;
  /** Whether something is tried on this file just now. */
  readonly inUse: (file: string) => boolean;
}

/** Footage that people send to try settings on: one at a time, in pieces, for a while, and never kept. */
export class Uploads {
  readonly #parts: Parts;
  readonly #timer: Cancel;
  #upload: Upload | null = null;

  constructor(parts: Parts) {
    this.#parts = parts;
    rmSync(parts.directory, { recursive: true, force: true });
    this.#timer = parts.clock.every(LOOK_MS, () => {
      const { at = 0, writing = true } = this.#upload ?? {};
      if (!writing && parts.clock.mono() - at > KEEP_MS) void this.#drop();
    });
  }

  /**
   * @param bytes read to its end, or destroyed
   * @throws QuanweiError BAD_REQUEST too large, or not the next piece; TOO_MANY somebody else sends; NOT_FOUND; STORAGE_FULL
   */
  async take({ upload, offset, total }: Piece, bytes: Readable): Promise<Received> {
    const { clock } = this.#parts;
    if (upload === null && offset > 0) throw new QuanweiError('BAD_REQUEST', 'it begins at 0', { where: 'offset' });
    const mine = upload === null ? await this.#begin(total) : this.#under(upload);
    if (mine.writing) throw new QuanweiError('TOO_MANY', 'a piece of it is being written');
    if (offset !== mine.received || total !== mine.total) {
      throw new QuanweiError('BAD_REQUEST', `${mine.received} bytes are there of ${mine.total}`, { where: 'offset' });
    }
    mine.writing = true;
    try {
      let taken = 0;
      const left = total - offset;
      await pipeline(
        bytes,
        async function* (source: AsyncIterable<Buffer>) {
          for await (const chunk of source) {
            taken += chunk.length;
            if (taken > left) throw new QuanweiError('BAD_REQUEST', 'it is longer than was said', { where: 'total' });
            yield chunk;
          }
        },
        createWriteStream(mine.file, { flags: 'r+', start: offset }),
      );
      mine.received += taken;
      return { upload: mine.id, received: mine.received };
    } catch (thrown) {
      if (thrown instanceof QuanweiError || !(thrown instanceof Error) || !('code' in thrown)) throw thrown;
      const full = thrown.code === 'ENOSPC';
      throw new QuanweiError(full ? 'STORAGE_FULL' : 'BAD_REQUEST', thrown.message, { cause: thrown });
    } finally {
      mine.writing = false;
      mine.at = clock.mono();
      // One that does not begin is in nobody's way.
      if (mine.received === 0 && this.#upload === mine) await this.#drop();
    }
  }

  /** Path of footage that is there as a whole. @throws QuanweiError NOT_FOUND, BAD_REQUEST */
  path(id: string): string {
    const mine = this.#under(id);
    if (mine.received < mine.total) throw new QuanweiError('BAD_REQUEST', 'it has not come to its end yet');
    mine.at = this.#parts.clock.mono();
    return mine.file;
  }

  async close(): Promise<void> {
    this.#timer.cancel();
    await this.#drop();
  }

  #under(id: string): Upload {
    if (this.#upload?.id === id) return this.#upload;
    throw new QuanweiError('NOT_FOUND', 'this footage is not here any more');
  }

  async #begin(total: number): Promise<Upload> {
    const { directory, clock, newId, minFree, inUse } = this.#parts;
    if (total < 1 || total > MOST_BYTES) {
      throw new QuanweiError('BAD_REQUEST', `at most ${MOST_BYTES} bytes, at least one`, { where: 'total' });
    }
    const before = this.#upload;
    const going = before !== null && before.received < before.total;
    if (before?.writing === true || (going && clock.mono() - before.at < PIECE_MS)) {
      throw new QuanweiError('TOO_MANY', 'somebody else is sending footage');
    }
    if (before !== null && inUse(before.file)) {
      throw new QuanweiError('TOO_MANY', 'something is being tried on the footage that is here');
    }
    const id = newId();
    const upload = { id, file: join(directory, id), total, received: 0, at: clock.mono(), writing: false };
    // Whoever comes meanwhile finds the place taken.
    this.#upload = upload;
    try {
      if (before !== null) await rm(before.file, { force: true });
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      const { bavail, bsize } = await statfs(directory);
      if (bavail * bsize - total < minFree) throw new QuanweiError('STORAGE_FULL', 'the disk has no room for it');
      await (await open(upload.file, 'wx', 0o600)).close();
    } catch (thrown) {
      if (this.#upload === upload) this.#upload = null;
      throw thrown;
    }
    return upload;
  }

  async #drop(): Promise<void> {
    const gone = this.#upload;
    this.#upload = null;
    if (gone !== null) await rm(gone.file, { force: true });
  }
}

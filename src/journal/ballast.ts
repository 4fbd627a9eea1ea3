import { randomBytes } from 'node:crypto';
import { existsSync, rmSync, statfsSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';

const LARGEST = 8 * 1024 * 1024;
const PIECE = 256 * 1024;

/**
 * A file that is only there to be given up: to delete, SQLite must first write, and on a full disk it could not.
 * A sixteenth of the file system, at most 8 MiB; of noise, because a file system that compresses would keep no room
 * for zeros.
 */
export class Ballast {
  readonly #file: string;
  readonly #size: number;

  constructor(dir: string) {
    this.#file = join(dir, 'quanwei.ballast');
    const { blocks, bsize } = statfsSync(dir);
    this.#size = Math.min(LARGEST, Math.floor((blocks * bsize) / 16 / PIECE) * PIECE);
  }

  get held(): boolean {
    return existsSync(this.#file);
  }

  /** Takes the room while there is plenty. @param freeBytes on the disk @returns whether it is held now */
  async take(freeBytes: number): Promise<boolean> {
    if (this.held) return true;
    if (this.#size === 0 || freeBytes < this.#size * 4) return false;
    const partial = `${this.#file}.partial`;
    const handle = await open(partial, 'w', 0o640);
    try {
      for (let written = 0; written < this.#size; written += PIECE) await handle.write(randomBytes(PIECE));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(partial, this.#file);
    return true;
  }

  /** Gives the room back. */
  release(): void {
    rmSync(this.#file, { force: true });
    rmSync(`${this.#file}.partial`, { force: true });
  }
}

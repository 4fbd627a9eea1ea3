import { messageOf } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';

/** Who compares pictures: the vision process, elsewhere. */
export interface PictureTaker {
  /** @throws QuanweiError CAMERA_UNAVAILABLE; whatever it waits for is bounded in time */
  doorPicture(device: string, at: number, picture: Buffer): Promise<void>;
}

/** Bytes of a picture; face doors send some 20–300 kB. */
const LARGEST = 2 * 1024 * 1024;
/** Characters of base64 with what stands before it: no need to decode what is longer. */
const LONGEST = Math.ceil(LARGEST / 3) * 4 + 64;
/** On their way at once. There is no queue: a picture that waits is worth less than the next one. */
const UNDER_WAY = 4;

/**
 * Hands over pictures that face doors sent, after their messages are on disk. Nobody waits for it and nothing comes back:
 * a vision process that is slow, stopped or away costs a picture and is counted. Pictures are never stored.
 */
export class DoorPictures {
  readonly counts = { pictures: 0, picturesDropped: 0, picturesFailed: 0 };
  readonly #taker: PictureTaker;
  readonly #log: Log;
  #underWay = 0;
  #away = false;

  constructor({ taker, log }: { taker: PictureTaker; log: Log }) {
    this.#taker = taker;
    this.#log = log;
  }

  /**
   * @param at when the gateway received it, wall time in ms: the clock of a door may be wrong
   * @param text base64, or a data URI of it
   */
  offer(device: string, at: number, text: string): void {
    if (text.length > LONGEST || this.#underWay >= UNDER_WAY) {
      this.counts.picturesDropped += 1;
      return;
    }
    this.#underWay += 1;
    // Not now: what waits for this message's receipt goes first.
    setImmediate(() => void this.#send(device, at, text));
  }

  async #send(device: string, at: number, text: string): Promise<void> {
    try {
      const picture = Buffer.from(text.slice(text.startsWith('data:') ? text.indexOf(',') + 1 : 0), 'base64');
      if (picture.length === 0 || picture.length > LARGEST) {
        this.counts.picturesDropped += 1;
        return;
      }
      await this.#taker.doorPicture(device, at, picture);
      this.counts.pictures += 1;
      this.#away = false;
    } catch (thrown) {
      this.counts.picturesFailed += 1;
      // Once: a process that is away says the same every time.
      if (!this.#away)
        this.#log.warn({ device, reason: messageOf(thrown) }, 'a door’s picture could not be handed over');
      this.#away = true;
    } finally {
      this.#underWay -= 1;
    }
  }
}

import { messageOf } from '../../kernel/errors.ts';
import type { Log } from '../../kernel/log.ts';
import type { DoorFaceEvent } from '../event.ts';
import { matchPicture, type PictureMatch } from './door-picture.ts';
import type { FaceReader } from './reader.ts';
import type { Roster } from './roster.ts';
import type { Rule } from './visit.ts';

/** As at a camera that says nothing else. Liveness of a still picture is worth too little to be asked for. */
const RULE: Rule = { threshold: 0.5, margin: 0.05 };
/** Pictures under comparison at once, all doors together; more are passed over. */
const AT_ONCE = 4;

interface SentPicture {
  readonly device: string;
  /** Wall time, ms */
  readonly at: number;
  readonly jpeg: Buffer;
}

export interface DoorFacesOptions {
  /** @param at when the picture came, wall time in ms */
  tell(event: DoorFaceEvent, at: number): void;
  readonly log: Log;
}

/** Compares what face doors send and tells who it was. Of the picture nothing is kept, whoever it shows. */
export class DoorFaces {
  readonly #options: DoorFacesOptions;
  #underWay = 0;
  /** Passed over for want of time, since the start. */
  passed = 0;

  constructor(options: DoorFacesOptions) {
    this.#options = options;
  }

  see(picture: SentPicture, reader: FaceReader, roster: Roster): void {
    if (this.#underWay >= AT_ONCE) {
      this.passed += 1;
      this.#options.log.warn({ device: picture.device, passed: this.passed }, 'a door’s picture was passed over');
      return;
    }
    this.#underWay += 1;
    void this.#compare(picture, reader, roster).then(() => {
      this.#underWay -= 1;
    });
  }

  async #compare({ device, at, jpeg }: SentPicture, reader: FaceReader, roster: Roster): Promise<void> {
    const { tell, log } = this.#options;
    try {
      const match = await matchPicture(jpeg, { reader, roster, rule: RULE, source: `${device}:door` });
      const event = eventOf(device, match);
      if (event !== null) tell(event, at);
    } catch (thrown) {
      log.warn({ device, reason: messageOf(thrown) }, 'a door’s picture could not be compared');
    }
  }
}

/** @returns `null` for what says nothing: no face, one that cannot be judged, or nobody to compare it with */
function eventOf(door: string, { result, person, similarity, margin }: PictureMatch): DoorFaceEvent | null {
  if (result === 'nobody' || result === 'unclear' || similarity === null || margin === null) return null;
  return {
    type: 'face',
    door,
    result,
    ...(person === null ? {} : { person }),
    similarity: rounded(similarity),
    margin: rounded(margin),
  };
}

const rounded = (value: number): number => Math.round(value * 10_000) / 10_000;

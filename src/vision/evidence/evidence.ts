import sharp from 'sharp';
import type { Clock, MonoMs, WallMs } from '../../kernel/clock.ts';
import { messageOf } from '../../kernel/errors.ts';
import type { Log } from '../../kernel/log.ts';
import type { Size } from '../capture/colour.ts';
import type { Spawn } from '../capture/program.ts';
import type { Cut, Ring } from '../capture/ring.ts';
import type { EvidenceReference } from '../event.ts';
import { jpegOf } from '../jpeg.ts';
import type { Box, Picture } from '../picture.ts';
import { type Canvas, drawBoxes } from './boxes.ts';
import { stillOf, writeClip } from './film.ts';
import type { About, MediaStore } from './media-store.ts';
import { Turns } from './turns.ts';

export interface EvidenceOptions {
  readonly store: MediaStore;
  readonly clock: Clock;
  readonly log: Log;
  /** ms before and after. */
  readonly clip: { readonly before: number; readonly after: number };
  readonly spawn?: Spawn;
}

export interface Occasion {
  readonly camera: string;
  /** The event's id. */
  readonly event: string;
  readonly mono: MonoMs;
  readonly wall: WallMs;
  /** The frame it was found in. */
  readonly picture: Picture;
  /** What to point at, in pixels of `picture`. */
  readonly boxes: readonly Box[];
  /** The camera's recording; `null`: it has none, and there is no clip. */
  readonly ring: Ring | null;
}

export interface Kept {
  /** Of the analysed frame, with boxes and without; fewer, or none, when there is no room. The alarm goes out with them. */
  readonly pictures: EvidenceReference[];
  /** Of the same moment out of the main stream, where that shows more; none otherwise. Never rejects. */
  readonly better: Promise<EvidenceReference[]>;
  /** When its last second is there; `null`: none. Never rejects. */
  readonly clip: Promise<EvidenceReference | null>;
}

/** Pictures that are decoded at once, all cameras together: an alarm at every camera must not take both cores. */
const STILLS = 2;
/** ms after which a picture that is still waiting is left: told much later, nobody would look for it. */
const STILL_WORTH = 60_000;
/** Further ones that wait for that, each with a group of pictures in memory. */
const STILLS_WAITING = 16;
/** What still belongs to a clip that is being made. */
const SAME_CLIP = 0.5;

/**
 * Pictures and clips of what was found, and only of that. The analysed frame's pictures at once, because an alarm waits for
 * them; the main stream's when they are decoded; the clip when it is over (docs/decisions/114).
 */
export class Evidence {
  readonly #options: EvidenceOptions;
  readonly #clips = new Map<string, { readonly until: number; readonly made: Promise<EvidenceReference | null> }>();
  readonly #stills = new Turns(STILLS, STILLS_WAITING);

  constructor(options: EvidenceOptions) {
    this.#options = options;
  }

  /** Never rejects: an alarm goes out without evidence rather than not at all. */
  async keep(occasion: Occasion): Promise<Kept> {
    const { picture, boxes, ring, mono, camera } = occasion;
    const size = { width: picture.width, height: picture.height };
    const clip = this.#clip(occasion);
    // Now, while the ring has it; decoded when it is its turn, and never before the alarm is out.
    const cut = ring?.cut(mono, mono) ?? null;
    let pictures: EvidenceReference[] = [];
    try {
      const [marked, plain] = await Promise.all([
        withBoxes({ ...size, data: picture.data.slice() }, picture, boxes),
        jpegOf(picture, QUALITY),
      ]);
      pictures = await this.#put(occasion, { boxes: marked, plain });
    } catch (thrown) {
      this.#options.log.warn({ err: messageOf(thrown), camera }, 'an event goes out without pictures');
    }
    const better = cut === null ? Promise.resolve([]) : this.#better(occasion, cut);
    return { pictures, better, clip };
  }

  async #better(occasion: Occasion, cut: Cut): Promise<EvidenceReference[]> {
    const { clock, spawn, log } = this.#options;
    const { picture, boxes, camera, mono } = occasion;
    try {
      const decoded = async () => (clock.mono() - mono > STILL_WORTH ? null : await stillOf(cut, { clock, spawn }));
      const plain = await this.#stills.take(decoded);
      if (plain === null) return [];
      const { width = 0 } = await sharp(plain).metadata();
      if (width <= picture.width) return [];
      const { data, info } = await sharp(plain).raw().toBuffer({ resolveWithObject: true });
      const marked = await withBoxes({ width: info.width, height: info.height, data }, picture, boxes);
      return await this.#put(occasion, { 'main-boxes': marked, 'main-plain': plain });
    } catch (thrown) {
      log.info({ err: messageOf(thrown), camera }, 'there is no picture of the main stream of an event');
      return [];
    }
  }

  /** The one with boxes is named first: it is what people look at. */
  #put({ camera, event, wall }: Occasion, pictures: Partial<Record<About['what'], Buffer>>) {
    const put = async ([what, bytes]: [string, Buffer]): Promise<EvidenceReference> => ({
      kind: 'picture',
      ...(await this.#options.store.put({ camera, event, wall, what: what as About['what'] }, bytes)),
    });
    return Promise.all(Object.entries(pictures).map(put));
  }

  /** What happens within a clip that is being made belongs to it: a warning and the alarm that follows share one. */
  #clip(occasion: Occasion): Promise<EvidenceReference | null> {
    const { camera, mono, ring } = occasion;
    if (ring === null) return Promise.resolve(null);
    const { before, after } = this.#options.clip;
    const running = this.#clips.get(camera);
    if (running !== undefined && mono <= running.until) return running.made;
    const made = this.#record(occasion, ring, before, after).catch((thrown: unknown) => {
      this.#options.log.warn({ err: messageOf(thrown), camera }, 'there is no clip of an event');
      return null;
    });
    this.#clips.set(camera, { until: mono + SAME_CLIP * after, made });
    return made;
  }

  async #record(
    { camera, event, mono, wall }: Occasion,
    ring: Ring,
    before: number,
    after: number,
  ): Promise<EvidenceReference | null> {
    const { store, clock, spawn } = this.#options;
    const cut = await ring.clip((mono - before) as MonoMs, (mono + after) as MonoMs);
    if (cut === null) return null;
    const about: About = { camera, event, wall, what: 'clip' };
    return { kind: 'clip', ...(await store.make(about, (path) => writeClip(cut, path, { clock, spawn }))) };
  }
}

const QUALITY = 85;

/** @param canvas written over @param shape what the boxes are in pixels of */
function withBoxes(canvas: Canvas, shape: Size, boxes: readonly Box[]): Promise<Buffer> {
  const [x, y] = [canvas.width / shape.width, canvas.height / shape.height];
  drawBoxes(
    canvas,
    boxes.map(({ x1, y1, x2, y2 }) => ({ x1: x1 * x, y1: y1 * y, x2: x2 * x, y2: y2 * y })),
  );
  return jpegOf(canvas, QUALITY);
}

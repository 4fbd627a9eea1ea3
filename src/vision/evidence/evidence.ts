import sharp from 'sharp';
import type { Clock, MonoMs, WallMs } from '../../kernel/clock.ts';
import { messageOf } from '../../kernel/errors.ts';
import type { Log } from '../../kernel/log.ts';
import type { Spawn } from '../capture/program.ts';
import type { Ring } from '../capture/ring.ts';
import type { EvidenceReference } from '../event.ts';
import { jpegOf } from '../jpeg.ts';
import type { Box, Picture } from '../picture.ts';
import { stillOf, writeClip } from './film.ts';
import type { About, MediaStore } from './media-store.ts';

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
  /** With boxes and without; fewer, or none, when there is no room. */
  readonly pictures: EvidenceReference[];
  /** When its last second is there; `null`: none. Never rejects. */
  readonly clip: Promise<EvidenceReference | null>;
}

/**
 * ms that the main stream's picture may take; then the analysed one has to do. The alarm waits for this, and has to be
 * there within a second of the frame.
 */
const STILL_LIMIT = 400;
/** Pictures that are decoded at once, all cameras together: an alarm at every camera must not take both cores. */
const STILLS = 2;
/** What still belongs to a clip that is being made. */
const SAME_CLIP = 0.5;

/** Pictures and clips of what was found: two pictures at once, the clip when it is over. Only of what has an event. */
export class Evidence {
  readonly #options: EvidenceOptions;
  readonly #clips = new Map<string, { readonly until: number; readonly made: Promise<EvidenceReference | null> }>();
  #stills = 0;

  constructor(options: EvidenceOptions) {
    this.#options = options;
  }

  /** Never rejects: an alarm goes out without evidence rather than not at all. */
  async keep(occasion: Occasion): Promise<Kept> {
    const clip = this.#clip(occasion);
    try {
      return { pictures: await this.#pictures(occasion), clip };
    } catch (thrown) {
      this.#options.log.warn({ err: messageOf(thrown), camera: occasion.camera }, 'an event goes out without pictures');
      return { pictures: [], clip };
    }
  }

  async #pictures(occasion: Occasion): Promise<EvidenceReference[]> {
    const { store } = this.#options;
    const { camera, event, wall, picture, boxes } = occasion;
    const plain = (await this.#still(occasion)) ?? (await jpegOf(picture, QUALITY));
    const about = { camera, event, wall };
    const marked = await withBoxes(plain, picture, boxes);
    // The one with boxes first: it is what people look at.
    const put = async (what: 'boxes' | 'plain', bytes: Buffer) => ({
      kind: 'picture' as const,
      ...(await store.put({ ...about, what }, bytes)),
    });
    return Promise.all([put('boxes', marked), put('plain', plain)]);
  }

  async #still({ ring, mono, camera }: Occasion): Promise<Buffer | null> {
    const { clock, spawn, log } = this.#options;
    const cut = ring?.cut(mono, mono) ?? null;
    if (cut === null || this.#stills >= STILLS) return null;
    this.#stills += 1;
    try {
      return await stillOf(cut, { clock, spawn }, STILL_LIMIT);
    } catch (thrown) {
      log.info({ err: messageOf(thrown), camera }, 'the analysed picture is kept instead of the main stream’s');
      return null;
    } finally {
      this.#stills -= 1;
    }
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

/** @param jpeg of any size @param shape what the boxes are in pixels of */
async function withBoxes(
  jpeg: Buffer,
  shape: { readonly width: number; readonly height: number },
  boxes: readonly Box[],
): Promise<Buffer> {
  const { width = 1, height = 1 } = await sharp(jpeg).metadata();
  const [x, y] = [width / shape.width, height / shape.height];
  const line = Math.max(2, Math.round(width / 320));
  const drawn = boxes.slice(0, 32).map(({ x1, y1, x2, y2 }) => {
    const [left, top] = [x1 * x, y1 * y].map((value) => value.toFixed(1));
    const [wide, high] = [(x2 - x1) * x, (y2 - y1) * y].map((value) => Math.max(1, value).toFixed(1));
    return `<rect x="${left}" y="${top}" width="${wide}" height="${high}"/>`;
  });
  const group = `<g fill="none" stroke="#ff3b30" stroke-width="${line}">${drawn.join('')}</g>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${group}</svg>`;
  return sharp(jpeg)
    .composite([{ input: Buffer.from(svg), left: 0, top: 0 }])
    .jpeg({ quality: QUALITY })
    .toBuffer();
}

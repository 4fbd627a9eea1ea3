import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { type ErrorCode, QuanweiError } from '../kernel/errors.ts';
import type { VisionLink } from './vision-link.ts';

/** Largest footage that may be sent, and a piece of it, bytes. */
export const MOST_BYTES = 200_000_000;
export const PIECE_BYTES = 2 * 1024 * 1024;
/** Seconds of footage that are looked at. */
export const MOST_SECONDS = 300;

const Fraction = z.number().min(0).max(1);
export const Trial = z
  .object({
    id: z.string(),
    camera: z.string(),
    state: z
      .enum(['running', 'done', 'failed', 'cancelled', 'left', 'late'])
      .describe('`left`: nobody asked how it is for 90 s; `late`: it took longer than 10 minutes'),
    problem: z.object({ code: z.string(), message: z.string() }).nullable().describe('With `failed`'),
    begins: z.number().nullable().describe('When the footage begins; `null`: everything is armed at any time'),
    seconds: z.number().nullable().describe('Of the footage; `null`: not known (yet)'),
    t: z.number().describe('How far it is, seconds of the footage'),
    frames: z.int(),
    looked: z.int().describe('Frames in which something moved and people were looked for'),
    postures: z.int().describe('How often the posture of somebody at a fence was looked at'),
    people: z.int().describe('People that were followed'),
    cut: z.boolean().describe(`Only its first ${MOST_SECONDS} s were looked at`),
    events: z
      .array(
        z.object({
          t: z.number(),
          type: z.enum(['climb', 'cross', 'line', 'area', 'loiter']),
          zone: z.string().describe('Id of the fence, line or area'),
          track: z.int(),
          direction: z.enum(['in', 'out']).nullable(),
          box: z.tuple([Fraction, Fraction, Fraction, Fraction]).nullable(),
        }),
      )
      .describe('What would have been raised; each has a picture by its place in this list'),
    more: z.int().describe('Events that are not listed'),
    sightings: z
      .array(z.tuple([z.number(), z.int(), Fraction, Fraction, Fraction, Fraction]))
      .nullable()
      .describe('Who was seen when and where, `[t, track, left, top, right, bottom]`; only when it is over'),
  })
  .meta({ id: 'CameraTrial' });
export const Received = z.object({ upload: z.string(), received: z.int() });

const Refusal = z.object({ code: z.string(), message: z.string() });

/** What the vision process refuses, as people are told it. */
const WORDS: Partial<Record<ErrorCode, readonly [text: string, hint?: string]>> = {
  BAD_REQUEST: ['录像或设置无法使用 · the footage or the settings cannot be used'],
  NOT_FOUND: ['录像或试验已不在 · the footage, or this try, is not there any more', 'choose the footage again'],
  TOO_MANY: ['正在试另一段录像，请稍候 · another try is under way; wait', 'one at a time on this box'],
  STORAGE_FULL: ['磁盘空间不足，无法接收录像 · the disk has no room for this footage'],
  VISION_DEGRADED: [
    '内存不足，暂时不能试 · memory is short; nothing can be tried just now',
    'try again at a quiet time',
  ],
};

const whose = (camera: string): string => `?${new URLSearchParams({ camera })}`;

/** Settings tried on footage, by the vision process. All of it may throw CAMERA_UNAVAILABLE: it does not answer. */
export class TrialLink {
  readonly #link: VisionLink;

  constructor(link: VisionLink) {
    this.#link = link;
  }

  /** @throws QuanweiError NOT_FOUND, BAD_REQUEST, TOO_MANY, VISION_DEGRADED */
  start(order: object): Promise<z.output<typeof Trial>> {
    return this.#ask(Trial, 'POST', '/trials', order);
  }

  /** @throws QuanweiError NOT_FOUND */
  view(id: string, camera: string): Promise<z.output<typeof Trial>> {
    return this.#ask(Trial, 'GET', `/trials/${id}${whose(camera)}`);
  }

  /** Resolves when no process of it is left. @throws QuanweiError NOT_FOUND */
  cancel(id: string, camera: string): Promise<z.output<typeof Trial>> {
    return this.#ask(Trial, 'DELETE', `/trials/${id}${whose(camera)}`);
  }

  /** JPEG of an event, or a refusal; its body is still to be read. */
  picture(id: string, event: number, camera: string): Promise<IncomingMessage> {
    return this.#link.ask(`/trials/${id}/pictures/${event}${whose(camera)}`);
  }

  /** @throws QuanweiError BAD_REQUEST, NOT_FOUND, TOO_MANY, STORAGE_FULL */
  send(upload: string | undefined, offset: number, total: number, piece: Buffer): Promise<z.output<typeof Received>> {
    const search = new URLSearchParams({ offset: String(offset), total: String(total) });
    if (upload !== undefined) search.set('upload', upload);
    return this.#ask(Received, 'POST', `/trial-footage?${search}`, piece);
  }

  async #ask<T>(
    form: z.ZodType<T>,
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    body?: object | Buffer,
  ): Promise<T> {
    const { status, said } = await this.#link.exchange(method, path, body);
    if (status === 200) {
      const parsed = form.safeParse(said);
      if (parsed.success) return parsed.data;
    }
    const { code = 'INVARIANT', message = '' } = Refusal.safeParse(said).data ?? {};
    const words = WORDS[code as ErrorCode];
    if (words !== undefined) {
      const [text, hint = message] = words;
      throw new QuanweiError(code as ErrorCode, text, { hint });
    }
    throw new QuanweiError('CAMERA_UNAVAILABLE', '视觉进程无法试验 · the vision process cannot try it', {
      cause: new Error(`${status} ${message}`),
    });
  }
}

import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../kernel/clock.ts';
import { messageOf, QuanweiError } from '../kernel/errors.ts';
import { threadFile } from '../kernel/thread.ts';
import type { PlanPicture } from './plan.ts';

/** Largest file, bytes. */
export const MOST_BYTES = 10 * 1024 * 1024;
/** Largest picture, px: a little more than 8K. Decoded it takes eight bytes of each at worst, and the unit's memory has a bound. */
export const MOST_PIXELS = 34_000_000;
/** Largest picture that is kept, bytes. */
export const STORED_BYTES = 3 * 1024 * 1024;
/** The largest picture takes some 6 s on a slow box. */
const PATIENCE_MS = 60_000;

/** What the child says before the bytes. */
export type PictureAnswer =
  | { readonly width: number; readonly height: number }
  | { readonly problem: 'kind' | 'broken' | 'small' | 'pixels' | 'bytes' };

const PROBLEMS = {
  kind: '只接受 PNG、JPEG、WebP 图片 · only PNG, JPEG and WebP pictures are taken',
  broken: '图片已损坏或不完整 · the picture is damaged or incomplete',
  small: '图片太小 · the picture is too small',
  pixels: '图片太大（像素过多） · the picture has too many pixels',
  bytes: '图片文件太大 · the file is too large',
} as const;
const HINTS = {
  kind: 'export the drawing as PNG',
  broken: 'open it on your computer and save it again',
  small: 'at least 64 px each way',
  pixels: `at most ${MOST_PIXELS / 1_000_000} megapixels`,
  bytes: `at most ${MOST_BYTES / 1024 / 1024} MB`,
} as const;

/** The program that draws a picture anew, as its user needs it. */
export interface Drawing {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Settles when it is over. @returns how it ended, for people; `null` when well */
  readonly ended: Promise<string | null>;
  kill(): void;
}
export type StartDrawing = () => Drawing;

/** A process of its own: decoders and their memory stay out of the gateway, and a file made to break them breaks only this. */
export const startDrawing: StartDrawing = () => {
  const child = spawn(
    process.execPath,
    ['--max-old-space-size=64', threadFile(import.meta.url, 'plan-picture-child')],
    {
      stdio: ['pipe', 'pipe', 'ignore'],
      // It needs no secret of ours.
      env: { PATH: process.env['PATH'] ?? '' },
    },
  );
  const ended = new Promise<string | null>((resolve) => {
    child.on('error', (thrown) => resolve(messageOf(thrown)));
    child.on('close', (code, signal) => resolve(code === 0 ? null : `it ended with ${signal ?? code}`));
  });
  return { stdin: child.stdin, stdout: child.stdout, ended, kill: () => void child.kill('SIGKILL') };
};

/** Takes pictures for plans, one at a time. */
export class PlanPictures {
  readonly #clock: Clock;
  readonly #start: StartDrawing;
  #busy = false;

  constructor(clock: Clock, start: StartDrawing = startDrawing) {
    this.#clock = clock;
    this.#start = start;
  }

  /**
   * Draws a picture anew as it is kept: upright, at most 4096 px a side, WebP, without metadata.
   * @param file as it came; it is not held in memory
   * @throws QuanweiError BAD_PICTURE; TOO_MANY while another one is drawn; INVARIANT when the program falls over
   */
  async take(file: Readable): Promise<PlanPicture> {
    if (this.#busy) {
      throw new QuanweiError('TOO_MANY', '正在处理另一张图片，请稍候 · another picture is being read; wait');
    }
    this.#busy = true;
    const drawing = this.#start();
    const late = this.#clock.after(PATIENCE_MS, () => drawing.kill());
    try {
      const [sent, out] = await Promise.all([send(file, drawing), collect(drawing.stdout)]);
      const ended = await drawing.ended;
      if (sent !== null) throw refusal(sent);
      return understand(out, ended);
    } finally {
      late.cancel();
      drawing.kill();
      this.#busy = false;
    }
  }
}

/** @returns why it was not sent whole */
async function send(file: Readable, { stdin, kill }: Drawing): Promise<keyof typeof PROBLEMS | null> {
  let size = 0;
  // It may be over before it has read all: what it said tells why.
  stdin.on('error', () => undefined);
  try {
    // Not destroyed with the loop: the refusal still has to go out on its socket.
    for await (const chunk of file.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MOST_BYTES) {
        kill();
        return 'bytes';
      }
      if (!stdin.write(chunk) && !stdin.destroyed) await drained(stdin);
    }
  } catch {
    kill();
    return 'broken';
  }
  stdin.end();
  return null;
}

const drained = (stream: Writable): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done).off('close', done);
      resolve();
    };
    stream.once('drain', done).once('close', done);
  });

async function collect(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function understand(out: Buffer, ended: string | null): PlanPicture {
  const end = out.indexOf(0x0a);
  // Nothing said: killed for its time or memory, which a sound picture does not need.
  if (end < 0) throw refusal('broken', ended ?? 'it said nothing');
  const answer = JSON.parse(out.toString('utf8', 0, end)) as PictureAnswer;
  if ('problem' in answer) throw refusal(answer.problem);
  return { ...answer, bytes: out.subarray(end + 1) };
}

const refusal = (problem: keyof typeof PROBLEMS, cause?: string): QuanweiError =>
  new QuanweiError('BAD_PICTURE', PROBLEMS[problem], {
    hint: HINTS[problem],
    ...(cause === undefined ? {} : { cause: new Error(cause) }),
  });

import { type IncomingMessage, request } from 'node:http';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { QuanweiError } from '../kernel/errors.ts';

/** Where the vision process serves pictures, and what it wants to be shown. */
export interface VisionAddress {
  /** `http://HOST:PORT` */
  readonly url: string;
  readonly token: string;
}

const ANSWER_MS = 5_000;
/** Until an answer in JSON has come to its end: ending a child process takes a moment. */
const EXCHANGE_MS = 15_000;
const LARGEST_LIST = 256 * 1024;
const LARGEST_ANSWER = 4 * 1024 * 1024;

const Cameras = z.object({
  cameras: z
    .array(
      z.object({
        id: z.string().max(64),
        state: z.enum(['online', 'degraded', 'offline']),
        reason: z.string().max(300).nullable(),
        fps: z.number().nullable(),
        pictureAt: z.number().nullable(),
        troubles: z.array(z.string().max(40)).max(16).default([]),
      }),
    )
    .max(256),
  settings: z.string().max(64).nullable().default(null),
});
export type CameraState = z.output<typeof Cameras>['cameras'][number];

export interface VisionState {
  readonly cameras: ReadonlyMap<string, CameraState>;
  /** Version of the page’s settings that it works with. */
  readonly settings: string | null;
}

/** The gateway’s side of the vision process’s HTTP listener. That it is away is a state like any other. */
export class VisionLink {
  readonly #address: VisionAddress;
  readonly #answerMs: number;

  /** @param answerMs until an answer begins, and until a list has come to its end */
  constructor(address: VisionAddress, answerMs = ANSWER_MS) {
    this.#address = address;
    this.#answerMs = answerMs;
  }

  /**
   * Asks for something; the answer’s body is still to be read.
   * @throws QuanweiError CAMERA_UNAVAILABLE nobody answers there
   */
  ask(path: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
    const { url, token } = this.#address;
    return new Promise((resolve, reject) => {
      const asked = request(
        new URL(path, url),
        { headers: { ...headers, authorization: `Bearer ${token}` } },
        (answer) => {
          asked.setTimeout(0);
          answer.on('error', () => undefined);
          resolve(answer);
        },
      );
      asked.setTimeout(this.#answerMs, () => asked.destroy(new Error('no answer')));
      asked.on('error', (cause) => reject(away(cause)));
      asked.end();
    });
  }

  /** How the cameras are; `null` when the vision process does not answer. */
  async state(): Promise<VisionState | null> {
    try {
      const answer = await this.ask('/cameras');
      // An answer that begins and does not end: a process that was stopped in the middle of it.
      const end = setTimeout(() => answer.destroy(away(new Error('half an answer'))), this.#answerMs);
      let text = '';
      try {
        for await (const chunk of answer) {
          text += String(chunk);
          if (text.length > LARGEST_LIST) return null;
        }
      } finally {
        clearTimeout(end);
      }
      const parsed = Cameras.safeParse(JSON.parse(text));
      if (!parsed.success) return null;
      const { cameras, settings } = parsed.data;
      return { cameras: new Map(cameras.map((one) => [one.id, one])), settings };
    } catch (thrown) {
      if (thrown instanceof QuanweiError || thrown instanceof SyntaxError) return null;
      if (thrown instanceof Error && 'code' in thrown) return null; // the connection broke half way
      throw thrown;
    }
  }

  /** A live view. What goes wrong is told by its `error` and `close`. */
  watch(path: string): WebSocket {
    const { url, token } = this.#address;
    const address = new URL(path, url.replace(/^http/, 'ws'));
    return new WebSocket(address, {
      headers: { authorization: `Bearer ${token}` },
      handshakeTimeout: ANSWER_MS,
      perMessageDeflate: false,
      maxPayload: 32 * 1024 * 1024,
    });
  }

  /** Hands over a door’s picture. Whatever comes of it is told by MQTT, and nothing is tried again. */
  doorPicture(device: string, at: number, jpeg: Buffer): Promise<void> {
    return this.#hand('POST', `/door-picture?device=${encodeURIComponent(device)}&at=${at}`, 'image/jpeg', jpeg);
  }

  /** Hands over the page’s settings, all of them. @throws QuanweiError CAMERA_UNAVAILABLE it did not take them */
  settings(text: string): Promise<void> {
    return this.#hand('PUT', '/settings', 'application/json', Buffer.from(text));
  }

  /**
   * Asks for something that is answered in JSON.
   * @param body JSON, or bytes that are sent as they are
   * @throws QuanweiError CAMERA_UNAVAILABLE nobody answers there, or nothing that can be understood
   */
  exchange(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    body?: object | Buffer,
  ): Promise<{ readonly status: number; readonly said: unknown }> {
    const { url, token } = this.#address;
    const bytes = body === undefined || Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
    const headers = {
      authorization: `Bearer ${token}`,
      ...(bytes === undefined ? {} : { 'content-type': 'application/octet-stream', 'content-length': bytes.length }),
    };
    return new Promise((resolve, reject) => {
      const fail = (cause: Error) => reject(away(cause));
      const sent = request(new URL(path, url), { method, headers }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('error', fail);
        answer.on('data', (chunk: string) => {
          text += chunk;
          if (text.length > LARGEST_ANSWER) sent.destroy(new Error('too long an answer'));
        });
        answer.on('end', () => {
          try {
            resolve({ status: answer.statusCode ?? 500, said: JSON.parse(text) });
          } catch (thrown) {
            reject(away(new Error('no JSON', { cause: thrown })));
          }
        });
      });
      sent.setTimeout(EXCHANGE_MS, () => sent.destroy(new Error('no answer')));
      sent.on('error', fail);
      sent.end(bytes);
    });
  }

  #hand(method: string, path: string, type: string, bytes: Buffer): Promise<void> {
    const { url, token } = this.#address;
    const headers = { authorization: `Bearer ${token}`, 'content-type': type, 'content-length': bytes.length };
    return new Promise((resolve, reject) => {
      const sent = request(new URL(path, url), { method, headers }, (answer) => {
        answer.resume();
        if (answer.statusCode === 204) resolve();
        else reject(away(new Error(`answered ${answer.statusCode ?? 0}`)));
      });
      sent.setTimeout(ANSWER_MS, () => sent.destroy(new Error('no answer')));
      sent.on('error', (cause) => reject(away(cause)));
      sent.end(bytes);
    });
  }
}

const away = (cause: Error): QuanweiError =>
  new QuanweiError('CAMERA_UNAVAILABLE', '视觉进程没有应答 · the vision process does not answer', { cause });

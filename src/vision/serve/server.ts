import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { invariant, messageOf, QuanweiError } from '../../kernel/errors.ts';
import type { Log } from '../../kernel/log.ts';
import { mediaPart } from '../../kernel/media.ts';
import { body, json, refuse } from './answers.ts';
import type { LiveStream } from './live-stream.ts';
import type { NewestPicture } from './newest-picture.ts';
import { type ServedTrials, trialRoute } from './trial-route.ts';

/** How a camera is, for whoever shows a list of them. */
export interface CameraView {
  readonly id: string;
  readonly state: 'online' | 'degraded' | 'offline';
  readonly reason: string | null;
  /** Frames a second that are analysed */
  readonly fps: number | null;
  /** Of the newest picture, wall time in ms */
  readonly pictureAt: number | null;
  /** What is wrong with its picture: `dark`, `frozen`, … */
  readonly troubles?: readonly string[];
}

/** A picture that a door terminal sent, to be compared with those who are enrolled and then forgotten. */
export interface DoorPicture {
  readonly device: string;
  /** When it was taken, wall time in ms */
  readonly at: number;
  readonly jpeg: Buffer;
}

export interface ServeParts {
  /** `http://HOST:PORT` */
  readonly listen: string;
  /** What whoever asks has to show; it is made from the secret the gateway and this process share. */
  readonly token: string;
  /** Directory that `media/` lies in */
  readonly data: string;
  readonly log: Log;
  cameras(): readonly CameraView[];
  /** Settings of the page. Absent: none are taken. */
  readonly settings?: {
    /** Of those in use. */
    version(): string | null;
    /** @throws QuanweiError BAD_REQUEST */
    put(text: string): void;
  };
  picture(camera: string): NewestPicture | null;
  live(camera: string, stream: 'main' | 'sub'): LiveStream | null;
  /** Absent: nothing is tried here. */
  readonly trials?: ServedTrials;
  /** Absent: door pictures are not compared here. */
  doorPicture?(picture: DoorPicture): void;
}

export interface Served {
  /** Where it listens, with the port that was found. */
  readonly address: string;
  close(): Promise<void>;
}

const CONNECTIONS = 64;
/** People who look at live pictures at once, all cameras together. */
const VIEWERS = 24;
/** Bytes a viewer may be behind before it is let go. */
const BEHIND = 4 * 1024 * 1024;
const DOOR_PICTURE = 4 * 1024 * 1024;
/** 64 cameras with as much as a person may send of each. */
const SETTINGS = 4 * 1024 * 1024;
const BOUNDARY = 'quanwei-picture';
const CAMERA = /^\/cameras\/([A-Za-z0-9][A-Za-z0-9._-]{0,63})\/(snapshot|mjpeg|live)$/;

/**
 * What the gateway fetches from the vision process, and nobody else: pictures, live views, evidence. People are
 * authorised by the gateway; this side knows only the one token.
 * @throws QuanweiError PORT_TAKEN
 */
export async function serve(parts: ServeParts): Promise<Served> {
  const { log } = parts;
  const wanted = createHash('sha256').update(`Bearer ${parts.token}`).digest();
  const allowed = ({ headers }: IncomingMessage): boolean =>
    timingSafeEqual(
      wanted,
      createHash('sha256')
        .update(headers.authorization ?? '')
        .digest(),
    );
  const viewers = new Set<() => void>();
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 1_024, perMessageDeflate: false });
  const server = createServer(
    { requestTimeout: 30_000, headersTimeout: 10_000, maxHeaderSize: 8_192 },
    (request, answer) => {
      answer.on('error', () => undefined);
      try {
        if (allowed(request)) route(parts, request, answer, viewers);
        else refuse(answer, 401, 'who are you?');
      } catch (thrown) {
        log.error({ err: thrown, url: request.url }, 'a request of the gateway failed');
        refuse(answer, 500, 'it failed');
      }
    },
  );
  server.maxConnections = CONNECTIONS;
  server.on('upgrade', (request, socket: Duplex, head) => {
    socket.on('error', () => undefined);
    const stream = allowed(request) ? liveOf(parts, request) : null;
    if (stream === null || viewers.size >= VIEWERS) {
      const status = stream === null ? (allowed(request) ? '404 Not Found' : '401 Unauthorized') : '503 Too Many';
      socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\n\r\n`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => look(client, stream, viewers));
  });
  const { host, port } = placeOf(parts.listen);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (thrown) => {
      const taken = 'code' in thrown && thrown.code === 'EADDRINUSE';
      const details = { where: parts.listen, cause: thrown };
      reject(taken ? new QuanweiError('PORT_TAKEN', messageOf(thrown), details) : thrown);
    });
    server.listen({ host, port }, resolve);
  });
  // Too many open files, for one: told, and no reason to end.
  server.on('error', (thrown) => log.warn({ err: thrown }, 'a connection of the gateway could not be taken'));
  const at = server.address();
  invariant(at !== null && typeof at === 'object', 'a listening server has an address and a port');
  return {
    address: `http://${at.family === 'IPv6' ? `[${at.address}]` : at.address}:${at.port}`,
    close: () =>
      new Promise((resolve) => {
        for (const end of [...viewers]) end();
        for (const client of sockets.clients) client.terminate();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function placeOf(listen: string): { host: string; port: number } {
  const [, host = '', port = ''] = /^http:\/\/(.+):(\d+)$/.exec(listen) ?? [];
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

const NOWHERE = 'http://vision.invalid/';
/** Never throws: what is no path leads nowhere. */
const pathOf = ({ url = '/' }: IncomingMessage): URL => new URL(URL.canParse(url, NOWHERE) ? url : '/', NOWHERE);

function route(
  parts: ServeParts,
  request: IncomingMessage,
  answer: ServerResponse,
  viewers: Set<() => void>,
): ServerResponse {
  const { pathname, searchParams } = pathOf(request);
  if (/^\/trial/.test(pathname)) return trialRoute(parts.trials, pathname, searchParams, request, answer);
  if (request.method === 'POST' && pathname === '/door-picture') return receive(parts, request, answer);
  if (request.method === 'PUT' && pathname === '/settings') return take(parts, request, answer);
  if (request.method !== 'GET') return refuse(answer, 405, 'GET');
  if (pathname === '/cameras') {
    return json(answer, { cameras: parts.cameras(), settings: parts.settings?.version() ?? null });
  }
  if (pathname.startsWith('/media/')) {
    const part = mediaPart(parts.data, pathname.slice(1), request.headers.range);
    if (part === null) return refuse(answer, 404, 'there is no such evidence');
    answer.writeHead(part.status, part.headers);
    if (part.open === undefined) answer.end();
    else pipeline(part.open(), answer, () => undefined);
    return answer;
  }
  const [, camera = '', what] = CAMERA.exec(pathname) ?? [];
  const picture = parts.picture(camera);
  if (picture === null) return refuse(answer, 404, 'there is no such camera');
  if (what === 'snapshot') return snapshot(picture, answer);
  if (what === 'mjpeg') return mjpeg(picture, answer, viewers);
  return refuse(answer, 426, 'a WebSocket is wanted');
}

function liveOf(parts: ServeParts, request: IncomingMessage): LiveStream | null {
  const { pathname, searchParams } = pathOf(request);
  const [, camera = '', what] = CAMERA.exec(pathname) ?? [];
  if (what !== 'live') return null;
  return parts.live(camera, searchParams.get('stream') === 'main' ? 'main' : 'sub');
}

function look(client: WebSocket, stream: LiveStream, viewers: Set<() => void>): void {
  const end = (): void => client.close(1001);
  viewers.add(end);
  const leave = stream.join({
    begin: (codec) => client.send(JSON.stringify({ codec })),
    data: (bytes) => {
      if (client.bufferedAmount > BEHIND) return false;
      client.send(bytes);
      return true;
    },
    end: (why) => {
      if (why === 'too slow') client.terminate();
      else client.close(1011, why.slice(0, 100));
    },
  });
  client.on('error', () => undefined);
  client.on('close', () => {
    viewers.delete(end);
    leave();
  });
}

function snapshot(picture: NewestPicture, answer: ServerResponse): ServerResponse {
  const shown = picture.get();
  if (shown === null) return refuse(answer, 503, 'the camera gives no picture');
  shown.then(
    ({ jpeg, at }) => {
      answer.writeHead(200, {
        'content-type': 'image/jpeg',
        'content-length': jpeg.length,
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'last-modified': new Date(at).toUTCString(),
      });
      answer.end(jpeg);
    },
    (thrown: unknown) => refuse(answer, 503, messageOf(thrown)),
  );
  return answer;
}

/** Pictures one after the other (`multipart/x-mixed-replace`), for browsers that cannot play the stream. */
function mjpeg(picture: NewestPicture, answer: ServerResponse, viewers: Set<() => void>): ServerResponse {
  if (viewers.size >= VIEWERS) return refuse(answer, 503, 'too many look at live pictures');
  answer.writeHead(200, {
    'content-type': `multipart/x-mixed-replace; boundary=${BOUNDARY}`,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  const end = (): void => void answer.end();
  viewers.add(end);
  const leave = picture.follow(({ jpeg }) => {
    // Who has not taken the one before does not get this one.
    if (answer.writableLength > 0) return;
    answer.write(`--${BOUNDARY}\r\ncontent-type: image/jpeg\r\ncontent-length: ${jpeg.length}\r\n\r\n`);
    answer.write(jpeg);
    answer.write('\r\n');
  });
  answer.on('close', () => {
    viewers.delete(end);
    leave();
  });
  return answer;
}

function receive(parts: ServeParts, request: IncomingMessage, answer: ServerResponse): ServerResponse {
  const { searchParams } = pathOf(request);
  const device = searchParams.get('device') ?? '';
  const at = Number(searchParams.get('at'));
  if (parts.doorPicture === undefined) return refuse(answer, 404, 'door pictures are not compared here');
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(device) || !Number.isSafeInteger(at))
    return refuse(answer, 400, 'device, at');
  return body(request, answer, DOOR_PICTURE, (jpeg) => {
    parts.doorPicture?.({ device, at, jpeg });
    answer.writeHead(204).end();
  });
}

function take({ settings }: ServeParts, request: IncomingMessage, answer: ServerResponse): ServerResponse {
  if (settings === undefined) return refuse(answer, 404, 'settings are not taken here');
  return body(request, answer, SETTINGS, (sent) => {
    try {
      settings.put(sent.toString());
      answer.writeHead(204).end();
    } catch (thrown) {
      refuse(answer, thrown instanceof QuanweiError && thrown.code === 'BAD_REQUEST' ? 400 : 500, messageOf(thrown));
    }
  });
}

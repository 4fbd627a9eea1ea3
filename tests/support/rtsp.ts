import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const SERVER = fileURLToPath(new URL('../../src/simulator/footage/rtsp-server.py', import.meta.url));

/** A python that has GStreamer's bindings: often only the system's own. */
const PYTHON = ['python3', '/usr/bin/python3'].find(
  (python) =>
    spawnSync(python, [
      '-c',
      'import gi; gi.require_version("GstRtspServer", "1.0"); from gi.repository import GstRtspServer',
    ]).status === 0,
);

/** Whether this machine can play a camera. Where CI=true it has to. */
export function canServeRtsp(): boolean {
  if (PYTHON === undefined && process.env['CI'] === 'true')
    throw new Error('the tests of cameras need gir1.2-gst-rtsp-server-1.0');
  if (PYTHON === undefined)
    console.warn('skipped: the tests of cameras need python3-gi and gir1.2-gst-rtsp-server-1.0');
  return PYTHON !== undefined;
}

export interface RtspOptions {
  /** MP4 (or MPEG-TS, then with `seconds: 0`) with H.264 or H.265, best without B-frames. */
  readonly file: string;
  /** Default `/main`. */
  readonly path?: string;
  /** Further streams of the same camera: path → file. */
  readonly also?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly password?: string;
  /** Ask for digest authentication instead of basic. */
  readonly digest?: boolean;
  /** Default: a free one. */
  readonly port?: number;
  /** The file again and again until it is so long; default 300 s. 0: the stream ends with the file. */
  readonly seconds?: number;
}

export interface RtspServer {
  readonly port: number;
  /** Of the first stream, credentials included. */
  readonly url: string;
  urlOf(path: string, credentials?: string): string;
  /** SIGTERM */
  stop(): Promise<void>;
  /** As the power cut does it. */
  kill(): Promise<void>;
  /** Hangs: takes connections and answers nothing. */
  freeze(): void;
}

/** A camera on loopback, gone after the test. @param after of a test that runs beside others: its own `onTestFinished` */
export async function serveRtsp(
  options: RtspOptions,
  after: typeof onTestFinished = onTestFinished,
): Promise<RtspServer> {
  const server = await startRtsp(options);
  after(() => server.kill());
  return server;
}

/** The same for whoever ends it himself. */
export async function startRtsp(options: RtspOptions): Promise<RtspServer> {
  if (PYTHON === undefined) throw new Error('there is no GStreamer RTSP server on this machine');
  const { path = '/main', user, password = '' } = options;
  const seconds = options.seconds ?? 300;
  const streams = Object.entries({ [path]: options.file, ...options.also }).map(([at, file]) => [
    at,
    { file: seconds === 0 ? file : longer(file, seconds), codec: codecOf(file) },
  ]);
  const about = {
    port: options.port ?? 0,
    streams: Object.fromEntries(streams),
    user,
    password,
    digest: options.digest,
  };
  const child = spawn(PYTHON, [SERVER, JSON.stringify(about)], { stdio: ['ignore', 'pipe', 'pipe'] });
  const said: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
  const port = await new Promise<number>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', (line) => resolve(Number(line)));
    child.once('exit', () => reject(new Error(`the RTSP server ended: ${Buffer.concat(said).toString()}`)));
  });
  const own = user === undefined ? '' : `${encodeURIComponent(user)}:${encodeURIComponent(password)}@`;
  const urlOf = (at: string, credentials = own) => `rtsp://${credentials}127.0.0.1:${port}${at}`;
  return {
    port,
    url: urlOf(path),
    urlOf,
    stop: () => end(child, 'SIGTERM'),
    kill: () => end(child, 'SIGKILL'),
    freeze: () => void child.kill('SIGSTOP'),
  };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}

const codecOf = (file: string): string =>
  execFileSync('ffprobe', [
    '-v',
    'error',
    '-select_streams',
    'v:0',
    '-show_entries',
    'stream=codec_name',
    '-of',
    'csv=p=0',
    file,
  ])
    .toString()
    .trim()
    .split('\n')[0] ?? '';

/** The same film in a row, nothing encoded again; made once a machine. */
function longer(file: string, seconds: number): string {
  const { size, mtimeMs } = statSync(file);
  const mark = createHash('sha256').update(`${file} ${size} ${mtimeMs} ${seconds}`).digest('hex').slice(0, 16);
  const dir = join(tmpdir(), 'quanwei-test-clips');
  const made = join(dir, `${mark}.mp4`);
  if (existsSync(made)) return made;
  mkdirSync(dir, { recursive: true });
  const part = join(dir, `${mark}-${process.pid}.mp4`);
  const args = [
    '-v',
    'error',
    '-nostdin',
    '-y',
    '-stream_loop',
    '-1',
    '-i',
    file,
    '-t',
    `${seconds}`,
    '-an',
    '-c',
    'copy',
    part,
  ];
  execFileSync('ffmpeg', args);
  renameSync(part, made);
  return made;
}

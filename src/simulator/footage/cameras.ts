import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { z } from 'zod';
import type { Camera } from '../../config/cameras.ts';
import { QuanweiError } from '../../kernel/errors.ts';
import { DEMO_GATE, DEMO_WALL } from './clips.ts';
import { compose, composed, type Footage, type FootageOptions } from './footage.ts';

const run = promisify(execFile);
const SERVER = fileURLToPath(new URL('../../../src/simulator/footage/rtsp-server.py', import.meta.url));

export interface DemoCameras {
  /** For `cameras` of gateway.yaml. */
  readonly cameras: z.input<typeof Camera>[];
  /** Whether the first is a real RTSP camera; otherwise both are files, played as a camera sends. */
  readonly rtsp: boolean;
  close(): Promise<void>;
}

/** Composes what `demoCameras` plays, once a machine: half a minute. @throws QuanweiError CAMERA_UNAVAILABLE */
export async function prepareDemoCameras(options: FootageOptions = {}): Promise<void> {
  await compose(DEMO_WALL, { ...options, main: true });
  await compose(DEMO_GATE, options);
}

/** The two cameras of the demo, or `null` where nothing was prepared. */
export async function demoCameras(options: FootageOptions = {}): Promise<DemoCameras | null> {
  const wall = await composed(DEMO_WALL, { ...options, main: true });
  const gate = await composed(DEMO_GATE, options);
  if (wall === null || gate === null || wall.main === null) return null;
  const server = await serve({ '/main': wall.main, '/sub': wall.file });
  const streams =
    server === null
      ? { url: wall.main, subUrl: wall.file }
      : { url: `rtsp://127.0.0.1:${server.port}/main`, subUrl: `rtsp://127.0.0.1:${server.port}/sub` };
  return {
    cameras: [
      { id: 'cam-wall', name: '南墙摄像机', place: '南墙', ...streams, fences: fences(wall) },
      { id: 'cam-gate', name: '步道摄像机', place: '北侧步道', url: gate.file, fences: fences(gate) },
    ],
    rtsp: server !== null,
    close: async () => server?.close(),
  };
}

const fences = ({ truth }: Footage) => [{ id: 'wall', top: truth.fence.top.map(own), base: truth.fence.base.map(own) }];
const own = ([x, y]: readonly [number, number]): [number, number] => [x, y];

/** A python that has GStreamer's bindings: often only the system's own. */
function pythonWithGStreamer(): string | null {
  const asks = 'import gi; gi.require_version("GstRtspServer", "1.0"); from gi.repository import GstRtspServer';
  return ['python3', '/usr/bin/python3'].find((python) => spawnSync(python, ['-c', asks]).status === 0) ?? null;
}

/**
 * Files as RTSP streams of one camera on loopback, again and again without a gap.
 * @param files path → MP4 with H.264
 * @returns `null` where there is no GStreamer
 */
export async function serve(
  files: Readonly<Record<string, string>>,
): Promise<{ readonly port: number; close(): Promise<void> } | null> {
  const python = pythonWithGStreamer();
  if (python === null) return null;
  const streams: Record<string, { file: string; codec: 'h264'; loop: true }> = {};
  for (const [path, file] of Object.entries(files))
    streams[path] = { file: await bare(file), codec: 'h264', loop: true };
  const child = spawn(python, [SERVER, JSON.stringify({ port: 0, streams })], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-2_000);
  });
  const port = await new Promise<number>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', (line) => resolve(Number(line)));
    const failed = (why: string) => reject(new QuanweiError('CAMERA_UNAVAILABLE', `the RTSP server ended: ${why}`));
    child.once('error', (thrown) => failed(thrown.message));
    child.once('exit', () => failed(said.trim()));
  });
  return {
    port,
    close: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    },
  };
}

/** The same pictures without a container, which can be sent in a circle; kept beside the file. */
async function bare(file: string): Promise<string> {
  const made = file.replace(/\.mp4$/, '.h264');
  if (existsSync(made)) return made;
  const part = `${made}.${process.pid}`;
  await run('ffmpeg', [
    ...['-v', 'error', '-nostdin', '-y', '-i', file, '-map', '0:v', '-c', 'copy'],
    ...['-bsf:v', 'h264_mp4toannexb,h264_metadata=aud=insert', '-f', 'h264', part],
  ]);
  await rename(part, made);
  return made;
}

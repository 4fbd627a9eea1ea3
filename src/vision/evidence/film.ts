import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '../../kernel/clock.ts';
import { QuanweiError } from '../../kernel/errors.ts';
import { clipArguments, stillArguments } from '../capture/command.ts';
import { Program, type Spawn } from '../capture/program.ts';
import { reasonOf } from '../capture/reason.ts';
import type { Cut } from '../capture/ring.ts';

export interface FilmOptions {
  readonly clock: Clock;
  readonly spawn?: Spawn | undefined;
}

/**
 * ms that either may take, from memory: much more than it needs. Whatever else the box does comes first (`giveWay`), and a
 * picture that comes half a minute late is worth having; only a program that never ends is to be ended.
 */
const TIME_LIMIT = 30_000;

/**
 * The last picture of a cut as JPEG, as large as the camera sends it. 0.1 s, and the decoding of what leads to it.
 * @throws QuanweiError CAMERA_UNAVAILABLE
 */
export async function stillOf(cut: Cut, options: FilmOptions): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await run(stillArguments(cut.pictures), cut, options, (chunk) => chunks.push(chunk));
  const all = Buffer.concat(chunks);
  // The last few are made, in case the stream has fewer pictures than it seemed. Within a JPEG its mark cannot occur.
  const last = all.lastIndexOf(Buffer.from([0xff, 0xd8, 0xff]));
  if (last < 0) throw new QuanweiError('CAMERA_UNAVAILABLE', 'there is no picture in the recording');
  return all.subarray(last);
}

/**
 * A cut as an MP4 file that a browser plays while it loads; not encoded again.
 * @throws QuanweiError CAMERA_UNAVAILABLE; STORAGE_FULL
 */
export async function writeClip(cut: Cut, path: string, options: FilmOptions): Promise<void> {
  await run(clipArguments(path, cut.codec), cut, options, () => undefined);
}

async function run(
  args: string[],
  cut: Cut,
  { clock, spawn }: FilmOptions,
  take: (chunk: Buffer) => void,
): Promise<void> {
  const program = new Program('ffmpeg', args, { clock, spawn, pipes: 1, stdin: 'open' });
  let late = false;
  const timer = clock.after(TIME_LIMIT, () => {
    late = true;
    void program.end();
  });
  const [out] = program.pipes;
  const read = new Promise<void>((resolve) => out?.once('close', resolve) ?? resolve());
  out?.on('data', take);
  const { stdin } = program;
  // It may end before it has read all: its code tells whether that is an error.
  if (stdin !== null) await pipeline(Readable.from(cut.bytes), stdin).catch(() => stdin.destroy());
  const { code, said } = await program.gone;
  timer.cancel();
  await read;
  if (late) throw new QuanweiError('CAMERA_UNAVAILABLE', `ffmpeg was not done within ${TIME_LIMIT / 1_000} s`);
  if (code === 0) return;
  const reason = reasonOf(said);
  throw new QuanweiError(reason === 'the disk is full' ? 'STORAGE_FULL' : 'CAMERA_UNAVAILABLE', reason);
}

import { z } from 'zod';
import { QuanweiError } from '../../kernel/errors.ts';
import { type Input, redact } from './address.ts';
import type { Matrix } from './colour.ts';
import { Program, type ProgramOptions } from './program.ts';
import { reasonOf } from './reason.ts';

/** What a stream is, before it is decoded. */
export interface StreamShape {
  /** As it is shown: a film turned by a quarter has its sides exchanged. */
  readonly width: number;
  readonly height: number;
  /** Frames a second; 25 when the stream does not say. */
  readonly fps: number;
  /** ffmpeg's name: `h264`, `hevc`, `mjpeg` */
  readonly codec: string;
  readonly matrix: Matrix;
  /** Frames of a file, when its container says. */
  readonly frames?: number;
  /** Of a file, when its container says. */
  readonly seconds?: number;
}

/** Larger pictures than any camera sends are refused before memory is given to them. */
const LARGEST = 8_192;

const Side = z.int().min(1).max(LARGEST);
const Answer = z.object({
  streams: z
    .array(
      z.object({
        codec_name: z.string().max(40).default('unknown'),
        color_space: z.string().max(40).default('unknown'),
        width: Side,
        height: Side,
        avg_frame_rate: z.string().default('0/0'),
        r_frame_rate: z.string().default('0/0'),
        nb_frames: z.coerce.number().optional().catch(undefined),
        side_data_list: z.array(z.object({ rotation: z.number().optional() })).default([]),
      }),
    )
    .min(1),
  format: z.object({ duration: z.coerce.number().positive().optional().catch(undefined) }).default({}),
});

const ENTRIES =
  'stream=codec_name,color_space,width,height,avg_frame_rate,r_frame_rate,nb_frames:stream_side_data=rotation:format=duration';

/** ms that a camera may take to show what it sends. */
const TIME_LIMIT = 15_000;
/** Bytes of an answer. */
const ANSWER_LIMIT = 64 * 1024;

/** Asks ffprobe. @throws QuanweiError CAMERA_UNAVAILABLE with a reason to be shown; BAD_PICTURE when it is no video. */
export async function probe(
  input: Input,
  options: Pick<ProgramOptions, 'clock' | 'spawn'> & { signal?: AbortSignal | undefined },
): Promise<StreamShape> {
  const args = ['-v', 'error', ...input.options, '-select_streams', 'v:0', '-show_entries', ENTRIES, '-of', 'json'];
  const program = new Program('ffprobe', [...args, input.from], {
    clock: options.clock,
    spawn: options.spawn,
    pipes: 1,
    ...(input.stdin === undefined ? {} : { stdin: input.stdin }),
  });
  let text = '';
  let late = false;
  const [out] = program.pipes;
  const whole = new Promise<void>((resolve) => out?.once('close', resolve) ?? resolve());
  out?.on('data', (chunk: Buffer) => {
    text += chunk.toString('utf8');
    if (text.length > ANSWER_LIMIT) void program.end();
  });
  const stop = () => void program.end();
  const limit = options.clock.after(TIME_LIMIT, () => {
    late = true;
    stop();
  });
  options.signal?.addEventListener('abort', stop, { once: true });
  const { code, said } = await program.gone;
  limit.cancel();
  options.signal?.removeEventListener('abort', stop);
  await whole;
  if (late) throw new QuanweiError('CAMERA_UNAVAILABLE', `no answer within ${TIME_LIMIT / 1_000} s`);
  if (code !== 0) throw new QuanweiError('CAMERA_UNAVAILABLE', reasonOf(said), { cause: redact(said) });
  return parse(text);
}

function parse(text: string): StreamShape {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (thrown) {
    throw new QuanweiError('BAD_PICTURE', 'ffprobe’s answer cannot be read', { cause: thrown });
  }
  const answer = Answer.safeParse(json);
  const stream = answer.data?.streams[0];
  const format = answer.data?.format;
  if (stream === undefined) throw new QuanweiError('BAD_PICTURE', 'there is no video in it that can be decoded');
  const rotation = stream.side_data_list.find((side) => side.rotation !== undefined)?.rotation ?? 0;
  const turned = Math.abs(rotation) % 180 === 90;
  return {
    width: turned ? stream.height : stream.width,
    height: turned ? stream.width : stream.height,
    fps: believable(rate(stream.avg_frame_rate)) ?? believable(rate(stream.r_frame_rate)) ?? 25,
    codec: stream.codec_name,
    // What does not say is taken for BT.601, as ffmpeg itself does.
    matrix: stream.color_space === 'bt709' ? 'bt709' : 'bt601',
    ...(stream.nb_frames === undefined ? {} : { frames: stream.nb_frames }),
    ...(format?.duration === undefined ? {} : { seconds: format.duration }),
  };
}

function rate(fraction: string): number {
  const [over, under] = fraction.split('/').map(Number);
  return (over ?? 0) / (under ?? 1);
}

const believable = (fps: number): number | undefined => (fps >= 0.2 && fps <= 240 ? fps : undefined);

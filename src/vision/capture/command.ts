import ffmpeg from 'fluent-ffmpeg';
import type { Input } from './address.ts';
import type { Size } from './colour.ts';
import { GREY, type PlanePlan } from './planes.ts';

/**
 * Command lines of ffmpeg. fluent-ffmpeg puts them together; `Program` runs them, because fluent-ffmpeg's own way of
 * running knows neither more than one output pipe nor a program that does not end when told to (ADR 095).
 */

type Command = ffmpeg.FfmpegCommand;

/** @param before options of the input, such as of its decoder */
function reading({ from, options }: Input, ...before: string[]): Command {
  // Given one by one: fluent-ffmpeg cuts options of a list at their spaces.
  return ffmpeg()
    .input(from)
    .inputOptions(...([...before, ...options] as [string]));
}

const writing = (command: Command, to: string, ...options: string[]): Command =>
  command.output(to).outputOptions(...(options as [string]));

/** @param tell what of its log is wanted */
function built(command: Command, tell: 'error' | 'verbose'): string[] {
  const made = command as unknown as { _getArguments(): string[] };
  return ['-hide_banner', '-nostats', '-loglevel', `repeat+level+${tell}`, ...made._getArguments()];
}

/** One thread each: many cameras share few cores, and frame threads would add their number of frames to the delay. */
const ONE_THREAD = ['-threads', '1'] as const;
const ONE_FILTER_THREAD = ['-filter_complex_threads', '1'] as const;

/**
 * `pick` chooses the frames before the graph splits: what comes out of its three ends is of the same moments. The picture
 * is scaled once, the smaller planes are made of it; nothing is made rgb here (ADR 112).
 */
function planes(pick: string, { picture, place }: PlanePlan): string {
  const scaled = (size: Size) => `scale=${size.width}:${size.height}:flags=bilinear`;
  const [stream, whole] = ['0:v:0', `${scaled(picture)},format=yuv420p`];
  if (place.width <= picture.width) {
    return [
      `[${stream}]${pick},${whole},split=3[picture][i][g]`,
      `[i]${scaled(place)}[input]`,
      `[g]${scaled(GREY)},format=gray[grey]`,
    ].join(';');
  }
  // A detector that sees more than is kept of the picture.
  return [
    `[${stream}]${pick},split=2[p][i]`,
    `[p]${whole},split=2[picture][g]`,
    `[i]${scaled(place)},format=yuv420p[input]`,
    `[g]${scaled(GREY)},format=gray[grey]`,
  ].join(';');
}

function toPlanes(command: Command, pick: string, plan: PlanePlan): Command {
  command.complexFilter(planes(pick, plan));
  ['picture', 'input', 'grey'].forEach((end, n) => {
    writing(command, `pipe:${n === 0 ? 1 : n + 2}`, '-map', `[${end}]`, '-vsync', 'passthrough', '-f', 'rawvideo');
  });
  return command;
}

/** The descriptor behind the three planes. */
const COPY = 'pipe:5';

/** What is kept of a stream without decoding it: video only, ready to be cut at any key frame. */
const copied = (command: Command, to: string): Command =>
  writing(
    command,
    to,
    ...['-map', '0:v:0', '-c', 'copy', '-flush_packets', '1'],
    ...['-mpegts_flags', '+resend_headers+pat_pmt_at_frames', '-muxdelay', '0', '-muxpreload', '0', '-f', 'mpegts'],
  );

/** A camera's stream to planes, and with `copy` to MPEG-TS on the fourth pipe as well. */
export function watchArguments(input: Input, plan: PlanePlan, { fps, of, copy }: Watch): string[] {
  const command = toPlanes(reading(input, ...ONE_THREAD, ...ONE_FILTER_THREAD), liveFrames(fps, of), plan);
  return built(copy ? copied(command, COPY) : command, 'verbose');
}

export interface Watch {
  /** Frames a second that are wanted. */
  readonly fps: number;
  /** Frames a second that the stream has. */
  readonly of: number;
  readonly copy: boolean;
}

/**
 * Frames of a live stream, by the distance between their times in either direction: a clock that jumps costs at most one
 * frame, where the `fps` filter would fill an hour's jump with copies. A stream whose clock stands still is counted.
 */
function liveFrames(fps: number, of: number): string {
  const gap = Math.max(0, 1 / fps - 0.5 / of);
  const most = Math.max(1, Math.ceil((3 * of) / fps));
  return (
    `select='eq(selected_n\\,0)+gte(abs(t-prev_selected_t)\\,${gap.toFixed(4)})` + `+gte(n-prev_selected_n\\,${most})'`
  );
}

/** Which frames of a file: so many a second, or every n-th as it is in the file. */
export type Choice = { readonly fps: number } | { readonly every: number };

/** @param pace `native`: as fast as a camera would send it; `loop`: so, and from the beginning again for ever */
export function footageArguments(
  input: Input,
  plan: PlanePlan,
  choice: Choice,
  pace: 'full' | 'native' | 'loop',
): string[] {
  const pick = 'fps' in choice ? `fps=${choice.fps}` : `select='not(mod(n\\,${choice.every}))'`;
  const paced = pace === 'full' ? [] : ['-re', ...(pace === 'loop' ? ['-stream_loop', '-1'] : [])];
  return built(toPlanes(reading(input, ...ONE_THREAD, ...ONE_FILTER_THREAD, ...paced), pick, plan), 'error');
}

/** A stream to MPEG-TS on standard output, nothing decoded. */
export const copyArguments = (input: Input): string[] => built(copied(reading(input), 'pipe:1'), 'error');

/** A recording that is known to be one: it is not looked at longer than needed. */
const fromRecording = (...before: string[]): Command =>
  reading({ from: 'pipe:0', options: ['-f', 'mpegts'] }, ...before, '-analyzeduration', '500000', '-fpsprobesize', '0');

/** @param pictures of the recording; the last ones become JPEG on standard output */
export function stillArguments(pictures: number): string[] {
  const last = `select='gte(n\\,${Math.max(0, pictures - 3)})'`;
  const command = fromRecording(...ONE_THREAD);
  return built(
    writing(
      command,
      'pipe:1',
      ...['-map', '0:v:0', '-vf', last, '-vsync', 'passthrough'],
      ...['-c:v', 'mjpeg', '-q:v', '3', '-pix_fmt', 'yuvj420p', '-f', 'image2pipe'],
    ),
    'error',
  );
}

/** A recording to an MP4 file, copied; its index comes first. */
export function clipArguments(path: string, codec: 'h264' | 'hevc' | 'other'): string[] {
  const command = fromRecording();
  // Safari plays H.265 only under this name.
  const tag = codec === 'hevc' ? ['-tag:v', 'hvc1'] : [];
  const options = ['-map', '0:v:0', '-c', 'copy', ...tag, '-movflags', '+faststart', '-f', 'mp4'];
  return built(writing(command, `file:${path}`, ...options), 'error');
}

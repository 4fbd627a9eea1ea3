import { messageOf, QuanweiError } from '../../kernel/errors.ts';
import { fileInput, type Input } from '../capture/address.ts';
import { probe } from '../capture/probe.ts';
import { Program, type ProgramOptions } from '../capture/program.ts';
import { reasonOf } from '../capture/reason.ts';
import { type Letterbox, letterbox } from '../picture.ts';

/** A frame of a video as a model's input wants it. */
export interface FootageFrame {
  /** Counts the frames of the file from 0. */
  readonly frame: number;
  /** rgb24 of the model's input size */
  readonly input: Uint8Array;
}

export interface Footage {
  /** Of the video as it is shown, pixels. */
  readonly width: number;
  readonly height: number;
  /** Where a frame lies in the input. */
  readonly place: Letterbox;
  /** As fast as they are taken; not taking more ends ffmpeg. @throws QuanweiError BAD_PICTURE */
  readonly frames: AsyncGenerator<FootageFrame, void, void>;
}

type Parts = Pick<ProgramOptions, 'clock' | 'spawn'>;

/**
 * Every n-th frame of a video file, none left out and none twice whatever its times say, scaled and padded by ffmpeg.
 * @throws QuanweiError BAD_PICTURE it cannot be decoded
 */
export async function openFootage(
  path: string,
  size: { readonly width: number; readonly height: number },
  every: number,
  parts: Parts,
): Promise<Footage> {
  const input = fileInput(path);
  const { width, height } = await probe(input, parts).catch((thrown: unknown) => {
    throw unusable(path, messageOf(thrown), thrown);
  });
  const place = letterbox({ width, height }, size);
  return { width, height, place, frames: framesOf(path, input, place, size, every, parts) };
}

async function* framesOf(
  path: string,
  input: Input,
  place: Letterbox,
  size: { readonly width: number; readonly height: number },
  every: number,
  parts: Parts,
): AsyncGenerator<FootageFrame, void, void> {
  const program = new Program('ffmpeg', argumentsOf(input, place, size, every), { ...parts, pipes: 1 });
  const bytes = size.width * size.height * 3;
  let count = 0;
  try {
    let frame = new Uint8Array(bytes);
    let filled = 0;
    for await (const chunk of program.pipes[0] ?? []) {
      let rest = chunk as Uint8Array;
      while (rest.length > 0) {
        const part = rest.subarray(0, bytes - filled);
        frame.set(part, filled);
        filled += part.length;
        rest = rest.subarray(part.length);
        if (filled < bytes) continue;
        yield { frame: count * every, input: frame };
        count += 1;
        frame = new Uint8Array(bytes);
        filled = 0;
      }
    }
    const { code, said } = await program.gone;
    if (code !== 0) throw unusable(path, reasonOf(said), said);
    if (count === 0) throw unusable(path, 'no frame in it could be decoded', said);
  } finally {
    await program.end();
  }
}

/** By area: of ffmpeg's scalers the one that leaves detectors as good as they are said to be (docs/decisions/093). */
function argumentsOf(
  { from, options }: Input,
  { width, height, left, top }: Letterbox,
  size: { readonly width: number; readonly height: number },
  every: number,
): string[] {
  const filters = [
    ...(every > 1 ? [`select='not(mod(n\\,${every}))'`] : []),
    `scale=${width}:${height}:flags=area`,
    'format=rgb24',
    `pad=${size.width}:${size.height}:${left}:${top}:black`,
  ];
  return [
    ...['-hide_banner', '-nostats', '-nostdin', '-loglevel', 'error', '-threads', '1'],
    ...[...options, '-i', from, '-map', '0:v:0', '-vf', filters.join(',')],
    ...['-vsync', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'rgb24', 'pipe:1'],
  ];
}

const unusable = (where: string, why: string, cause: unknown): QuanweiError =>
  new QuanweiError('BAD_PICTURE', `this is no picture, and as a video: ${why}`, { where, cause });

import { QuanweiError } from '../../kernel/errors.ts';

/** Microseconds without a byte after which ffmpeg gives a connection up. */
const SILENCE = 10_000_000;

/** Parameters in which some cameras want their password. */
const SECRET_PARAMETER = /(?<=[?&;](?:user(?:name)?|usr|pass(?:word|wd)?|pwd|token|auth)=)[^&;\s]+/gi;
/** All between `://` and the last `@` before the path: also a password with an unescaped `@` in it. */
const CREDENTIALS = /(?<=[a-z]:\/\/)[^/\s]*(?=@)/gi;

/** `text` without the credentials of any address in it. */
export const redact = (text: string): string => text.replace(CREDENTIALS, '***').replace(SECRET_PARAMETER, '***');

/** Text of an address with its %XX made into signs again. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (thrown) {
    if (thrown instanceof URIError) return text; // a bare % in a password or a name
    throw thrown;
  }
}

/** The path of a video that stands in a camera's place, `/…` or `file:///…`; `null` for a stream. */
export function fileOf(address: string): string | null {
  if (address.startsWith('/')) return address;
  return address.startsWith('file:') && URL.canParse(address) ? decoded(new URL(address).pathname) : null;
}

/** What ffmpeg and ffprobe are given to read: arguments that anybody on this box may see, and standard input. */
export interface Input {
  readonly options: readonly string[];
  readonly from: string;
  readonly stdin?: string;
}

/** Streams of the network that ffmpeg may open, and what these stand on. */
const PROTOCOLS = 'pipe,rtsp,rtsps,rtp,udp,tcp,tls,crypto';

/**
 * An RTSP address as an input. The address goes to the program through standard input, as a list of one entry
 * (ffmpeg's concat demuxer), because a command line can be read by every user of the box, and the password is in it.
 */
export function rtspInput(url: string, transport: 'tcp' | 'udp'): Input {
  if (!/^rtsps?:\/\/[^\s'\\]+$/.test(url)) {
    throw new QuanweiError('BAD_CONFIG', 'the address of a stream begins with rtsp:// and has no space, quote or \\', {
      where: redact(url),
      hint: 'write special characters of the password as %XX',
    });
  }
  const script = [
    'ffconcat version 1.0',
    `file '${url}'`,
    `option rtsp_transport ${transport}`,
    `option timeout ${SILENCE}`,
    // Not `nobuffer`: it throws the first key frame away, and the next one is seconds off.
    'option fflags discardcorrupt',
    'option fpsprobesize 0',
    '',
  ];
  return {
    options: ['-f', 'concat', '-safe', '0', '-protocol_whitelist', PROTOCOLS, '-fpsprobesize', '0'],
    from: 'pipe:0',
    stdin: script.join('\n'),
  };
}

/**
 * Containers of footage, by ffmpeg's names. Playlists are none of them: a file that somebody sends could name other files
 * of this box, and their pictures or letters would come out as footage.
 */
const CONTAINERS = 'mov,matroska,avi,mpegts,mpeg,flv,asf,h264,hevc,mjpeg,nut,ivf,dhav';

/** A file as an input. Its name cannot be taken for an option or another protocol, nor what is in it for a list of files. */
export const fileInput = (path: string): Input => ({
  options: ['-protocol_whitelist', 'file', '-format_whitelist', CONTAINERS],
  from: `file:${path}`,
});

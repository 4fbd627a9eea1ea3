import type { Clock } from '../../kernel/clock.ts';
import { messageOf } from '../../kernel/errors.ts';
import { fileInput, fileOf, type Input, redact, rtspInput } from '../capture/address.ts';
import { unlessEnded } from '../capture/ended.ts';
import { Program, type Spawn } from '../capture/program.ts';
import { reasonOf } from '../capture/reason.ts';
import type { OpenFeed } from './live-stream.ts';

/** Microseconds a fragment covers at most: the delay a viewer sees. */
const FRAGMENT = 400_000;

/** @param address `rtsp://…`, `file:///…` or a path */
function inputOf(address: string, transport: 'tcp' | 'udp'): Input {
  const path = fileOf(address);
  if (path === null) return rtspInput(address, transport);
  const { options, from } = fileInput(path);
  return { options: ['-re', '-stream_loop', '-1', ...options], from };
}

/** A stream as fragmented MP4, copied: nothing is decoded (ISO/IEC 14496-12; Media Source Extensions, ISO BMFF format). */
const argumentsOf = ({ options, from }: Input): string[] => [
  ...['-hide_banner', '-nostats', '-loglevel', 'error'],
  ...[...options, '-i', from],
  ...['-map', '0:v:0', '-c', 'copy', '-f', 'mp4'],
  ...['-movflags', '+frag_keyframe+empty_moov+default_base_moof', '-frag_duration', String(FRAGMENT)],
  ...['-flush_packets', '1', 'pipe:1'],
];

/** Copies a camera’s stream for those who look, in a program of its own. @param address asked for at each opening */
export function liveFeed(
  address: () => Promise<string>,
  transport: 'tcp' | 'udp',
  parts: { readonly clock: Clock; readonly spawn?: Spawn | undefined },
): OpenFeed {
  return ({ data, end }) => {
    const ending = new AbortController();
    const run = async (): Promise<Program | null> => {
      const input = inputOf(await unlessEnded(address(), ending.signal), transport);
      if (ending.signal.aborted) return null;
      const program = new Program('ffmpeg', argumentsOf(input), {
        ...parts,
        pipes: 1,
        ...(input.stdin === undefined ? {} : { stdin: input.stdin }),
      });
      program.pipes[0]?.on('data', data);
      void program.gone.then(({ said }) => end(reasonOf(said)));
      return program;
    };
    const program = run().catch((thrown: unknown) => {
      end(redact(messageOf(thrown)));
      return null;
    });
    return {
      stop: async () => {
        ending.abort();
        await (await program)?.end();
      },
    };
  };
}

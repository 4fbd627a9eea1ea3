import { spawn } from 'node:child_process';
import { messageOf, QuanweiError } from '../kernel/errors.ts';

/** Bitmaps without compression, which old data sets and some door terminals have and sharp does not read. */
const DECODERS = { bmp: 'bmp_pipe', pgm: 'pgm_pipe', ppm: 'ppm_pipe' } as const;
export type Bitmap = keyof typeof DECODERS;

/** By the first bytes. */
export function bitmapOf(bytes: Uint8Array): Bitmap | null {
  const mark = Buffer.from(bytes.subarray(0, 3)).toString('latin1');
  if (mark.startsWith('BM')) return 'bmp';
  if (/^P5\s/.test(mark)) return 'pgm';
  return /^P6\s/.test(mark) ? 'ppm' : null;
}

/**
 * The same picture as PNG, made by ffmpeg.
 * @param most pixels @param seconds that it may take
 * @throws QuanweiError BAD_PICTURE
 */
export async function bitmapAsPng(bytes: Uint8Array, format: Bitmap, most: number, seconds: number): Promise<Buffer> {
  const args = ['-v', 'error', '-xerror', '-max_pixels', `${most}`, '-f', DECODERS[format], '-i', 'pipe:0'];
  const child = spawn('ffmpeg', [...args, '-frames:v', '1', '-f', 'image2pipe', '-c:v', 'png', 'pipe:1'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: seconds * 1_000,
    killSignal: 'SIGKILL',
  });
  const chunks: Buffer[] = [];
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-400);
  });
  child.stdin.on('error', () => undefined); // EPIPE when it refuses early: its end tells why
  child.stdin.end(bytes);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (thrown) =>
      reject(new QuanweiError('BAD_PICTURE', `ffmpeg cannot be run: ${messageOf(thrown)}`)),
    );
    child.once('close', resolve);
  });
  if (code !== 0 || chunks.length === 0) {
    throw new QuanweiError('BAD_PICTURE', `the ${format} cannot be read`, { cause: said });
  }
  return Buffer.concat(chunks);
}

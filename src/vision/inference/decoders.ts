import { QuanweiError } from '../../kernel/errors.ts';
import type { AnyDecoder } from '../decoders/decoder.ts';

/**
 * The decoder in `src/vision/decoders/NAME.ts`; the bundler scans the directory, so that a new file is all it takes.
 * @throws QuanweiError BAD_MODEL when there is no such decoder
 */
export async function loadDecoder(name: string): Promise<AnyDecoder> {
  const { decoder } = await decoderFile(name);
  // The contract lies in the same directory and is none.
  if (decoder === undefined) throw unknown(name);
  return decoder;
}

async function decoderFile(name: string): Promise<{ decoder?: AnyDecoder }> {
  if (!/^[a-z0-9-]+$/.test(name)) throw unknown(name);
  try {
    return await import(`../decoders/${name}.ts`);
  } catch (thrown) {
    throw unknown(name, thrown);
  }
}

const unknown = (name: string, cause?: unknown): QuanweiError =>
  new QuanweiError('BAD_MODEL', `there is no decoder \`${name}\``, {
    hint: '`decoder` in the model’s entry names a file in src/vision/decoders',
    cause,
  });

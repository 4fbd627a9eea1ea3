import { readdirSync } from 'node:fs';
import { QuanweiError } from '../../kernel/errors.ts';
import type { AnyDecoder } from '../decoders/decoder.ts';

const DIRECTORY = new URL('../decoders/', import.meta.url);
/** The contract itself. */
const NOT_ONE = 'decoder';

/** Names of every decoder there is. */
export function decoderNames(): string[] {
  return readdirSync(DIRECTORY)
    .flatMap((file) => /^([\w-]+)\.(?:js|ts)$/.exec(file)?.[1] ?? [])
    .filter((name) => name !== NOT_ONE)
    .sort();
}

/** @throws QuanweiError BAD_MODEL when there is no such decoder */
export async function loadDecoder(name: string): Promise<AnyDecoder> {
  if (!decoderNames().includes(name)) {
    throw new QuanweiError('BAD_MODEL', `there is no decoder \`${name}\``, {
      hint: `there are: ${decoderNames().join(', ')}`,
    });
  }
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const { decoder } = (await import(new URL(`${name}.${extension}`, DIRECTORY).href)) as { decoder: AnyDecoder };
  return decoder;
}

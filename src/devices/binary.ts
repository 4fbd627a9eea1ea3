import type { CompiledMessage } from './compile.ts';

const MAX_BYTES = 512;

/**
 * Type–value records of a LoRaWAN payload (`FF 2E 01`), by the profile's list of prefixes. Reading stops at the first
 * prefix it does not know: what follows cannot be told apart any more.
 */
export function readBinary(
  value: unknown,
  spec: NonNullable<CompiledMessage['binary']>,
): Record<string, string | number> {
  const fields: Record<string, string | number> = {};
  if (typeof value !== 'string' || value.length > MAX_BYTES * 2) return fields;
  const hex = Buffer.from(value, spec.encoding).toString('hex');
  let at = 0;
  while (at < hex.length) {
    const record = spec.records.find(({ prefix }) => hex.startsWith(prefix, at));
    if (record === undefined) break;
    const start = at + record.prefix.length;
    const end = start + record.length * 2;
    if (end > hex.length) break;
    if (record.name !== undefined) fields[record.name] = readValue(hex.slice(start, end), record.type);
    at = end;
  }
  return fields;
}

function readValue(hex: string, type: 'uint' | 'int' | 'uint-le' | 'hex'): string | number {
  if (type === 'hex' || hex === '' || hex.length > 12) return hex;
  const bytes = Buffer.from(hex, 'hex');
  if (type === 'uint-le') return bytes.readUIntLE(0, bytes.length);
  return type === 'int' ? bytes.readIntBE(0, bytes.length) : bytes.readUIntBE(0, bytes.length);
}

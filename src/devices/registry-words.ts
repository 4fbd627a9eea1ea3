import type { z } from 'zod';
import type { Draft, EntryKind } from '../journal/entry.ts';
import { QuanweiError } from '../kernel/errors.ts';

/** An entry about a device, for the centre in its own time. */
export const audit = (kind: EntryKind, actor: string, id: string, body: Record<string, unknown>): Draft => ({
  kind,
  actor,
  subject: id,
  lane: 2,
  body,
});

/** @throws QuanweiError BAD_REQUEST with the field */
export function parse<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new QuanweiError('BAD_REQUEST', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'wrong form'}`);
}

/** Everything that is wrong with devices, told at once: whoever mends a file wants the whole list. */
export function badDevices(wrong: readonly { where: string; what: string; hint: string }[]): QuanweiError {
  const [only] = wrong;
  if (only !== undefined && wrong.length === 1) return new QuanweiError('BAD_CONFIG', only.what, only);
  const lines = wrong.slice(0, 20).map(({ where, what, hint }) => `\n  ${where}: ${what} — ${hint}`);
  return new QuanweiError('BAD_CONFIG', `${wrong.length} devices do not fit:${lines.join('')}`, { where: 'devices' });
}

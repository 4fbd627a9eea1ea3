import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { Draft, EntryKind } from '../../src/journal/entry.ts';
import { Journal, type JournalOptions } from '../../src/journal/journal.ts';
import { JournalReader } from '../../src/journal/reader.ts';
import { type Verification, verifyChain } from '../../src/journal/verify.ts';
import { type Clock, SimulatedClock } from '../../src/kernel/clock.ts';
import { idSource } from '../../src/kernel/ids.ts';
import { createLog } from '../../src/kernel/log.ts';

export const quiet = createLog('test', 'silent');

export const FIXTURES = fileURLToPath(new URL('./fixtures', import.meta.url));

/** A clock of a new process start. */
export const newStart = (wall = Date.UTC(2026, 5, 1, 4)): SimulatedClock => new SimulatedClock(wall, randomUUID());

/** Opens a journal that is closed when the test ends. */
export async function open(
  dir: string,
  clock: Clock = newStart(),
  more: Pick<JournalOptions, 'writerThread' | 'turn'> = {},
): Promise<Journal> {
  const journal = await Journal.open({ dir, clock, log: quiet, newId: idSource(clock), ...more });
  onTestFinished(() => journal.close());
  if (more.turn === undefined) await journal.recalling;
  return journal;
}

export const draft = (more: Partial<Draft> = {}): Draft => ({
  kind: 'message' satisfies EntryKind,
  actor: 'device:door-1',
  subject: 'door-1',
  body: { said: 'hello' },
  ...more,
});

export function verified(dir: string): Verification {
  const reader = JournalReader.open(dir);
  try {
    return verifyChain(reader.database);
  } finally {
    reader.close();
  }
}

/** Waits in real time for something another thread or process does. */
export async function until(holds: () => boolean, what: string, ms = 20_000): Promise<void> {
  const begun = performance.now();
  while (!holds()) {
    if (performance.now() - begun > ms) throw new Error(`never came: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

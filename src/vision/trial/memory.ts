import { closeSync, openSync, readSync } from 'node:fs';
import { freemem } from 'node:os';
import { join } from 'node:path';

/** Files of a control group (cgroup-v2: memory.high, memory.max, memory.current, memory.stat), as the kernel writes them. */
export interface MemoryGroup {
  readonly high: string;
  readonly max: string;
  readonly current: string;
  readonly stat: string;
}

/**
 * Bytes that a control group may still take before something of its own has to go. What the kernel keeps of files in it
 * goes first and hurts nobody; it counts as taken, and after hours of evidence being written all that is left is that.
 * @returns `null` without a limit, or when the files say something else than expected
 */
export function leftIn({ high, max, current, stat }: MemoryGroup): number | null {
  const limit = Math.min(
    ...[high, max].map((text) => (text.trim() === 'max' ? Number.POSITIVE_INFINITY : bytes(text))),
  );
  const files = ['inactive_file', 'active_file'].map((name) =>
    bytes(new RegExp(`^${name} (\\d+)$`, 'm').exec(stat)?.[1] ?? ''),
  );
  const left = files.reduce((sum, of) => sum + of, limit - bytes(current));
  return Number.isFinite(left) ? Math.max(0, left) : null;
}

const bytes = (text: string): number => (/^\d{1,20}$/.test(text.trim()) ? Number(text) : Number.NaN);

/** Bytes that this process may take before something has to go: of the box, and of the group a limit is set for. */
export function freeMemory(): number {
  const left = groupLeft();
  return left === null ? process.availableMemory() : Math.min(left, freemem());
}

/** More than any of these files is long. */
const LONGEST = 64 * 1024;

function groupLeft(): number | null {
  try {
    const [, group] = /^0::(\/.*)$/m.exec(start('/proc/self/cgroup')) ?? [];
    if (group === undefined) return null;
    const of = (name: string) => start(join('/sys/fs/cgroup', group, `memory.${name}`));
    return leftIn({ high: of('high'), max: of('max'), current: of('current'), stat: of('stat') });
  } catch {
    // No control groups here, or those of the first version.
    return null;
  }
}

function start(file: string): string {
  const handle = openSync(file, 'r');
  try {
    const buffer = Buffer.alloc(LONGEST);
    return buffer.toString('latin1', 0, readSync(handle, buffer));
  } finally {
    closeSync(handle);
  }
}

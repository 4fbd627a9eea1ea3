import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/** Calls by which something on the disk changes or is made to stay; opening for reading alone is none. */
const STEPS = ['writeFileSync', 'writeSync', 'fsyncSync', 'renameSync', 'linkSync', 'rmSync', 'unlinkSync'] as const;

/**
 * Runs `before` ahead of every step on the disk that this process takes, with its number from 1 and its name; what that
 * throws is what the step says. Files are named by path, handles by the path they were opened with.
 * @returns puts everything back
 */
export function watchDiskSteps(before: (n: number, name: string, file: string) => void): () => void {
  const writable = fs as unknown as Record<string, (...args: never[]) => unknown>;
  const kept = new Map<string, (...args: never[]) => unknown>();
  const opened = new Map<number, string>();
  let steps = 0;
  const replace = (name: string, make: (real: (...args: never[]) => unknown) => (...args: unknown[]) => unknown) => {
    const real = writable[name] as (...args: never[]) => unknown;
    kept.set(name, real);
    writable[name] = make(real);
  };
  replace('openSync', (real) => (...args) => {
    const handle = real(...(args as never[])) as number;
    opened.set(handle, String(args[0]));
    return handle;
  });
  for (const name of STEPS) {
    replace(name, (real) => (...args) => {
      const [first] = args;
      steps += 1;
      before(steps, name, typeof first === 'number' ? (opened.get(first) ?? '') : String(first));
      return real(...(args as never[]));
    });
  }
  syncBuiltinESMExports();
  return () => {
    for (const [name, real] of kept) writable[name] = real;
    syncBuiltinESMExports();
  };
}

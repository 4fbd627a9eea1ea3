import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const PRIORITY = fileURLToPath(new URL('../../src/kernel/priority.ts', import.meta.url));

/** A program that comes last and tells the niceness of its threads and of its session. */
const program = `
  import { readdirSync, readFileSync } from 'node:fs';
  import { getPriority } from 'node:os';
  import { comeLast } from ${JSON.stringify(PRIORITY)};
  comeLast();
  const threads = readdirSync('/proc/self/task').map((thread) => getPriority(Number(thread)));
  console.log(JSON.stringify({ threads, session: readFileSync('/proc/self/autogroup', 'utf8') }));
`;

async function told(detached: boolean): Promise<{ threads: number[]; session: string }> {
  const args = ['--import', 'tsx', '--input-type=module', '-e', program];
  const child = spawn(process.execPath, args, { detached, stdio: ['ignore', 'pipe', 'inherit'] });
  return JSON.parse(await text(child.stdout));
}

// Linux without autogroups has nothing to tell of sessions.
test.skipIf(!existsSync('/proc/self/autogroup'))(
  'a program that comes last takes its threads along, and its session only when that is its own',
  async () => {
    const [own, shared] = await Promise.all([told(true), told(false)]);
    for (const { threads } of [own, shared]) {
      expect(threads.length).toBeGreaterThan(1);
      expect(Math.min(...threads)).toBeGreaterThanOrEqual(10);
    }
    expect(own.session).toMatch(/nice 19$/m);
    expect(shared.session).not.toMatch(/nice 19$/m);
  },
);

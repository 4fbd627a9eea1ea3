import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QuanweiError } from '../kernel/errors.ts';
import { sessionGivesWay } from '../kernel/priority.ts';

/** It reads the journal and packs; an alarm has the loop to itself meanwhile, so it is a process of its own. */
const PATIENCE_MS = 120_000;
/** A box that runs out of memory over a support bundle watches over nobody. MiB of its heap. */
const HEAP = ['--max-old-space-size=192', '--max-semi-space-size=2'];
/** Niceness of its session. */
const NICE = 10;
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * Has `quanwei support-bundle` make the file that whoever helps is given.
 * @param program this program's own script, as `process.argv[1]`
 * @param place as on the command line: `--config FILE --data DIR`
 * @returns the tar.gz
 * @throws QuanweiError STORAGE_UNAVAILABLE when it was not made, CONFLICT while another one is being made
 */
export function supportMaker(program: string, place: readonly string[]): () => Promise<Buffer> {
  let busy = false;
  return async () => {
    if (busy) throw new QuanweiError('CONFLICT', '正在生成支持包 · a support bundle is being made');
    busy = true;
    const dir = mkdtempSync(join(tmpdir(), 'quanwei-support-'));
    try {
      const file = join(dir, 'support.tar.gz');
      const child = spawn(process.execPath, [...HEAP, program, 'support-bundle', ...place, '--out', file], {
        stdio: ['ignore', 'ignore', 'pipe'],
        timeout: PATIENCE_MS,
        killSignal: 'SIGKILL',
        // A session of its own, so that it can be put behind ours without a call that the unit's filter forbids.
        detached: true,
      });
      if (child.pid !== undefined) sessionGivesWay(child.pid, NICE);
      let said = '';
      child.stderr.on('data', (chunk: Buffer) => {
        said = (said + chunk.toString()).slice(-500);
      });
      const [code] = (await once(child, 'close')) as [number | null];
      if (code !== 0 || statSync(file).size > MOST_BYTES) {
        throw new QuanweiError(
          'STORAGE_UNAVAILABLE',
          `支持包没有生成 · the support bundle was not made: ${said.trim()}`,
          {
            hint: 'sudo quanwei support-bundle',
          },
        );
      }
      return readFileSync(file);
    } finally {
      rmSync(dir, { recursive: true, force: true });
      busy = false;
    }
  };
}

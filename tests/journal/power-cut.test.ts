import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { contentKey } from '../../src/journal/journal.ts';
import { dataDir } from '../support/data-dir.ts';
import { program } from '../support/programs.ts';
import { open, verified } from './support.ts';

const CUTS = 50;
const APPENDER = program('journal/fixtures/appender');

/** Lets a process append, ends it with SIGKILL at a random moment, gives the lines it had printed by then. */
async function appendUntilCut(dir: string, prefix: string): Promise<string[]> {
  const child = spawn(process.execPath, [APPENDER, dir, prefix], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => {
    // From the first word on: some cuts fall into the opening and the first commits, some far behind.
    if (chunks.length === 0) setTimeout(() => child.kill('SIGKILL'), Math.random() ** 2 * 120);
    chunks.push(chunk);
  });
  await once(child, 'close');
  const lines = Buffer.concat(chunks).toString('utf8').split('\n');
  lines.pop(); // cut in the middle of a line: not known to be acknowledged
  return lines.slice(1);
}

test(`what was acknowledged is there after kill -9 at ${CUTS} random moments, once each, and the chain verifies`, {
  timeout: 180_000,
}, async () => {
  const dir = dataDir();
  const acknowledged: string[] = [];
  for (let cut = 0; cut < CUTS; cut += 1) {
    acknowledged.push(...(await appendUntilCut(dir, `cut-${cut}`)));
  }
  expect(acknowledged.length).toBeGreaterThan(CUTS);

  const journal = await open(dir);
  expect(journal.opened).toMatchObject({ setAside: null, unclean: true });
  const stored = journal.read({ limit: Number.MAX_SAFE_INTEGER });
  const bySeq = new Map(stored.map((entry) => [entry.seq, entry]));
  for (const line of acknowledged) {
    const [seq, id, name] = line.split(' ') as [string, string, string];
    expect(bySeq.get(Number(seq))?.id, line).toBe(id);
    expect(journal.seen(contentKey('door', name)), line).toBe(true);
  }
  expect(new Set(stored.map(({ id }) => id)).size).toBe(stored.length);
  // The change of the same transaction counted every entry exactly once: no half commit has survived.
  expect(journal.select('SELECT seq FROM cursors')).toEqual([{ seq: stored.length }]);
  expect(verified(dir)).toMatchObject({ entries: stored.length, broken: null });
});

test('a killed gateway leaves no lock behind', async () => {
  const dir = dataDir();
  const child = spawn(process.execPath, [APPENDER, dir, 'x'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  await expect(open(dir)).rejects.toMatchObject({ code: 'STORAGE_LOCKED' });
  child.kill('SIGKILL');
  await once(child, 'close');
  expect((await open(dir)).opened.unclean).toBe(true);
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { backup, restore } from '../../src/journal/backup.ts';
import { Journal } from '../../src/journal/journal.ts';
import { stagedRestore, stageRestore } from '../../src/journal/restore-request.ts';
import { runStagedRestore } from '../../src/journal/staged-restore.ts';
import { idSource } from '../../src/kernel/ids.ts';
import { MEMORY, memoryDir } from '../support/data-dir.ts';
import { watchDiskSteps } from '../support/disk-steps.ts';
import { program } from '../support/programs.ts';
import { draft, newStart, quiet, verified } from './support.ts';

const OLD = ['in both', 'only in the old one', 'in the log of the old one'];
const NEW = ['in both'];
const RESTORE = program('journal/fixtures/restore');

const root = mkdtempSync(join(MEMORY, 'quanwei-test-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A data directory as a power cut leaves it, the newest entry in the log alone, and a backup made before that. */
let template: string;
let file: string;

beforeAll(async () => {
  const clock = newStart();
  const dir = join(root, 'running');
  template = join(root, 'cut');
  mkdirSync(template);
  const journal = await Journal.open({ dir, clock, log: quiet, newId: idSource(clock) });
  await journal.append([draft({ body: OLD[0] })]);
  file = (await backup({ dir, to: join(root, 'backups'), keep: 3, clock })).file;
  await journal.append([draft({ body: OLD[1] })]);
  await journal.append([draft({ body: OLD[2] })]);
  for (const name of ['quanwei.db', 'quanwei.db-wal']) copyFileSync(join(dir, name), join(template, name));
  await journal.close();
});

/** The same directory once more. */
function copyOf(dir: string): string {
  const copy = memoryDir();
  cpSync(dir, copy, { recursive: true });
  return copy;
}

/** What a journal says, which must be whole; opened as at a start. */
async function told(dir: string): Promise<unknown[]> {
  const clock = newStart();
  const journal = await Journal.open({ dir, clock, log: quiet, newId: idSource(clock) });
  const bodies = journal.read({ kinds: ['message'], limit: 99 }).map(({ body }) => body);
  const { setAside } = journal.opened;
  await journal.close();
  expect(setAside).toBeNull();
  expect(verified(dir)).toMatchObject({ broken: null });
  return bodies;
}

/** What was set aside says, opened in a directory of its own. */
async function toldAside(dir: string): Promise<unknown[]> {
  const alone = memoryDir();
  const names = readdirSync(dir).filter((name) => name.startsWith('quanwei.db.replaced-'));
  for (const name of names) copyFileSync(join(dir, name), join(alone, name.replace(/\.replaced-[^-]+/, '')));
  return told(alone);
}

/** Nothing half done lies about. */
const leftOver = (dir: string): string[] =>
  readdirSync(dir).filter((name) => /restoring|replacing|restore-at-start|\.new$/.test(name));

/** Either journal whole; if the new one, the old one whole beside it. */
async function oneOrTheOther(dir: string): Promise<'old' | 'new'> {
  const bodies = await told(dir);
  if (bodies.length === OLD.length) {
    expect(bodies).toEqual(OLD);
    return 'old';
  }
  expect(bodies).toEqual(NEW);
  expect(await toldAside(dir)).toEqual(OLD);
  return 'new';
}

async function killedAt(dir: string, step: number): Promise<{ killed: boolean; steps: string[] }> {
  const child = spawn(process.execPath, [RESTORE, dir, String(step)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const said: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => said.push(chunk));
  await once(child, 'close');
  return { killed: child.signalCode === 'SIGKILL', steps: Buffer.concat(said).toString().trim().split('\n') };
}

test('kill -9 before each step on the disk leaves the old journal or the new one, whole; the next start finishes it', {
  timeout: 120_000,
}, async () => {
  const found: Record<string, number> = { old: 0, new: 0 };
  // Removing what is not there makes no difference: only what comes before another kind of step is cut.
  const { steps } = await killedAt(staged(), 0);
  expect(steps.filter((step) => step === 'renameSync')).toHaveLength(5); // the count, the copy twice, database and log
  for (const [i, step] of steps.entries()) {
    if (step === 'rmSync' && i + 2 !== steps.length) continue;
    const dir = staged();
    expect(await killedAt(dir, i + 1)).toMatchObject({ killed: true });
    // Whoever takes the wish away and starts finds one of the two.
    const which = await oneOrTheOther(copyOf(dir));
    found[which] = (found[which] ?? 0) + 1;
    // The next start brings about what was asked for, if it was not done with before the last step.
    if (i + 1 === steps.length) expect(stagedRestore(dir)).toBeNull();
    else expect(await runStagedRestore(dir, newStart())).toMatchObject({ why: null, actor: 'user:admin' });
    expect(await told(dir)).toEqual(NEW);
    expect(leftOver(dir)).toEqual([]);
  }
  expect(found['old']).toBeGreaterThan(3);
  expect(found['new']).toBeGreaterThan(3);
});

function staged(begun = 0): string {
  const dir = copyOf(template);
  stageRestore(dir, { file, actor: 'user:admin', at: 0, begun });
  return dir;
}

test('whatever step the disk refuses, the old journal is back, or the new one is whole and the old one beside it', async () => {
  const found: string[] = [];
  for (let at = 1; ; at += 1) {
    const dir = copyOf(template);
    let refused = false;
    const stop = watchDiskSteps((n, name) => {
      if (n !== at) return;
      refused = true;
      throw Object.assign(new Error(`EIO: ${name}`), { code: 'EIO' });
    });
    const outcome = await restore({ file, dir, clock: newStart() }).then(
      () => 'done',
      (thrown: { code?: string }) => thrown.code ?? 'no code',
    );
    stop();
    if (!refused) {
      expect(outcome).toBe('done');
      break;
    }
    expect(outcome).toBe('STORAGE_UNAVAILABLE');
    found.push(await oneOrTheOther(dir));
    expect(leftOver(dir)).toEqual([]);
  }
  expect(found.slice(0, -1)).toEqual(found.slice(0, -1).map(() => 'old'));
  expect(found.length).toBeGreaterThan(8);
});

test('a disk that from some step on refuses everything loses neither journal', async () => {
  for (let from = 1; ; from += 1) {
    const dir = copyOf(template);
    let refused = false;
    const stop = watchDiskSteps((n, name) => {
      if (n < from) return;
      refused = true;
      throw Object.assign(new Error(`EIO: ${name}`), { code: 'EIO' });
    });
    await restore({ file, dir, clock: newStart() }).catch(() => undefined);
    stop();
    if (!refused) break;
    await oneOrTheOther(dir);
    expect(leftOver(dir)).toEqual([]);
  }
});

test('a restore that was cut short twice is given up at the third start, told, and not tried again', async () => {
  const dir = staged();
  for (const n of [1, 2]) {
    // While the copy is made: after the count, before the copy has its name.
    const { steps } = await killedAt(copyOf(dir), 0);
    const [, copied] = steps.flatMap((step, i) => (step === 'renameSync' ? [i + 1] : []));
    expect(await killedAt(dir, copied ?? 0)).toMatchObject({ killed: true });
    expect(stagedRestore(dir)).toMatchObject({ begun: n });
  }
  expect(await runStagedRestore(dir, newStart())).toEqual({
    file,
    actor: 'user:admin',
    at: 0,
    setAside: null,
    why: expect.stringContaining('given up'),
  });
  expect(stagedRestore(dir)).toBeNull();
  expect(existsSync(file)).toBe(true);
  expect(await told(dir)).toEqual(OLD);
  expect(leftOver(dir)).toEqual([]);
});

test('half a copy that was left is cleared away at the next start', async () => {
  const dir = copyOf(template);
  writeFileSync(join(dir, 'quanwei.db.restoring'), 'half');
  expect(await told(dir)).toEqual(OLD);
  expect(leftOver(dir)).toEqual([]);
});

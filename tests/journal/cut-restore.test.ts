import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { backup, restore } from '../../src/journal/backup.ts';
import { Journal } from '../../src/journal/journal.ts';
import { JournalReader } from '../../src/journal/reader.ts';
import { stagedRestore, stageRestore } from '../../src/journal/restore-request.ts';
import { recordRestore, runStagedRestore } from '../../src/journal/staged-restore.ts';
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

/** As a gateway starts: what was asked for, the journal, and what came of it into the journal. */
async function started(dir: string): Promise<void> {
  const clock = newStart();
  const outcome = await runStagedRestore(dir, clock);
  const journal = await Journal.open({ dir, clock, log: quiet, newId: idSource(clock) });
  try {
    if (outcome !== null) await recordRestore(journal, outcome);
  } finally {
    await journal.close();
  }
}

/** What the journal says came of the restore, as often as it says it. */
function outcomes(dir: string): { actor: string; body: Record<string, unknown> }[] {
  const reader = JournalReader.open(dir);
  const entries = reader.read({ kinds: ['system.backup'], limit: 99 });
  reader.close();
  return entries.map(({ actor, body }) => ({ actor, body: body as Record<string, unknown> }));
}

/** Said once, by the journal that is in force, with the old one where it says. */
async function toldOnce(dir: string): Promise<'old' | 'new'> {
  const which = await oneOrTheOther(dir);
  const said = outcomes(dir);
  expect(said).toEqual([
    {
      actor: 'user:admin',
      body: {
        what: which === 'new' ? 'restored' : 'restore failed',
        file,
        asked: 0,
        setAside: which === 'new' ? expect.stringContaining(join(dir, 'quanwei.db.replaced-')) : null,
        why: which === 'new' ? null : expect.any(String),
      },
    },
  ]);
  // Done once: the one aside is the one from before, and no copy of the backup beside it.
  const aside = readdirSync(dir).filter((name) => /^quanwei\.db\.replaced-[^-]+(-\d+)?$/.test(name));
  expect(aside.map((name) => join(dir, name))).toEqual(which === 'new' ? [said[0]?.body['setAside']] : []);
  expect(leftOver(dir)).toEqual([]);
  return which;
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

test('kill -9 before each step on the disk leaves the old journal or the new one, whole; the next start finishes it and tells it once', {
  timeout: 120_000,
}, async () => {
  const found: Record<string, number> = { old: 0, new: 0 };
  const { steps } = await killedAt(staged(), 0);
  // The count, the copy twice, database and log, and what came of it.
  expect(steps.filter((step) => step === 'renameSync')).toHaveLength(6);
  const told = steps.indexOf('record');
  expect(steps.slice(told, told + 2)).toEqual(['record', 'rmSync']);
  for (const [i, step] of steps.entries()) {
    // Removing what is not there makes no difference: only what comes before another kind of step is cut.
    if (step === 'rmSync' && i < told) continue;
    const dir = staged();
    expect(await killedAt(dir, i + 1)).toMatchObject({ killed: true });
    // Whoever takes the wish away and starts finds one of the two.
    const which = await oneOrTheOther(copyOf(dir));
    found[which] = (found[which] ?? 0) + 1;
    // The next start brings about what was asked for, and tells it if it was not told.
    if (existsSync(join(dir, 'quanwei.db'))) expect(outcomes(dir)).toHaveLength(i > told ? 1 : 0);
    await started(dir);
    expect(await toldOnce(dir), `${i} ${step}`).toBe('new');
  }
  expect(found['old']).toBeGreaterThan(3);
  expect(found['new']).toBeGreaterThan(3);
});

test('whichever step the disk refuses, once or from then on, what is told is what is in force', {
  timeout: 120_000,
}, async () => {
  const found = new Set<string>();
  for (const lasting of [false, true]) {
    for (let at = 1; ; at += 1) {
      const dir = staged();
      let refused = false;
      const stop = watchDiskSteps((n, name) => {
        if (lasting ? n < at : n !== at) return;
        refused = true;
        throw Object.assign(new Error(`EIO: ${name}`), { code: 'EIO' });
      });
      const first = await started(dir).then(
        () => 'started',
        () => 'not started',
      );
      stop();
      // Nothing is told while a copy lies ready that the next start would put in place.
      if (!lasting || first !== 'started') await started(dir);
      found.add(`${first} ${await toldOnce(dir)}`);
      if (!refused) break;
    }
  }
  expect([...found].sort()).toEqual(['not started new', 'started new', 'started old']);
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
  await started(dir);
  expect(await toldOnce(dir)).toBe('old');
  expect(outcomes(dir)[0]?.body['why']).toContain('given up');
  expect(existsSync(file)).toBe(true);
});

test('half a copy that was left is cleared away at the next start', async () => {
  const dir = copyOf(template);
  writeFileSync(join(dir, 'quanwei.db.restoring'), 'half');
  expect(await told(dir)).toEqual(OLD);
  expect(leftOver(dir)).toEqual([]);
});

test('where there is no journal, a restore that fails leaves the mark that one is missing', async () => {
  const broken = join(memoryDir(), 'broken.db');
  const bytes = readFileSync(file);
  writeFileSync(broken, bytes.fill(0x5a, 4_096 * 3, 4_096 * 6));
  const nothing = join(memoryDir(), 'nothing.db');
  writeFileSync(nothing, 'no database at all');
  for (const bad of [broken, nothing]) {
    const dir = memoryDir();
    writeFileSync(join(dir, 'quanwei.db.restoring'), 'half');
    await expect(restore({ file: bad, dir, clock: newStart() })).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' });
    await expect(told(dir)).rejects.toMatchObject({ hint: expect.stringContaining('restore') });
    expect((await restore({ file, dir, clock: newStart() })).setAside).toBeNull();
    expect(await told(dir)).toEqual(NEW);
    expect(leftOver(dir)).toEqual([]);
  }
});

test('where there is no journal, no step that the disk refuses makes the box look like a new one', async () => {
  for (let at = 1; ; at += 1) {
    const dir = memoryDir();
    writeFileSync(join(dir, 'quanwei.db.restoring'), 'half');
    let refused = false;
    const stop = watchDiskSteps((n, name) => {
      if (n !== at) return;
      refused = true;
      throw Object.assign(new Error(`EIO: ${name}`), { code: 'EIO' });
    });
    await restore({ file, dir, clock: newStart() }).catch(() => undefined);
    stop();
    if (existsSync(join(dir, 'quanwei.db'))) expect(await told(dir)).toEqual(NEW);
    else await expect(told(dir)).rejects.toMatchObject({ hint: expect.stringContaining('restore') });
    if (!refused) break;
  }
});

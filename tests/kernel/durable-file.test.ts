import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { writeDurably } from '../../src/kernel/durable-file.ts';
import { dataDir } from '../support/data-dir.ts';
import { watchDiskSteps } from '../support/disk-steps.ts';

test('the text is on the disk before its name is, and the name before it is told', () => {
  const dir = dataDir();
  const steps: string[] = [];
  const stop = watchDiskSteps((_n, name, file) => steps.push(`${name} ${basename(file)}`));
  writeDurably(join(dir, 'keys', 'secret'), 'text', 0o600);
  stop();
  expect(steps).toEqual([
    `fsyncSync ${basename(dir)}`, // `keys` is new in it
    'rmSync secret.new',
    'writeFileSync secret.new',
    'fsyncSync secret.new',
    'renameSync secret.new',
    'fsyncSync keys',
  ]);
  expect(readFileSync(join(dir, 'keys', 'secret'), 'utf8')).toBe('text');
  expect(statSync(join(dir, 'keys', 'secret')).mode & 0o777).toBe(0o600);
  expect(statSync(join(dir, 'keys')).mode & 0o777).toBe(0o700);
});

test('whatever step the disk refuses, the file has its old text or its new one, and nothing lies beside it', () => {
  const failed: string[] = [];
  for (let at = 1; ; at += 1) {
    const dir = dataDir();
    const file = join(dir, 'list');
    writeFileSync(file, 'old');
    const stop = watchDiskSteps((n, name) => {
      if (n === at) throw Object.assign(new Error(`EIO: ${name}`), { code: 'EIO' });
    });
    let refused = false;
    try {
      writeDurably(file, 'new', 0o600);
    } catch (thrown) {
      refused = true;
      failed.push((thrown as Error).message);
    }
    stop();
    expect(readdirSync(dir)).toEqual(['list']);
    // Only the last step, once the name is given, may fail with the new text in place.
    const told = readFileSync(file, 'utf8');
    if (!refused) {
      expect(told).toBe('new');
      break;
    }
    expect(told).toBe(failed.length === 5 ? 'new' : 'old');
  }
  expect(failed.map((one) => one.slice(5))).toEqual([
    'rmSync',
    'writeFileSync',
    'fsyncSync',
    'renameSync',
    'fsyncSync',
  ]);
});

test('what a power cut left half written is not taken for the text, nor its mode', () => {
  const dir = dataDir();
  writeFileSync(join(dir, 'list.new'), 'half', { mode: 0o644 });
  writeDurably(join(dir, 'list'), 'whole', 0o600);
  expect(readFileSync(join(dir, 'list'), 'utf8')).toBe('whole');
  expect(statSync(join(dir, 'list')).mode & 0o777).toBe(0o600);
  expect(readdirSync(dir)).toEqual(['list']);
});

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { SimulatedClock } from '../../../src/kernel/clock.ts';
import { idSource } from '../../../src/kernel/ids.ts';
import { Uploads } from '../../../src/vision/trial/uploads.ts';
import { dataDir } from '../../support/data-dir.ts';

function uploads() {
  const clock = new SimulatedClock();
  const directory = join(dataDir(), 'trial');
  const used: string[] = [];
  const it = new Uploads({
    ...{ directory, clock, newId: idSource(clock), minFree: 0 },
    inUse: (file) => used.includes(file),
  });
  onTestFinished(() => it.close());
  const send = (text: string) => it.take({ upload: null, offset: 0, total: text.length }, Readable.from([text]));
  return { it, directory, used, send };
}

test('footage something is being tried on is not replaced by the next one', async () => {
  const { it, used, send } = uploads();
  const first = await send('abc');
  const file = it.path(first.upload);
  used.push(file);
  await expect(send('defg')).rejects.toMatchObject({ code: 'TOO_MANY' });
  expect([it.path(first.upload), readFileSync(file, 'utf8')]).toEqual([file, 'abc']);
  used.pop();
  const second = await send('defg');
  expect(readFileSync(it.path(second.upload), 'utf8')).toBe('defg');
  expect(existsSync(file)).toBe(false);
});

test('a disk that fails at the beginning leaves the place free for the next one', async () => {
  const { it, directory, send } = uploads();
  writeFileSync(directory, 'no directory');
  await expect(send('abc')).rejects.toThrow();
  rmSync(directory);
  const { upload } = await send('abc');
  expect(readFileSync(it.path(upload), 'utf8')).toBe('abc');
});

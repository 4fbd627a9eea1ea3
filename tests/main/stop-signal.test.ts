import { fork } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { program } from '../support/programs.ts';

test('whose starter is gone before it listens ends as one that is told to', async () => {
  const orphan = fork(program('main/fixtures/orphan'), { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  let said = '';
  orphan.stdout?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const [code] = await once(orphan, 'close');
  expect([code, said.trim()]).toEqual([0, 'SIGTERM']);
});

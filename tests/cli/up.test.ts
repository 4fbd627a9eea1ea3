import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { dataDir } from '../support/data-dir.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { freePort } from '../support/ports.ts';

const CLI = fileURLToPath(new URL('../../dist/main/cli.js', import.meta.url));

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
const commandOf = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
const lives = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** `up` with a camera, and the process that watches it. */
async function watching() {
  const { config } = await GatewayProcess.prepare(dataDir(), {
    cameras: [{ id: 'cam-away', url: '/no/such/film.mp4' }],
    vision: { listen: `http://127.0.0.1:${await freePort()}` },
  });
  const child = spawn(process.execPath, [CLI, 'up', '--config', config], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    said += chunk;
    if (said.includes('Ctrl-C')) break;
  }
  const vision = childrenOf(child.pid ?? 0).find((pid) => commandOf(pid).includes(' vision '));
  if (vision === undefined) throw new Error('nobody watches the camera');
  return { child, vision, gone: once(child, 'exit') };
}

test('`up` runs the cameras beside the gateway, and leaves nothing behind', async () => {
  const { child, vision, gone } = await watching();
  child.kill('SIGTERM');
  expect((await gone)[0]).toBe(0);
  expect(lives(vision)).toBe(false);
});

test('killed outright, `up` takes along what watches its cameras, as a demo does', async () => {
  const { child, vision, gone } = await watching();
  child.kill('SIGKILL');
  await gone;
  await vi.waitFor(() => expect(lives(vision)).toBe(false), { timeout: 20_000 });
});

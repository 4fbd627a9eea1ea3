import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../support/ports.ts';

/** Something that listens on a loopback port and can be ended. */
export interface Peer {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

export const installed = (program: string): boolean => spawnSync('which', [program]).status === 0;

async function listening(port: number, child: ChildProcess, what: string): Promise<void> {
  for (let tries = 0; tries < 1_500; tries += 1) {
    if (child.exitCode !== null) throw new Error(`${what} ended with ${child.exitCode}`);
    const up = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (up) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${what} does not listen on ${port}`);
}

async function run(command: string, args: string[], port: number, dir: string | null): Promise<Peer> {
  const child = spawn(command, args, { stdio: 'ignore' });
  try {
    await listening(port, child, command);
  } catch (thrown) {
    child.kill('SIGKILL');
    throw thrown;
  }
  return {
    port,
    pid: child.pid ?? 0,
    async stop() {
      if (child.exitCode === null) {
        const gone = once(child, 'exit');
        child.kill('SIGTERM');
        await gone;
      }
      if (dir !== null) rmSync(dir, { recursive: true, force: true });
    },
  };
}

/**
 * Mosquitto in memory (no persistence: what it does by default), anonymous, on loopback.
 * @param bridgeTo port of another broker that gets everything published here, at QoS 1
 */
export async function mosquitto(bridgeTo?: number): Promise<Peer> {
  const dir = mkdtempSync(join(tmpdir(), 'quanwei-bench-'));
  const port = await freePort();
  const lines = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'persistence false',
    'max_queued_messages 0',
    'max_inflight_messages 0',
    'set_tcp_nodelay true',
    'log_type error',
  ];
  if (bridgeTo !== undefined) {
    lines.push(
      'connection centre',
      `address 127.0.0.1:${bridgeTo}`,
      'topic # out 1',
      'cleansession false',
      'try_private true',
    );
  }
  writeFileSync(join(dir, 'mosquitto.conf'), `${lines.join('\n')}\n`);
  return run('mosquitto', ['-c', join(dir, 'mosquitto.conf')], port, dir);
}

/** A bare aedes: the same broker library with no store and nothing behind it. */
export async function bareAedes(): Promise<Peer> {
  const port = await freePort();
  return run(process.execPath, [fileURLToPath(new URL('./bare-aedes.mjs', import.meta.url)), String(port)], port, null);
}

/**
 * The least that keeps what it acknowledges: what remains of a gateway without anything a gateway does.
 * @param forwardTo port of the broker that gets every message, once it is stored
 */
export async function leastDurable(forwardTo?: number): Promise<Peer> {
  const dir = mkdtempSync(join(tmpdir(), 'quanwei-bench-'));
  const port = await freePort();
  const program = fileURLToPath(new URL('./least-durable.mjs', import.meta.url));
  const args = [
    program,
    String(port),
    join(dir, 'messages.db'),
    ...(forwardTo === undefined ? [] : [String(forwardTo)]),
  ];
  return run(process.execPath, args, port, dir);
}

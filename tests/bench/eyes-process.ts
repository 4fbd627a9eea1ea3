import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { z } from 'zod';
import type { DeviceList } from '../../src/api/routes/devices.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';

const CLI = fileURLToPath(new URL('../../dist/main/cli.js', import.meta.url));
const PATIENCE_MS = 60_000;

/** What the unit's `CPUWeight=idle` does to its group, `sched(7)` knows for a process too. */
export const IDLY = ['chrt', '--idle', '0'] as const;

/** The vision process as it is shipped; whatever it was replaced by meanwhile is ended as well. */
export class Eyes {
  readonly #ours: GatewayProcess;
  readonly #cameras: number;
  #child: ChildProcess | null = null;

  constructor(ours: GatewayProcess, cameras: number) {
    this.#ours = ours;
    this.#cameras = cameras;
  }

  start(): void {
    const { config, env } = this.#ours;
    const [command, ...how] = IDLY;
    this.#child = spawn(command, [...how, process.execPath, CLI, 'vision', '--config', config], {
      env: { ...env, QUANWEI_LOG: 'error' },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }

  /** Its cameras are on line: it decodes and analyses, and is past its beginnings. */
  async atWork(): Promise<void> {
    this.start();
    let online = 0;
    for (const end = performance.now() + PATIENCE_MS; performance.now() < end; ) {
      const { devices } = (await this.#ours.api('/api/devices')) as z.output<typeof DeviceList>;
      online = devices.filter(({ id, state }) => id.startsWith('cam-') && state.online === true).length;
      if (online === this.#cameras) return;
      if (this.#child?.exitCode !== null) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const ended = this.#child?.exitCode ?? null;
    const why = ended === null ? `within ${PATIENCE_MS / 1_000} s` : `and ended with ${ended}`;
    throw new Error(`${online} of ${this.#cameras} cameras of the vision process came on line ${why}`);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  async end(): Promise<void> {
    if (this.#child !== null) await gone(this.#child);
  }
}

export async function gone(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

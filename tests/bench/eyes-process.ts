import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { z } from 'zod';
import type { DeviceList } from '../../src/api/routes/devices.ts';
import type { GatewayProcess } from '../support/gateway-process.ts';

const CLI = fileURLToPath(new URL('../../dist/main/cli.js', import.meta.url));
const PATIENCE_MS = 60_000;

/** Where Linux keeps groups of processes that share processor time: one hierarchy for everything, or one of its own. */
const HIERARCHIES = ['/sys/fs/cgroup', '/sys/fs/cgroup/cpu'];

/**
 * What `CPUWeight=idle` of the unit makes: a group that runs where nobody else wants to.
 *
 * `chrt --idle` is not the same: a process that leads a session of its own may be put into a group of equal weight with
 * everybody else's (`sched_autogroup_enabled`), within which alone it would be idle.
 */
export class IdleGroup {
  readonly #dir: string | null;

  private constructor(dir: string | null) {
    this.#dir = dir;
  }

  static make(): IdleGroup {
    for (const hierarchy of HIERARCHIES) {
      const dir = join(hierarchy, `quanwei-bench-${process.pid}`);
      try {
        mkdirSync(dir);
      } catch {
        continue;
      }
      if (existsSync(join(dir, 'cpu.idle'))) {
        writeFileSync(join(dir, 'cpu.idle'), '1');
        return new IdleGroup(dir);
      }
      rmdirSync(dir);
    }
    console.error('no group with cpu.idle can be made here (that takes root and Linux 5.15): chrt --idle instead');
    return new IdleGroup(null);
  }

  /** Starts Node in it, leading a group of processes of its own, so that what it starts can be signalled with it. */
  node(args: readonly string[], env: NodeJS.ProcessEnv = process.env): ChildProcess {
    const enter = 'echo $$ > "$0/cgroup.procs" && exec "$@"';
    const how = this.#dir === null ? ['chrt', '--idle', '0'] : ['sh', '-c', enter, this.#dir];
    const [command, ...words] = [...how, process.execPath, ...args] as [string, ...string[]];
    return spawn(command, words, {
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
      detached: true,
    });
  }

  /** Everybody in it has ended. */
  async remove(): Promise<void> {
    if (this.#dir === null) return;
    for (let tries = 1; ; tries += 1) {
      try {
        rmdirSync(this.#dir);
        return;
      } catch (thrown) {
        // Those that were killed a moment ago are still there.
        if (tries === 100) throw thrown;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }
}

/** The vision process as it is shipped; whatever it was replaced by meanwhile is ended as well. */
export class Eyes {
  readonly #ours: GatewayProcess;
  readonly #cameras: number;
  readonly #group: IdleGroup;
  #child: ChildProcess | null = null;

  constructor(ours: GatewayProcess, cameras: number, group: IdleGroup) {
    this.#ours = ours;
    this.#cameras = cameras;
    this.#group = group;
  }

  start(): void {
    const { config, env } = this.#ours;
    this.#child = this.#group.node([CLI, 'vision', '--config', config], { ...env, QUANWEI_LOG: 'error' });
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

  /** It and what it started. */
  signalAll(signal: NodeJS.Signals): void {
    const group = this.#child?.pid;
    if (group === undefined) return;
    try {
      process.kill(-group, signal);
    } catch (thrown) {
      // Nobody is left of it.
      if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown;
    }
  }

  async end(): Promise<void> {
    if (this.#child === null) return;
    this.signalAll('SIGKILL');
    await gone(this.#child);
  }
}

export async function gone(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

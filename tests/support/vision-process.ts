import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { GatewayProcess } from './gateway-process.ts';

const CLI = fileURLToPath(new URL('../../dist/main/cli.js', import.meta.url));

/** `quanwei vision` as a process of its own, beside a gateway and with its configuration; gone after the test. */
export class VisionProcess {
  readonly #gateway: GatewayProcess;
  readonly #env: Record<string, string>;
  #child: ChildProcess | null = null;
  output = '';

  constructor(gateway: GatewayProcess, env: Record<string, string> = {}) {
    this.#gateway = gateway;
    this.#env = env;
    onTestFinished(async () => void (await this.end('SIGKILL')));
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Resolves when it says that it is ready. */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [CLI, 'vision', '--config', this.#gateway.config], {
      env: { ...process.env, QUANWEI_LOG: 'info', ...this.#env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    const keep = (chunk: Buffer) => {
      this.output = (this.output + chunk.toString()).slice(-40_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const begun = performance.now();
    while (!this.output.includes('the vision process is ready')) {
      if (child.exitCode !== null || child.signalCode !== null) {
        throw new Error(`vision ended with ${child.exitCode ?? child.signalCode}:\n${this.output}`);
      }
      if (performance.now() - begun > 40_000) throw new Error(`vision did not get ready:\n${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** @returns its exit code */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return null;
    const gone = once(child, 'exit');
    child.kill(signal);
    if (signal === 'SIGKILL') child.kill('SIGCONT');
    await gone;
    this.output = '';
    return child.exitCode;
  }
}

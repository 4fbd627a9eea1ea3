import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const RECEIVER = fileURLToPath(new URL('./notify-receiver.py', import.meta.url));

/** A real datagram socket as systemd hands it to a service (`NOTIFY_SOCKET`), and everything that arrives there. */
export class NotifyReceiver {
  readonly socket: string;
  readonly messages: string[] = [];
  #heard: (() => void)[] = [];

  private constructor(socket: string) {
    this.socket = socket;
  }

  static async bind(dir: string): Promise<NotifyReceiver> {
    const receiver = new NotifyReceiver(join(dir, 'notify'));
    const child = spawn('python3', [RECEIVER, receiver.socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(async () => {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    });
    const lines = createInterface({ input: child.stdout });
    await once(lines, 'line');
    lines.on('line', (line) => {
      receiver.messages.push(JSON.parse(line) as string);
      for (const wake of receiver.#heard.splice(0)) wake();
    });
    return receiver;
  }

  count(state: string): number {
    return this.messages.filter((message) => message.split('\n').includes(state)).length;
  }

  /** Resolves when `state` has arrived `times` times in all. */
  async hear(state: string, times = 1): Promise<void> {
    while (this.count(state) < times) await new Promise<void>((resolve) => this.#heard.push(resolve));
  }
}

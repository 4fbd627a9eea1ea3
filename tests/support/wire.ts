import { connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { freePort } from './ports.ts';

/**
 * The cable between a browser and the box. Cut, it is as when a switch loses power: open connections stay as they are
 * and carry nothing, new ones are taken and not answered. Mended, what was under way is lost and new ones get through.
 */
export class Wire {
  readonly base: string;
  readonly #ends = new Set<Socket>();
  #whole = true;

  private constructor(port: number) {
    this.base = `http://127.0.0.1:${port}`;
  }

  static async to(target: number): Promise<Wire> {
    const port = await freePort();
    const wire = new Wire(port);
    const server = createServer((near) => {
      wire.#hold(near);
      if (!wire.#whole) return;
      const far = connect(target, '127.0.0.1');
      wire.#hold(far);
      const join = (from: Socket, to: Socket) => {
        from.on('data', (bytes) => wire.#whole && to.write(bytes));
        from.on('close', () => wire.#whole && to.destroy());
      };
      join(near, far);
      join(far, near);
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    onTestFinished(() => {
      wire.mend();
      server.close();
    });
    return wire;
  }

  cut(): void {
    this.#whole = false;
  }

  mend(): void {
    for (const end of this.#ends) end.destroy();
    this.#whole = true;
  }

  #hold(end: Socket): void {
    this.#ends.add(end);
    end.on('error', () => end.destroy());
    end.on('close', () => this.#ends.delete(end));
  }
}

import { createServer, type Server } from 'node:net';
import { Aedes } from 'aedes';
import { onTestFinished } from 'vitest';

export interface Heard {
  readonly client: string;
  readonly topic: string;
  readonly payload: string;
  readonly retain: boolean;
}

/** A real broker on a free port that lets everybody in and remembers what it heard. */
export async function listeningBroker(): Promise<{ url: string; heard: Heard[]; broker: Aedes }> {
  const broker = await Aedes.createBroker();
  const heard: Heard[] = [];
  broker.on('publish', (packet, client) => {
    if (client === null && packet.topic.startsWith('$SYS')) return;
    heard.push({
      client: client?.id ?? '',
      topic: packet.topic,
      payload: String(packet.payload),
      retain: packet.retain,
    });
  });
  const server: Server = createServer(broker.handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    await new Promise<void>((resolve) => broker.close(resolve));
    await new Promise<void>((resolve) => void server.close(() => resolve()));
  });
  const address = server.address();
  return {
    url: `mqtt://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    heard,
    broker,
  };
}

/** Waits for real sockets, not for time: checks often, gives up after `ms`. */
export async function until(holds: () => boolean, ms = 5_000): Promise<void> {
  const end = Date.now() + ms;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`did not happen within ${ms} ms: ${holds.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

import { Readable } from 'node:stream';
import type { PublishPacket } from 'aedes';
import type { Cancel, Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { WillPacket } from './engine.ts';
import { LIMITS } from './limits.ts';
import type { BrokerIntake } from './ports.ts';
import { bytesOf, ownBytes } from './queues.ts';
import { deviceOf, Sessions } from './sessions.ts';

/**
 * aedes looks now and then for wills of brokers that have died, and would take ours for such: it finds none. Those of an
 * earlier run are in our hands too (`Wills.resume`).
 */
export class BrokerSessions extends Sessions {
  override streamWill(): Readable {
    return Readable.from([]);
  }
}

export interface WillsParts {
  readonly sessions: Sessions;
  readonly intake: BrokerIntake;
  readonly clock: Clock;
  readonly log: Log;
  /** ms between a broken connection and its will. */
  readonly delay: number;
  /** Whether the device may still publish there. */
  readonly allowed: (device: string, topic: string) => boolean;
  readonly distribute: (packet: PublishPacket) => void;
}

/**
 * Last wills, a little late: a client that is back within the delay was not gone, so a door whose radio hiccups and a
 * gateway that had to close every connection (or was cut from power) do not make a storm of "offline". A will that
 * cannot be stored waits until it can.
 */
export class Wills {
  readonly #parts: WillsParts;
  readonly #due = new Map<string, Cancel>();
  #closed = false;

  constructor(parts: WillsParts) {
    this.#parts = parts;
  }

  /** Wills of an earlier run: every connection it had is broken. */
  resume(): void {
    for (const { clientId } of this.#parts.sessions.wills()) {
      if (clientId !== undefined) this.#schedule(clientId, LIMITS.willDelayAfterStart);
    }
  }

  /** The client is back: its earlier will, due or not, is void. */
  returned(client: string): void {
    this.#due.get(client)?.cancel();
    this.#due.delete(client);
  }

  /** The client has been let in with this will. */
  async entrusted(client: string, will: WillPacket): Promise<void> {
    const { topic, payload, qos, retain } = will;
    await this.#parts.sessions.putWill(
      { id: client },
      { cmd: 'publish', topic, payload: ownBytes(payload), qos, retain },
    );
  }

  /** @param orderly it said DISCONNECT: then it has no last will [MQTT-3.14.4-3] */
  async disconnected(client: string, orderly: boolean): Promise<void> {
    if (orderly) await this.#parts.sessions.delWill({ id: client });
    else if ((await this.#parts.sessions.getWill({ id: client })) !== undefined)
      this.#schedule(client, this.#parts.delay);
  }

  /** Those that wait stay on disk for the next run. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#due.values()) timer.cancel();
    this.#due.clear();
  }

  #schedule(client: string, delay: number): void {
    this.#due.get(client)?.cancel();
    if (this.#closed) return;
    this.#due.set(
      client,
      this.#parts.clock.after(delay, () => {
        this.#publish(client).catch((thrown: unknown) => {
          this.#parts.log.warn({ err: thrown, client }, 'a last will is not stored; trying again');
          if (this.#due.has(client)) this.#schedule(client, this.#parts.delay);
        });
      }),
    );
  }

  async #publish(client: string): Promise<void> {
    const { sessions, intake, allowed, distribute } = this.#parts;
    const will = await sessions.getWill({ id: client });
    const topic = will?.topic ?? '';
    if (will !== undefined && allowed(deviceOf(client), topic)) {
      const payload = bytesOf(will.payload);
      const qos = will.qos === 2 ? 2 : will.qos === 1 ? 1 : 0;
      const retain = will.retain === true;
      await intake.receive({ client: deviceOf(client), topic, payload, qos, retain, dup: false, will: true });
      distribute({ cmd: 'publish', topic, payload, qos, retain, dup: false });
    }
    // Back in the meantime: then the will that is stored now is its new one.
    if (!this.#due.delete(client)) return;
    await sessions.delWill({ id: client });
  }
}

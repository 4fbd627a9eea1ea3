import { Aedes, type AedesOptions, type Client, type PublishPacket } from 'aedes';
import { invariant } from '../kernel/errors.ts';
import type { Router } from './router.ts';
import type { Sessions } from './sessions.ts';

/**
 * All that is used of aedes beyond its published types, in one place: an upgrade is checked against this file
 * (and `tests/broker`, which would notice).
 */
export type EngineClient = Client & {
  /** The will of CONNECT, until it is taken away by `takeWill`. */
  _will: WillPacket | null | undefined;
  /** Whether the client said DISCONNECT. */
  readonly _disconnected: boolean;
  readonly subscriptions: Readonly<Record<string, { readonly qos: number } | undefined>>;
  readonly duplicates: Record<string, number>;
  readonly _parser: PacketParser;
};

export interface WillPacket {
  topic: string;
  payload?: Buffer;
  qos: 0 | 1 | 2;
  retain: boolean;
}

/** `mqtt-packet`'s parser: `packet.length` is known once the fixed header was read, before the payload is waited for. */
export interface PacketParser {
  readonly packet: { readonly length: number };
  readonly _list: { readonly length: number };
  _parsePayload(): unknown;
  _emitError(error: Error): void;
}

type Done = (error?: Error) => void;

export const engineClient = (client: Client): EngineClient => client as EngineClient;

/**
 * aedes with three differences. What a client publishes is stored, queued and sent on inside the authorise hook and
 * thereby before its PUBACK (aedes itself acknowledges first); nothing is published under `$SYS`; and a message nobody
 * listens to costs one look at the subscriptions.
 */
export class Engine extends Aedes {
  readonly #router: Router;
  readonly #sessions: Sessions;

  constructor(options: AedesOptions, router: Router, sessions: Sessions) {
    super({ ...options, mq: router, persistence: sessions });
    this.#router = router;
    this.#sessions = sessions;
  }

  /** Takes the will out of aedes' hands, which would publish it the moment the connection breaks. */
  static takeWill(client: Client): WillPacket | null {
    const { _will: will } = engineClient(client);
    engineClient(client)._will = null;
    return will ?? null;
  }

  /**
   * aedes lets a message through only if it counts higher than the last one for the same client, but counts it before
   * it is stored: of two that were stored at the same time, the slower one would be swallowed. We look for doubles
   * ourselves (`Connection.lastSent`).
   */
  static letEveryMessageThrough(client: Client, broker: string): void {
    const { duplicates } = engineClient(client);
    invariant(typeof duplicates === 'object', 'aedes has changed: no duplicates on its client');
    Object.defineProperty(duplicates, broker, { get: () => 0, set: () => undefined });
  }

  /** Whether anybody wants a message of a client, connected or away. */
  wanted(packet: PublishPacket): boolean {
    return (
      packet.retain ||
      this.#router.reaches(packet.topic) ||
      (packet.qos > 0 && this.#sessions.subscriptions.any(packet.topic))
    );
  }

  /** Retains, queues and sends; `done` when what had to be stored is on disk. */
  distribute(packet: PublishPacket, done: Done): void {
    super.publish(packet, done);
  }

  /** Called by aedes for what its clients publish (already distributed) and for its own `$SYS` notices. */
  override publish(_packet: PublishPacket, clientOrDone: unknown, done?: Done): void {
    const told = typeof clientOrDone === 'function' ? (clientOrDone as Done) : done;
    told?.();
  }
}

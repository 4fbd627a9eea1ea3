import { createHash } from 'node:crypto';
import type { PublishPacket } from 'aedes';
import type { Catalogue } from '../devices/catalogue.ts';
import { keptBytes } from '../devices/redact.ts';
import { Allowance } from '../kernel/allowance.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { malformed } from './access.ts';
import type { Connection } from './connection.ts';
import type { Counters } from './counters.ts';
import type { Engine } from './engine.ts';
import { LIMITS } from './limits.ts';
import type { BrokerIntake, BrokerJournal, BrokerRegistry } from './ports.ts';
import type { Sessions } from './sessions.ts';

/** Bytes of a forbidden message that are recorded word for word. */
const RECORDED = 4_096;
/** Recorded forbidden messages that are recognised when they are said again. */
const REMEMBERED = 1_000;
/** How such an ending is told to aedes; `Broker` knows it is counted already. */
const OUTSIDE = 'a message outside its topics';

type Done = (error?: Error | null) => void;

export interface PublishingParts {
  readonly engine: () => Engine;
  readonly sessions: Sessions;
  readonly intake: BrokerIntake;
  readonly catalogue: Catalogue;
  readonly journal: BrokerJournal;
  readonly registry: Pick<BrokerRegistry, 'get'>;
  readonly counters: Counters;
  readonly clock: Clock;
  readonly log: Log;
  readonly maxInflight: number;
  /** The device's topics may have grown since it logged in (a child behind a hub): looks again. */
  readonly refreshRights: (connection: Connection) => void;
}

/**
 * What happens to a message from a client before it is acknowledged. aedes acknowledges when the hook calls back
 * without an error, so everything that must be on disk is on disk by then. An error closes the connection: MQTT 3.1.1
 * knows no other way to say "not stored", and a client sends again what was not acknowledged only when it reconnects.
 */
export class Publishing {
  readonly #parts: PublishingParts;
  readonly #recordable: Allowance;
  readonly #recorded = new Set<string>();

  constructor(parts: PublishingParts) {
    this.#parts = parts;
    this.#recordable = new Allowance(parts.clock, LIMITS.forbiddenBurst, LIMITS.forbiddenPerSecond);
  }

  accept(connection: Connection, packet: PublishPacket, done: Done): void {
    const { counters, maxInflight, refreshRights } = this.#parts;
    counters.received[packet.qos] += 1;
    if (malformed(packet.topic)) {
      counters.drop('malformed');
      done(new Error('topic is not UTF-8 text'));
      return;
    }
    if (!connection.rights.mayPublish(packet.topic)) {
      refreshRights(connection);
      if (!connection.rights.mayPublish(packet.topic)) {
        this.#forbidden(connection, packet, done);
        return;
      }
    }
    // More than it may have unanswered waits here; aedes reads nothing more of this client meanwhile.
    const full = connection.inflight >= maxInflight || connection.waiting.length > 0;
    if (full) connection.waiting.push(() => this.#store(connection, packet, done));
    else this.#store(connection, packet, done);
  }

  #store(connection: Connection, packet: PublishPacket, done: Done): void {
    const { engine, sessions, intake } = this.#parts;
    connection.inflight += 1;
    if (packet.qos === 2 && packet.messageId !== undefined && sessions.accepted(connection.key, packet.messageId)) {
      this.#finish(connection, done, null);
      return;
    }
    const { topic, qos, retain, dup } = packet;
    const payload = packet.payload as Buffer;
    intake.receive({ client: connection.device, topic, payload, qos, retain, dup, will: false }).then(
      () => {
        const server = engine();
        if (!server.wanted(packet)) {
          this.#finish(connection, done, null);
          return;
        }
        Object.assign(packet, { clientId: connection.key });
        server.distribute(packet, (error) => {
          if (error) this.#unstored(connection, packet, done, error);
          else this.#finish(connection, done, null);
        });
      },
      (thrown: unknown) => this.#unstored(connection, packet, done, thrown),
    );
  }

  #finish(connection: Connection, done: Done, error: Error | null): void {
    connection.inflight -= 1;
    done(error);
    const next = connection.waiting.shift();
    if (next !== undefined) queueMicrotask(next);
  }

  /** No acknowledgement. The pause keeps a whole compound from coming back in a tight loop while the disk is full. */
  #unstored(connection: Connection, packet: PublishPacket, done: Done, thrown: unknown): void {
    const { counters, clock, log } = this.#parts;
    log.debug({ err: thrown, device: connection.device }, 'message not stored');
    if (packet.qos === 0) {
      counters.drop('storage');
      this.#finish(connection, done, null);
      return;
    }
    counters.drop('unstored');
    const error = new Error('not stored', { cause: thrown });
    clock.after(LIMITS.unstoredPause, () => this.#finish(connection, done, error));
  }

  /**
   * Outside its topics: recorded, and the connection closed without an acknowledgement. Said again after that, it is
   * acknowledged (it is on disk): a client repeats what was not acknowledged before anything else, and a fire button
   * that has one topic too many must not be a fire button no more.
   */
  #forbidden(connection: Connection, packet: PublishPacket, done: Done): void {
    const { counters, journal, registry, catalogue, clock, log } = this.#parts;
    counters.drop('not-allowed');
    const { device } = connection;
    const topic = packet.topic.slice(0, LIMITS.topic);
    const payload = packet.payload as Buffer;
    const sha256 = createHash('sha256').update(payload).digest('hex');
    const said = `${device} ${topic} ${sha256}`;
    const answer = (error: Error | null) => done(packet.qos === 0 ? null : error);
    if (this.#recorded.has(said)) {
      done(null);
      return;
    }
    if (!this.#recordable.take(device)) {
      clock.after(LIMITS.unstoredPause, () => answer(new Error(OUTSIDE)));
      return;
    }
    log.warn({ device, topic }, 'a message outside the device’s topics');
    const profile = registry.get(device)?.profile ?? '';
    // Without its profile nobody can tell what of it may be kept.
    const kept = catalogue.has(profile) ? keptBytes(catalogue.get(profile), payload) : Buffer.alloc(0);
    const body = {
      topic,
      reason: `${device} may not publish there`,
      bytes: payload.length,
      sha256,
      base64: kept.subarray(0, RECORDED).toString('base64'),
    };
    journal.append([{ kind: 'unknown', actor: `device:${device}`, subject: device, body }]).then(
      () => {
        if (this.#recorded.size >= REMEMBERED) this.#recorded.clear();
        this.#recorded.add(said);
        answer(new Error(OUTSIDE));
      },
      (thrown: unknown) => {
        log.debug({ err: thrown, device }, 'forbidden message not recorded');
        answer(new Error(OUTSIDE));
      },
    );
  }
}

import { loadavg } from 'node:os';
import { Backoff } from '../../kernel/backoff.ts';
import { type Cancel, type Clock, iso } from '../../kernel/clock.ts';
import { messageOf } from '../../kernel/errors.ts';
import type { NewId } from '../../kernel/ids.ts';
import type { Log } from '../../kernel/log.ts';
import type { HealthEvent } from '../event.ts';
import type { Conditions } from './conditions.ts';
import { type BrokerAddress, Connection } from './connection.ts';
import {
  type CameraStatus,
  type Command,
  cameraTopic,
  commandTopic,
  eventPayload,
  eventTopic,
  parseCommand,
  type Reply,
  replyPayload,
  replyTopic,
  statusTopic,
  type Telling,
  VERSION,
} from './message.ts';
import type { Outbox } from './outbox.ts';

export const STATUS_MS = 15_000;
export const CAMERA_STATUS_MS = 30_000;
/** Unconfirmed at once; the gateway takes 64. */
const IN_FLIGHT = 32;
/** A gateway that confirms nothing for this long is tried anew, ms. */
const SILENT_MS = 30_000;
/** Connected for this long, a connection is a good one, ms. */
const STABLE_MS = 10_000;

export interface ReporterParts {
  readonly broker: BrokerAddress;
  /** Version of the program */
  readonly version: string;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly log: Log;
  readonly newId: NewId;
  /** 0 ≤ x < 1 */
  readonly random: () => number;
  /** Does what the gateway orders; what it throws is told as an error. */
  command(command: Command): Promise<Reply>;
}

/**
 * The vision process as the gateway knows it: one MQTT device that says how it is and what it saw. Events wait in the
 * outbox until the gateway has confirmed them; a connection that breaks is made again, with back-off, for ever.
 */
export class Reporter {
  readonly #parts: ReporterParts;
  readonly #backoff: Backoff;
  readonly #cameras = new Map<string, CameraStatus>();
  readonly #ends: Cancel[] = [];
  /** Ids on their way over the present connection, and since when. */
  readonly #inFlight = new Map<string, number>();
  #conditions: Conditions | null = null;
  #connection: Connection | null = null;
  #connected = false;
  #again: Cancel | null = null;
  #stable: Cancel | null = null;
  #stopped = false;
  #why = '';

  constructor(parts: ReporterParts) {
    this.#parts = parts;
    this.#backoff = new Backoff({ min: 500, max: 30_000, random: parts.random });
  }

  get connected(): boolean {
    return this.#connected;
  }

  start(conditions: Conditions): void {
    this.#conditions = conditions;
    const { clock } = this.#parts;
    this.#ends.push(
      clock.every(STATUS_MS, () => this.#status()),
      clock.every(CAMERA_STATUS_MS, () => {
        for (const camera of this.#cameras.keys()) this.#cameraStatus(camera);
      }),
      clock.every(SILENT_MS / 3, () => this.#listen()),
    );
    this.#connect();
  }

  /**
   * Tells what happened.
   * @param at wall time it happened, ms
   * @param id where later evidence refers to it; made up when absent
   */
  tell(telling: Telling, at: number, id = this.#parts.newId()): void {
    this.#parts.outbox.add({ id, time: iso(at), telling });
    this.#flush();
  }

  /** A lasting trouble came or went. */
  health(event: HealthEvent): void {
    this.#conditions?.set(event);
  }

  /** How a camera is. Told at once when it changes. */
  camera(id: string, status: CameraStatus): void {
    const before = this.#cameras.get(id);
    this.#cameras.set(id, status);
    if (before?.state !== status.state || before.reason !== status.reason) this.#cameraStatus(id);
  }

  forgetCamera(id: string): void {
    this.#cameras.delete(id);
    this.#conditions?.forget(id);
  }

  statusOf(id: string): CameraStatus | null {
    return this.#cameras.get(id) ?? null;
  }

  /** Says goodbye; what has not been confirmed stays in the outbox for the next start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const end of [...this.#ends, this.#again, this.#stable]) end?.cancel();
    const connection = this.#connection;
    if (connection === null) return;
    if (this.#connected) await connection.publish(...this.#own('offline'));
    await connection.end();
  }

  #connect(): void {
    const { broker, log } = this.#parts;
    this.#again = null;
    try {
      const [topic, payload] = this.#own('offline', true);
      const connection: Connection = new Connection(broker, { topic, payload }, commandTopic(broker.id), {
        up: () => this.#up(),
        down: (why) => this.#down(why),
        message: (_topic, said) => void this.#command(said),
      });
      this.#connection = connection;
    } catch (thrown) {
      log.error({ err: thrown }, 'the gateway cannot be reached');
      this.#retry();
    }
  }

  #up(): void {
    const { clock, log, broker } = this.#parts;
    this.#connected = true;
    this.#why = '';
    this.#stable = clock.after(STABLE_MS, () => this.#backoff.reset());
    log.info({ gateway: broker.url, waiting: this.#parts.outbox.size }, 'logged in to the gateway');
    this.#status();
    for (const camera of this.#cameras.keys()) this.#cameraStatus(camera);
    this.#conditions?.connection(true);
    this.#flush();
  }

  #down(why: string): void {
    const { log, broker } = this.#parts;
    this.#connected = false;
    this.#connection = null;
    this.#inFlight.clear();
    this.#stable?.cancel();
    this.#conditions?.connection(false);
    if (this.#stopped) return;
    // Once: a gateway that is away says the same every time.
    if (why !== this.#why) log.warn({ gateway: broker.url, why }, 'the gateway cannot be reached');
    this.#why = why;
    this.#retry();
  }

  #retry(): void {
    if (!this.#stopped) this.#again = this.#parts.clock.after(this.#backoff.next(), () => this.#connect());
  }

  /** Sends what waits, oldest first, as far as there is room. */
  #flush(): void {
    const { outbox, broker, clock } = this.#parts;
    const connection = this.#connection;
    if (!this.#connected || connection === null) return;
    const topic = eventTopic(broker.id);
    for (const { message, late } of outbox) {
      if (this.#inFlight.size >= IN_FLIGHT) return;
      if (this.#inFlight.has(message.id)) continue;
      this.#inFlight.set(message.id, clock.mono());
      void connection.publish(topic, eventPayload(message, late), false).then((confirmed) => {
        if (confirmed) outbox.confirmed(message.id);
        if (this.#connection !== connection) return;
        this.#inFlight.delete(message.id);
        if (confirmed) this.#flush();
      });
    }
  }

  #listen(): void {
    const now = this.#parts.clock.mono();
    const [oldest] = this.#inFlight.values();
    if (oldest !== undefined && now - oldest > SILENT_MS) this.#connection?.break('the gateway confirms nothing');
    else this.#flush();
  }

  async #command(payload: Buffer): Promise<void> {
    const { broker, log } = this.#parts;
    const command = parseCommand(payload);
    if (command === null) {
      log.warn({ bytes: payload.length }, 'a command of the gateway was not understood');
      return;
    }
    let reply: Reply;
    try {
      reply = await this.#parts.command(command);
    } catch (thrown) {
      reply = { result: 'error', code: '500', detail: messageOf(thrown).slice(0, 200) };
    }
    await this.#connection?.publish(replyTopic(broker.id), replyPayload(command.id, reply), false);
  }

  #status(): void {
    void this.#connection?.publish(...this.#own('online'));
  }

  #cameraStatus(id: string): void {
    const status = this.#cameras.get(id);
    if (status === undefined || !this.#connected) return;
    const { broker, clock } = this.#parts;
    const payload = JSON.stringify({ v: VERSION, ...status, time: iso(clock.wall()) });
    void this.#connection?.publish(cameraTopic(broker.id, id), payload, true);
  }

  /** @param will said by the broker some day: without a time */
  #own(state: 'online' | 'offline', will = false): [topic: string, payload: string, retain: true] {
    const { broker, version, clock, outbox } = this.#parts;
    const cameras = this.#cameras.size;
    const load = Number((loadavg()[0] ?? 0).toFixed(2));
    const more = will
      ? {}
      : { version, time: iso(clock.wall()), cameras, load, waiting: outbox.size, dropped: outbox.dropped };
    return [statusTopic(broker.id), JSON.stringify({ v: VERSION, state, ...more }), true];
  }
}

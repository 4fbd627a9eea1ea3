import { connect, type IClientOptions, type MqttClient } from 'mqtt';
import { childKey, type DeviceInfo } from '../devices/binding.ts';
import type { Profile } from '../devices/compile.ts';
import { decode } from '../devices/decode.ts';
import { topicsOf } from '../devices/encode.ts';
import type { SampleDefinition } from '../devices/profile.ts';
import type { Cancel, Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import { addressed, understand } from './commands.ts';
import { type FreshMessage, freshMessage, type Played } from './fresh.ts';
import { pick, type Random } from './random.ts';

export interface PlayerOptions {
  readonly url: string;
  /** User name; the device id unless a broker has one login for all. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Further options of the MQTT connection, such as a CA certificate. */
  readonly connection?: IClientOptions;
  readonly timezone: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Instead of the profile's heartbeat, ms; 0 for none. */
  readonly heartbeat?: number;
  /** How long it waits for its receipt before it says a record again, ms. */
  readonly resend?: number;
  /** Share of what it says by itself that is an incident, 0–1. */
  readonly incidents?: number;
}

export interface PlayerCounts {
  sent: number;
  /** Handed over: PUBACK for QoS 1, written to the socket for QoS 0. */
  accepted: number;
  failed: number;
  /** Not sent, because too many were still unanswered. */
  skipped: number;
  resent: number;
  receipts: number;
  commands: number;
}

const RESEND_MS = 10_000;
const MAX_UNANSWERED = 200;
const MAX_RESENDS = 100;
/** What a door takes to open and say so, ms. */
const ANSWER_MS = 30;
/** Share of what it says that is worth an alarm. */
const INCIDENTS = 0.02;

/**
 * One device in software: logs in, leaves a will, says that it is there, beats, tells what its profile's samples tell,
 * says it again until it has its receipt, and does what it is told.
 */
export class Player {
  readonly counts: PlayerCounts = { sent: 0, accepted: 0, failed: 0, skipped: 0, resent: 0, receipts: 0, commands: 0 };
  /** Time from publishing to PUBACK of the latest messages, ms. */
  readonly latencies: number[] = [];
  readonly played: Played;
  readonly #options: PlayerOptions;
  readonly #routine: readonly SampleDefinition[];
  readonly #incidents: readonly SampleDefinition[];
  readonly #awaiting = new Map<string, { message: FreshMessage; tries: number; timer: Cancel }>();
  readonly #timers: Cancel[] = [];
  #client: MqttClient | null = null;
  #unanswered = 0;
  #serial: number;

  constructor(
    profile: Profile,
    device: DeviceInfo,
    children: readonly { device: DeviceInfo; profile: Profile }[],
    options: PlayerOptions,
  ) {
    this.#options = options;
    this.played = {
      profile,
      device,
      children: children.map((child) => ({ ...child, key: childKey(child.device) })),
    };
    // Record numbers go on where an earlier run stopped, so that two runs are not taken for one.
    this.#serial = Math.floor(options.clock.wall() / 1_000) * 10;
    const said = profile.samples.filter((sample) => this.#canSay(sample));
    this.#routine = said.filter(({ plays }) => plays === 'often' || plays === 'heartbeat');
    this.#incidents = said.filter(({ plays }) => plays === 'seldom');
  }

  get id(): string {
    return this.played.device.id;
  }

  get connected(): boolean {
    return this.#client?.connected === true;
  }

  /** Whether it tells anything by itself (some models only answer, or only beat). */
  get talks(): boolean {
    return this.#routine.length > 0 || this.#incidents.length > 0;
  }

  /** Resolves when it is connected and has said that it is there; a refusal is retried, as a device would. */
  start(): Promise<void> {
    const { url, password, username, connection } = this.#options;
    const will = this.#sample('will');
    const client = connect(url, {
      clientId: this.id,
      username: username ?? this.id,
      ...(password === undefined ? {} : { password }),
      ...(will === undefined ? {} : { will: this.#willOf(will) }),
      clean: true,
      keepalive: 30,
      reconnectPeriod: 1_000,
      connectTimeout: 10_000,
      ...connection,
    });
    this.#client = client;
    client.on('error', (error) => this.#options.log.debug({ device: this.id, err: messageOf(error) }, 'connection'));
    client.on('message', (topic, payload) => this.#hear(topic, payload.toString('utf8')));
    this.#beat();
    return new Promise((resolve) => {
      client.on('connect', () => {
        this.#greet();
        resolve();
      });
    });
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) timer.cancel();
    for (const { timer } of this.#awaiting.values()) timer.cancel();
    this.#awaiting.clear();
    await this.#client?.endAsync();
  }

  /** The connection breaks without goodbye, as in a power cut: the broker sends its will. */
  cut(): void {
    for (const timer of this.#timers) timer.cancel();
    for (const { timer } of this.#awaiting.values()) timer.cancel();
    this.#client?.end(true);
    this.#client?.stream.destroy();
  }

  /** Says something its model says in use: mostly routine, now and then an incident. @returns false when it was skipped */
  say(): boolean {
    const { random, incidents = INCIDENTS } = this.#options;
    const wanted = random() < incidents ? this.#incidents : this.#routine;
    const sample = pick(wanted.length > 0 || incidents === 0 ? wanted : this.#incidents, random);
    return sample !== undefined && this.#tell(sample);
  }

  /**
   * Says one sample of its profile by name, for a scene of a demo or a test.
   * @param changes keys of the payload's own text to replace, such as a person's name
   */
  tell(name: string, changes?: (payload: string) => string): boolean {
    const sample = this.played.profile.samples.find((one) => one.name === name);
    if (sample === undefined) throw new RangeError(`profile ${this.played.profile.id} has no sample '${name}'`);
    return this.#tell(sample, changes);
  }

  /** Publishes anything anywhere: what a broken or hostile device would do. */
  shout(topic: string, payload: string | Buffer, retain = false): void {
    // QoS 0: what the broker refuses must not come again with every reconnection.
    this.#publish(topic, payload, 0, retain);
  }

  #tell(sample: SampleDefinition, changes?: (payload: string) => string): boolean {
    if (this.#unanswered >= MAX_UNANSWERED) {
      this.counts.skipped += 1;
      return false;
    }
    const made = this.#fresh(sample);
    const message = changes === undefined ? made : { ...made, payload: changes(made.payload) };
    this.#send(message);
    const receipt = this.#receiptFor(message);
    if (receipt !== null) this.#await(receipt, message);
    return true;
  }

  #fresh(sample: SampleDefinition): FreshMessage {
    const { clock, timezone, random } = this.#options;
    this.#serial += 1;
    return freshMessage(this.played, sample, this.#childFor(sample), {
      now: clock.wall(),
      timezone,
      serial: this.#serial,
      random,
    });
  }

  /** Which of its end devices a sample is about: any of the same model. */
  #childFor(sample: SampleDefinition): number {
    const model = this.played.profile.example.children.find(({ id }) => id === sample.device)?.profile;
    const same = this.played.children.flatMap(({ profile }, index) => (profile.id === model ? [index] : []));
    return pick(same, this.#options.random) ?? -1;
  }

  #canSay(sample: SampleDefinition): boolean {
    if (sample.unknown === true || sample.candidate !== null) return false;
    if (sample.device === undefined) return true;
    const model = this.played.profile.example.children.find(({ id }) => id === sample.device)?.profile;
    return this.played.children.some(({ profile }) => profile.id === model);
  }

  #sample(plays: SampleDefinition['plays']): SampleDefinition | undefined {
    return this.played.profile.samples.find((sample) => sample.plays === plays && this.#canSay(sample));
  }

  #willOf(sample: SampleDefinition): NonNullable<IClientOptions['will']> {
    const { topic, payload, retain } = this.#fresh(sample);
    return { topic, payload: Buffer.from(payload), qos: 1, retain };
  }

  #greet(): void {
    const { profile, device, children } = this.played;
    const { subscribe } = topicsOf(profile, device, children);
    if (subscribe.length > 0) {
      this.#client?.subscribe(subscribe, { qos: 1 }, (error) => {
        if (error) this.#options.log.debug({ device: this.id, err: messageOf(error) }, 'subscription refused');
      });
    }
    for (const sample of profile.samples) if (sample.plays === 'birth' && this.#canSay(sample)) this.#tell(sample);
  }

  #beat(): void {
    const { clock, random, heartbeat = this.played.profile.supervision.heartbeat ?? 0 } = this.#options;
    const beats = this.played.profile.samples.filter((sample) => sample.plays === 'heartbeat' && this.#canSay(sample));
    if (heartbeat === 0 || beats.length === 0) return;
    // Devices switched on together must not beat together for ever.
    const first = clock.after(random() * heartbeat, () => {
      this.#timers.push(
        clock.every(heartbeat, () => {
          const sample = pick(beats, random);
          if (sample !== undefined && this.connected) this.#tell(sample);
        }),
      );
    });
    this.#timers.push(first);
  }

  #send(message: FreshMessage): void {
    this.#publish(message.topic, message.payload, this.played.profile.qos, message.retain);
  }

  #publish(topic: string, payload: string | Buffer, qos: 0 | 1, retain: boolean): void {
    this.counts.sent += 1;
    this.#unanswered += 1;
    const started = this.#options.clock.mono();
    this.#client?.publish(topic, payload, { qos, retain }, (error) => {
      this.#unanswered -= 1;
      if (error) {
        this.counts.failed += 1;
        return;
      }
      this.counts.accepted += 1;
      if (qos === 0) return;
      if (this.latencies.length >= 10_000) this.latencies.shift();
      this.latencies.push(this.#options.clock.mono() - started);
    });
  }

  /** The receipt the gateway owes for a message, as the device will recognise it. */
  #receiptFor({ topic, payload, retain }: FreshMessage): string | null {
    const { profile, device, children } = this.played;
    const decoded = decode(profile, {
      device,
      topic,
      payload: Buffer.from(payload),
      retain,
      now: this.#options.clock.wall(),
      timezone: this.#options.timezone,
      childOf: (key) => children.find((child) => child.key === key) ?? null,
    });
    return decoded.receipt === null ? null : `${decoded.receipt.topic} ${decoded.receipt.payload}`;
  }

  #await(receipt: string, message: FreshMessage): void {
    const { clock, resend = RESEND_MS } = this.#options;
    const waiting = this.#awaiting.get(receipt);
    waiting?.timer.cancel();
    const tries = (waiting?.tries ?? 0) + 1;
    if (tries > MAX_RESENDS) {
      this.#awaiting.delete(receipt);
      return;
    }
    const timer = clock.after(resend, () => {
      this.counts.resent += 1;
      this.#send(message);
      this.#await(receipt, message);
    });
    this.#awaiting.set(receipt, { message, tries, timer });
  }

  #hear(topic: string, payload: string): void {
    const receipt = this.#awaiting.get(`${topic} ${payload}`);
    if (receipt !== undefined) {
      receipt.timer.cancel();
      this.#awaiting.delete(`${topic} ${payload}`);
      this.counts.receipts += 1;
      return;
    }
    const understood = understand(this.played, topic, payload);
    if (understood === null) return;
    this.counts.commands += 1;
    const { profile } = this.played;
    const answer =
      profile.samples.find(({ answers }) => answers === understood.command) ?? this.#anyAnswer(understood.command);
    if (answer === undefined) return;
    this.#timers.push(
      this.#options.clock.after(ANSWER_MS + this.#options.random() * ANSWER_MS, () => {
        const message = this.#fresh(answer);
        const replyTo = profile.messages.find(({ name }) => name === answer.message)?.reply?.to;
        this.#send({ ...message, payload: addressed(message.payload, replyTo, understood.messageId) });
      }),
    );
  }

  /** For a command without a sample of its own answer: how it answers any other. */
  #anyAnswer(command: string): SampleDefinition | undefined {
    if (this.played.profile.commands[command]?.reply !== true) return undefined;
    return this.played.profile.samples.find(({ answers }) => answers !== undefined);
  }

  /** Records it still says again and again, for want of a receipt. */
  get unreceipted(): number {
    return this.#awaiting.size;
  }
}

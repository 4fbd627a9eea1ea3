import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import {
  generate,
  type IConnackPacket,
  type IConnectPacket,
  type IPublishPacket,
  type Packet,
  parser,
} from 'mqtt-packet';
import { onTestFinished } from 'vitest';
import { SECRET, until } from './box.ts';

/** A client that does exactly what it is told, acknowledges only when asked to, and shows every packet it gets. */
export class RawClient {
  readonly socket: Socket;
  readonly packets: Packet[] = [];
  closed = false;
  /** Whether PUBLISH is answered by itself. */
  answers = true;
  #nextId = 1;

  constructor(socket: Socket) {
    this.socket = socket;
    const parse = parser();
    parse.on('packet', (packet) => {
      this.packets.push(packet);
      if (packet.cmd !== 'publish' || !this.answers) return;
      if (packet.qos === 1) this.write({ cmd: 'puback', messageId: packet.messageId ?? 0 });
      if (packet.qos === 2) this.write({ cmd: 'pubrec', messageId: packet.messageId ?? 0 });
    });
    socket.on('data', (chunk) => parse.parse(chunk));
    socket.on('error', () => {
      this.closed = true;
    });
    socket.on('close', () => {
      this.closed = true;
    });
    onTestFinished(() => void socket.destroy());
  }

  static async open(port: number, localAddress = '127.0.0.1'): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true });
    const client = new RawClient(socket);
    await once(socket, 'connect');
    return client;
  }

  static async openTls(port: number, options: ConnectionOptions): Promise<RawClient> {
    const socket = connectTls({ port, host: '127.0.0.1', ...options });
    const client = new RawClient(socket);
    await once(socket, 'secureConnect');
    return client;
  }

  write(packet: Packet): void {
    this.socket.write(generate(packet));
  }

  /** Sends CONNECT and gives CONNACK, or `null` when the connection was closed without one. */
  async login(username: string | null, more: Partial<IConnectPacket> = {}): Promise<IConnackPacket | null> {
    const bytes = generate({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clean: true,
      clientId: 'client',
      keepalive: 0,
      ...(username === null ? {} : { username, password: Buffer.from(SECRET) }),
      ...more,
      ...(more.clientId === '' ? { clean: true } : {}),
    });
    // The generator knows that this is against the standard; the flag is the second bit of the byte after `MQTT` 4.
    if (more.clientId === '' && more.clean === false) bytes[9] = (bytes[9] ?? 0) & ~2;
    this.socket.write(bytes);
    await until(() => this.closed || this.of('connack').length > 0, 'CONNACK');
    return (this.of('connack')[0] as IConnackPacket | undefined) ?? null;
  }

  of<C extends Packet['cmd']>(cmd: C): Extract<Packet, { cmd: C }>[] {
    return this.packets.filter((packet) => packet.cmd === cmd) as Extract<Packet, { cmd: C }>[];
  }

  get messages(): IPublishPacket[] {
    return this.of('publish');
  }

  get texts(): string[] {
    return this.messages.map(({ payload }) => payload.toString());
  }

  publish(topic: string, payload: string | Buffer, more: Partial<IPublishPacket> = {}): number {
    const messageId = more.messageId ?? this.#nextId++;
    this.write({ cmd: 'publish', topic, payload, qos: 1, dup: false, retain: false, messageId, ...more });
    return messageId;
  }

  /** QoS 1 and PUBACK; fails when the connection closes first. */
  async published(topic: string, payload: string | Buffer, more: Partial<IPublishPacket> = {}): Promise<void> {
    const id = this.publish(topic, payload, more);
    await until(() => this.closed || this.of('puback').some(({ messageId }) => messageId === id), 'PUBACK');
    if (!this.of('puback').some(({ messageId }) => messageId === id)) throw new Error('connection closed');
  }

  /** Return codes of SUBACK. */
  async subscribe(topics: readonly string[], qos: 0 | 1 | 2 = 1): Promise<number[]> {
    const messageId = this.#nextId++;
    this.write({ cmd: 'subscribe', messageId, subscriptions: topics.map((topic) => ({ topic, qos })) });
    const answer = () => this.of('suback').find((packet) => packet.messageId === messageId);
    await until(() => this.closed || answer() !== undefined, 'SUBACK');
    return (answer()?.granted as number[] | undefined) ?? [];
  }

  async disconnect(): Promise<void> {
    this.write({ cmd: 'disconnect' });
    await this.ended();
  }

  /** As a power cut does it. */
  async kill(): Promise<void> {
    this.socket.destroy();
    await this.ended();
  }

  async ended(): Promise<void> {
    await until(() => this.closed, 'the end of the connection');
  }
}

/** Logged in as `device` with its secret. */
export async function enter(port: number, device: string, more: Partial<IConnectPacket> = {}): Promise<RawClient> {
  const client = await RawClient.open(port);
  const connack = await client.login(device, { clientId: device, ...more });
  if (connack?.returnCode !== 0) throw new Error(`${device} was refused with ${connack?.returnCode}`);
  return client;
}

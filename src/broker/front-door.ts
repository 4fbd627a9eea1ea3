import type { Socket } from 'node:net';
import type { Counters } from './counters.ts';
import { LIMITS } from './limits.ts';

/** Addresses of IPv4 clients on an IPv6 socket are written as what they are. */
export const addressOf = (socket: Pick<Socket, 'remoteAddress'>): string =>
  (socket.remoteAddress ?? '').replace(/^::ffff:/, '');

/** The same for a TCP socket and for the TLS socket made of it. */
const peerOf = (socket: Socket): string => `${socket.remoteAddress} ${socket.remotePort}`;

/**
 * Who may connect at all. Half-open connections are cheap to make, so they never keep a device out: when there is no
 * more room, the oldest connection that has not yet said CONNECT makes it.
 */
export class FrontDoor {
  readonly #counters: Counters;
  readonly #maxConnections: number;
  readonly #maxPerAddress: number;
  readonly #open = new Set<Socket>();
  readonly #halfOpen = new Map<string, Socket>();
  readonly #perAddress = new Map<string, number>();

  constructor(counters: Counters, maxConnections: number, maxPerAddress: number) {
    this.#counters = counters;
    this.#maxConnections = maxConnections;
    this.#maxPerAddress = maxPerAddress;
  }

  get size(): number {
    return this.#open.size;
  }

  /** @returns whether it may stay */
  admit(socket: Socket): boolean {
    this.#counters.connections += 1;
    const address = addressOf(socket);
    const peer = peerOf(socket);
    if (address === '') return false; // gone again
    const crowded = this.#open.size >= this.#maxConnections;
    if (crowded || this.#halfOpen.size >= LIMITS.halfOpen) {
      const evicted = this.#evict();
      if (crowded && !evicted) {
        this.#counters.refuse('too-many-connections');
        return false;
      }
    }
    if ((this.#perAddress.get(address) ?? 0) >= this.#maxPerAddress) {
      this.#counters.refuse('too-many-connections');
      return false;
    }
    this.#open.add(socket);
    this.#halfOpen.set(peer, socket);
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
    // Finds peers that vanished without a word, whatever keep-alive they asked MQTT for.
    socket.setKeepAlive(true, 60_000);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#left(socket, peer, address));
    return true;
  }

  /** It has said CONNECT. */
  introduced(socket: Socket): void {
    this.#halfOpen.delete(peerOf(socket));
  }

  closeAll(): void {
    for (const socket of this.#open) socket.destroy();
  }

  #evict(): boolean {
    for (const [peer, socket] of this.#halfOpen) {
      this.#counters.drop('half-open');
      this.#halfOpen.delete(peer);
      this.#open.delete(socket);
      socket.destroy();
      return true;
    }
    return false;
  }

  #left(socket: Socket, peer: string, address: string): void {
    this.#open.delete(socket);
    if (this.#halfOpen.get(peer) === socket) this.#halfOpen.delete(peer);
    const left = (this.#perAddress.get(address) ?? 1) - 1;
    if (left > 0) this.#perAddress.set(address, left);
    else this.#perAddress.delete(address);
  }
}

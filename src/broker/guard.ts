import type { Client } from 'aedes';
import { invariant } from '../kernel/errors.ts';
import { engineClient } from './engine.ts';
import { LIMITS } from './limits.ts';

/** Packets above this are counted against what all clients together may have under way. */
const LARGE = 64 * 1024;

/** Bytes of large packets under way from all clients. */
export class LargePackets {
  #bytes = 0;

  take(bytes: number): boolean {
    if (this.#bytes + bytes > LIMITS.largePackets) return false;
    this.#bytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/**
 * Closes the connection as soon as a packet's header says it is larger than allowed, before anything of it is kept.
 * @param limit bytes; asked for every packet, since it is less before the login
 */
export function guardPackets(client: Client, limit: () => number, large: LargePackets, refused: () => void): void {
  const parser = engineClient(client)._parser;
  invariant(typeof parser?._parsePayload === 'function', 'aedes has changed: no parser to guard');
  const parsePayload = parser._parsePayload;
  let taken = 0;
  const give = () => {
    large.give(taken);
    taken = 0;
  };
  const refuse = (what: string) => {
    refused();
    give();
    parser._emitError(new Error(what));
    return false;
  };
  parser._parsePayload = function guarded(this: typeof parser): unknown {
    const { length } = parser.packet;
    if (length > limit()) return refuse('packet too large');
    if (length > LARGE) {
      const complete = parser._list.length >= length;
      if (complete) give();
      else if (taken === 0) {
        if (!large.take(length)) return refuse('too many large packets at once');
        taken = length;
      }
    }
    return parsePayload.call(parser);
  };
  client.conn.once('close', give);
}

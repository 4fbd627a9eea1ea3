import { TopicTree } from './topic-tree.ts';

type Packet = { readonly topic: string };
type Done = (error?: Error | null) => void;
type Listener = (packet: Packet, done: Done) => void;

/**
 * The subscriptions of connected clients, in the shape aedes wants its message bus. Unlike its own bus it does not make
 * a publisher wait until every subscriber has taken the message: one that does not read would hold up a fire button.
 * What a subscriber may leave unread is bounded where it is sent.
 */
export class Router {
  readonly #listeners = new TopicTree<Listener>();
  #closed = false;

  /** Whether a message on this topic would reach a connected client. */
  reaches(topic: string): boolean {
    return this.#listeners.matches(topic);
  }

  on(filter: string, listener: Listener, done?: Done): this {
    this.#listeners.add(filter, listener);
    if (done !== undefined) setImmediate(done);
    return this;
  }

  removeListener(filter: string, listener: Listener, done?: Done): this {
    this.#listeners.remove(filter, listener);
    if (done !== undefined) setImmediate(done);
    return this;
  }

  emit(packet: Packet, done: Done = ignore): this {
    if (this.#closed) {
      done(new Error('the broker is closed'));
      return this;
    }
    for (const listener of this.#listeners.match(packet.topic)) listener(packet, ignore);
    done();
    return this;
  }

  close(done: Done): this {
    this.#closed = true;
    setImmediate(done);
    return this;
  }
}

const ignore: Done = () => undefined;

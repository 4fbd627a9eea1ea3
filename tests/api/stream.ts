import type { Person } from './box.ts';
import { until } from './box.ts';

export interface StreamEvent {
  readonly id: string | null;
  readonly event: string;
  readonly data: Record<string, unknown> & { seq?: number; kind?: string };
  /** performance.now() when its bytes were there */
  readonly at: number;
}

/** A live stream as a browser reads it: WHATWG HTML §9.2.6. */
export class Stream {
  readonly status: number;
  ended = false;
  readonly #events: StreamEvent[] = [];
  /** Read but not looked at: fifty streams that parse would keep the server in the same thread waiting. */
  readonly #chunks: { text: string; at: number }[] = [];
  #text = '';
  #lastId: string | null = null;
  #comments = 0;
  readonly #stop: AbortController;

  private constructor(status: number, stop: AbortController) {
    this.status = status;
    this.#stop = stop;
  }

  static async open(person: Person, query = '', lastEventId?: string): Promise<Stream> {
    const stop = new AbortController();
    const answer = await fetch(`${person.base}/api/live${query}`, {
      headers: { cookie: person.cookie, ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }) },
      signal: stop.signal,
    });
    const stream = new Stream(answer.status, stop);
    if (answer.status !== 200 || answer.body === null) {
      stream.ended = true;
      await answer.arrayBuffer();
      return stream;
    }
    void stream.#read(answer.body);
    return stream;
  }

  get events(): readonly StreamEvent[] {
    for (const { text, at } of this.#chunks.splice(0)) {
      this.#text += text;
      const blocks = this.#text.split('\n\n');
      this.#text = blocks.pop() ?? '';
      for (const block of blocks) this.#take(block, at);
    }
    return this.#events;
  }

  get lastId(): string | null {
    return this.events.length >= 0 ? this.#lastId : null;
  }

  get comments(): number {
    return this.events.length >= 0 ? this.#comments : 0;
  }

  /** Entries received, in order. */
  entries(): { seq: number; kind: string; body: unknown }[] {
    return this.events.filter(({ event }) => event === 'message').map(({ data }) => data as never);
  }

  seqs(): number[] {
    return this.entries().map(({ seq }) => seq);
  }

  named(event: string): StreamEvent[] {
    return this.events.filter((one) => one.event === event);
  }

  has(count: number, withinMs = 10_000): Promise<void> {
    return until(() => this.entries().length >= count, `${count} entries (got ${this.entries().length})`, withinMs);
  }

  close(): void {
    this.#stop.abort();
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of body) {
        this.#chunks.push({ at: performance.now(), text: decoder.decode(chunk, { stream: true }) });
      }
    } catch (thrown) {
      if (!this.#stop.signal.aborted && !(thrown instanceof TypeError)) throw thrown;
    }
    this.ended = true;
  }

  #take(block: string, at: number): void {
    let event = 'message';
    let data = '';
    for (const line of block.split('\n')) {
      if (line.startsWith(':')) this.#comments += 1;
      else if (line.startsWith('id: ')) this.#lastId = line.slice(4);
      else if (line.startsWith('event: ')) event = line.slice(7);
      else if (line.startsWith('data: ')) data += line.slice(6);
    }
    if (data !== '') this.#events.push({ id: this.#lastId, event, data: JSON.parse(data), at });
  }
}

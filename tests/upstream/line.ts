import type { QuanweiError } from '../../src/kernel/errors.ts';
import type { Answered, Connect, Link, LinkEvents, LinkRequest } from '../../src/upstream/link.ts';

export interface Published {
  readonly topic: string;
  readonly payload: string;
  readonly retain: boolean;
  readonly answer: Answered;
}

/** One attempt to connect, whose every turn the test decides. */
export class Attempt implements Link {
  readonly request: LinkRequest;
  readonly events: LinkEvents;
  readonly published: Published[] = [];
  /** What the broker confirms at once; the rest waits for the test. */
  confirms = true;
  roomLeft = Number.POSITIVE_INFINITY;
  over = false;
  ended = false;
  subscribed: readonly string[] = [];

  constructor(request: LinkRequest, events: LinkEvents) {
    this.request = request;
    this.events = events;
  }

  room(): number {
    return this.roomLeft;
  }

  publish(topic: string, payload: string, retain: boolean, answer: Answered): void {
    this.published.push({ topic, payload, retain, answer });
    if (this.confirms) queueMicrotask(() => answer(null, true));
  }

  subscribe(topics: readonly string[]): Promise<string[]> {
    this.subscribed = topics;
    return Promise.resolve([]);
  }

  end(): Promise<void> {
    this.ended = true;
    return Promise.resolve();
  }

  break(error: QuanweiError): void {
    this.fail(error);
  }

  /** The connection is over. */
  fail(error: QuanweiError | null = null): void {
    if (this.over) return;
    this.over = true;
    this.events.down(error);
  }

  /** Ids of the events published here, in order. */
  ids(): string[] {
    return this.published.filter(({ topic }) => topic.includes('/event/')).map(({ payload }) => JSON.parse(payload).id);
  }
}

/** Connections under the test's control, with no socket: for what takes days, or what a real broker never does. */
export class Line {
  readonly attempts: Attempt[] = [];
  /** What becomes of an attempt; called in the turn after it was made. */
  onAttempt: (attempt: Attempt) => void = () => undefined;

  readonly connect: Connect = (request, events) => {
    const attempt = new Attempt(request, events);
    this.attempts.push(attempt);
    queueMicrotask(() => this.onAttempt(attempt));
    return attempt;
  };

  get last(): Attempt {
    const attempt = this.attempts.at(-1);
    if (attempt === undefined) throw new Error('no attempt was made');
    return attempt;
  }
}

/** Lets everything that is due in this turn of the event loop happen. */
export async function turns(count = 5): Promise<void> {
  for (let i = 0; i < count; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

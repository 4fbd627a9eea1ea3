import type { QuanweiError } from '../kernel/errors.ts';

/** A message from the centre. */
export interface Downlink {
  readonly topic: string;
  readonly payload: Buffer;
  readonly retain: boolean;
}

export interface LinkEvents {
  /** The broker has let us in. @param remembered it still had our session from the last time */
  up(remembered: boolean): void;
  /** It is over, whatever it was; called exactly once, and nothing after it but late confirmations. */
  down(error: QuanweiError | null): void;
  /** The broker is told that the message arrived when the promise settles. */
  message(message: Downlink): Promise<void>;
}

export interface LinkRequest {
  /**
   * `main`: the one connection that is a session, with a will. `side`: a second one beside it that is nobody's session,
   * for something large that alarms must not queue behind.
   */
  readonly as: 'main' | 'side';
  /** Said by the broker when the connection breaks; retained. */
  readonly will: { readonly topic: string; readonly payload: string } | null;
}

export type Answered = (error: QuanweiError | null, heard: boolean) => void;

/** One connection to the centre's broker: made, used, over. A new attempt is a new link. */
export interface Link {
  /** Messages the broker still accepts before it has confirmed earlier ones (MQTT 5 receive maximum). */
  room(): number;
  /**
   * QoS 1. `done` is called at most once: with `null` when the broker has confirmed. `heard` is `false` when it said
   * that nobody has subscribed to the topic (MQTT 5 only).
   */
  publish(topic: string, payload: string, retain: boolean, done: Answered): void;
  /** Resolves with the topics the broker refused to let us read. */
  subscribe(topics: readonly string[]): Promise<string[]>;
  /** Says goodbye (no will is sent). */
  end(): Promise<void>;
  /** Breaks the connection at once. */
  break(error: QuanweiError): void;
}

/** @throws QuanweiError when there is nothing to try, e.g. a certificate file that cannot be read */
export type Connect = (request: LinkRequest, events: LinkEvents) => Link;

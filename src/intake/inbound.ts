/** A message as a transport hands it in: who is authenticated, nothing else is known to be true. */
export interface Inbound {
  /** Registry id of the device (or hub) that logged in. */
  readonly client: string;
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2;
  /** The sender asked to keep it for later subscribers: a state, not news (design §2 promise 10). */
  readonly retain: boolean;
  /** MQTT's own "I sent this before". Recorded, never relied on: a resend after a failed commit carries `false`. */
  readonly dup: boolean;
  /** Sent by the broker on the client's behalf because its connection died. */
  readonly will: boolean;
}

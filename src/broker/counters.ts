/** Why somebody was not let in. */
export const REFUSALS = [
  'unknown', // no such device
  'wrong-secret',
  'disabled',
  'no-login', // neither user name nor certificate
  'certificate', // of another CA, expired, revoked, or of another device than the user name says
  'too-many-attempts',
  'client-id',
  'protocol', // another MQTT than 3.1 and 3.1.1
  'too-many-connections',
] as const;
export type Refusal = (typeof REFUSALS)[number];

/** Why a message, a subscription or a connection was given up. */
export const DROPS = [
  'not-allowed', // outside the device's own topics
  'storage', // a QoS 0 message that could not be stored
  'queue-full', // for a device that is away
  'retained-full',
  'subscription', // refused with 0x80
  'will', // outside the device's own topics
  'unstored', // connection closed: a QoS 1 or 2 message could not be stored
  'oversize', // connection closed: a packet above the bound
  'malformed', // connection closed: not MQTT
  'not-reading', // connection closed: does not take what is sent to it
  'half-open', // connection closed: never said CONNECT
  'overruled', // connection closed: its device was removed, disabled, got another secret or lost its certificate
] as const;
export type Drop = (typeof DROPS)[number];

/** Counts since the broker started; what `/metrics` shows. */
export class Counters {
  connections = 0;
  readonly received: [number, number, number] = [0, 0, 0];
  sent = 0;
  readonly refused: Record<Refusal, number> = zeros(REFUSALS);
  readonly dropped: Record<Drop, number> = zeros(DROPS);

  refuse(why: Refusal): void {
    this.refused[why] += 1;
  }

  drop(why: Drop): void {
    this.dropped[why] += 1;
  }
}

function zeros<K extends string>(names: readonly K[]): Record<K, number> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Record<K, number>;
}

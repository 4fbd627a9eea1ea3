/** Bounds of the broker that no site has reason to change; those it may change are in `mqtt:` of the configuration. */
export const LIMITS = {
  /** Bytes of a packet before the login: CONNECT with its will. */
  connectPacket: 64 * 1024,
  /** ms from the connection to a complete CONNECT; and for the TLS handshake before it. */
  connectTimeout: 10_000,
  /** Connections that have not said CONNECT; past it the oldest of them goes. */
  halfOpen: 1_000,
  /** Bytes of packets above 64 kB that are under way from all clients together. */
  largePackets: 64 * 1024 * 1024,
  /** Bytes. */
  topic: 1_024,
  clientId: 256,
  subscriptions: 128,
  /** Connections of one device at a time; a new one closes the oldest. */
  connectionsPerDevice: 16,
  /** Sessions kept for one device (a client that makes up a new id every time leaves one behind each time). */
  sessionsPerDevice: 8,
  /** ms a session is kept for a client that does not come back. */
  sessionExpiry: 7 * 86_400_000,
  /** Bytes of all messages queued for devices that are away. */
  queuedBytes: 32 * 1024 * 1024,
  retainedPerDevice: 2_000,
  retainedBytes: 32 * 1024 * 1024,
  retainedPayload: 256 * 1024,
  /** Bytes waiting for one client to read them, at least; one packet of the greatest size always fits. */
  unread: 1024 * 1024,
  /** ms a client may leave its full socket unread. */
  drain: 30_000,
  /** ms between a broken connection and its will; none when the client is back by then. */
  willDelay: 5_000,
  /** The same after a start: everybody's connection is broken then, and everybody comes back. */
  willDelayAfterStart: 60_000,
  /** ms a client that must not be acknowledged waits for its connection to be closed. */
  unstoredPause: 1_000,
  /** Messages outside its topics that are recorded of one client at once, and the refill a second. */
  forbiddenBurst: 20,
  forbiddenPerSecond: 1 / 60,
  /** Secrets checked at once, and waiting to be. */
  checksAtOnce: 2,
  /** ms between looks at who is connected and still may be. */
  sweep: 10_000,
} as const;

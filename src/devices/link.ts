import type { Outgoing } from './event.ts';

/** The way to a device; the broker implements it. */
export interface DeviceLink {
  /**
   * Hands a message to the transport. Resolves when it is on its way (to a connected client) or queued (QoS 1, away).
   * @throws QuanweiError DEVICE_OFFLINE when the device (or its hub) has no connection and the message cannot wait
   */
  send(device: string, message: Outgoing): Promise<void>;
  connected(device: string): boolean;
  /**
   * As `send`, for what nobody misses (a receipt is asked for again): when nobody would take it, it is not sent, and
   * finding that out costs next to nothing.
   * @returns whether it was sent
   */
  offer(device: string, message: Outgoing): boolean;
}

import type { Outgoing } from './event.ts';

/** The way to a device; the broker implements it. */
export interface DeviceLink {
  /**
   * Hands a message to the transport. Resolves when it is on its way (to a connected client) or queued (QoS 1, away).
   * @throws QuanweiError DEVICE_OFFLINE when the device (or its hub) has no connection and the message cannot wait
   */
  send(device: string, message: Outgoing): Promise<void>;
  connected(device: string): boolean;
}

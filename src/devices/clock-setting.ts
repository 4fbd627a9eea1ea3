import type { Draft } from '../journal/entry.ts';
import type { Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import type { Catalogue } from './catalogue.ts';
import type { Device } from './device.ts';
import { encodeCommand } from './encode.ts';
import type { DeviceLink } from './link.ts';

const COMMAND = 'setTime';
/** A device that does not take the time is told again this much later, ms, and no more than so many times. */
const AGAIN_MS = 10 * 60_000;
const TIMES = 6;

export interface ClockSettingParts {
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly link: DeviceLink;
  /** The site's zone: most devices are told local time. */
  readonly timezone: string;
  readonly log: Log;
}

/** Tells devices whose clock is wrong the right time, where their profile has a command for it. */
export class ClockSetting {
  readonly #parts: ClockSettingParts;
  readonly #told = new Map<string, { at: number; times: number }>();

  constructor(parts: ClockSettingParts) {
    this.#parts = parts;
  }

  /** Those of `wrong` to be told now, each with the entry that says so. A box that does not know the time tells nobody. */
  due(wrong: readonly Device[]): { device: Device; draft: Draft }[] {
    const { catalogue, clock } = this.#parts;
    for (const id of this.#told.keys()) if (!wrong.some((device) => device.id === id)) this.#told.delete(id);
    if (clock.state() !== 'synced') return [];
    const now = clock.mono();
    return wrong.flatMap((device) => {
      if (!Object.hasOwn(catalogue.get(device.profile).commands, COMMAND)) return [];
      const { at, times } = this.#told.get(device.id) ?? { at: Number.NEGATIVE_INFINITY, times: 0 };
      if (now - at < AGAIN_MS || times >= TIMES) return [];
      const body = { name: device.name, place: device.place, command: COMMAND, attempt: times + 1 };
      return [{ device, draft: { kind: 'device.state', actor: 'system', subject: device.id, body } }];
    });
  }

  /** @param messageId id of the entry that records it */
  send(device: Device, messageId: string): void {
    const { catalogue, clock, timezone, link, log } = this.#parts;
    this.#told.set(device.id, { at: clock.mono(), times: (this.#told.get(device.id)?.times ?? 0) + 1 });
    const failed = (thrown: unknown): void =>
      log.info({ device: device.id, why: messageOf(thrown) }, 'the device was not told the time');
    try {
      const profile = catalogue.get(device.profile);
      const moment = { now: clock.wall(), timezone };
      for (const message of encodeCommand(profile, device, COMMAND, {}, messageId, moment).messages) {
        // Never queued: the time is only right now.
        link.send(device.id, { ...message, qos: 0 }).catch(failed);
      }
    } catch (thrown) {
      failed(thrown);
    }
  }
}

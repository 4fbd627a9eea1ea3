import { resolveParams } from '../devices/binding.ts';
import type { Catalogue, Profile } from '../devices/catalogue.ts';
import { ANY_COMMAND, type DeviceInfo, type Reply } from '../devices/decode.ts';
import { encodeCommand } from '../devices/encode.ts';
import type { Detail, Outgoing } from '../devices/event.ts';
import type { DeviceLink } from '../devices/link.ts';
import type { Draft } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import { Allowance } from '../kernel/allowance.ts';
import type { Cancel, Clock } from '../kernel/clock.ts';
import { messageOf, QuanweiError } from '../kernel/errors.ts';
import type { NewId } from '../kernel/ids.ts';
import type { Log } from '../kernel/log.ts';

/** Who may open a door without being asked why: a fire releases it, a face is its own reason. */
export type DoorSource = 'operator' | 'centre' | 'linkage' | 'face';

export interface OpenRequest {
  /** Registry id of the door. */
  readonly door: string;
  /** As in the journal: `user:NAME`, `centre`, `system`. */
  readonly actor: string;
  /** Required of people; at most 200 characters. */
  readonly reason: string;
  readonly source: DoorSource;
  /** Kept with the command, e.g. the alarm it is for. */
  readonly detail?: Detail;
}

export interface DoorResult {
  readonly ok: boolean;
  /**
   * `opened` the device said so · `sent` it never answers, and the message is on its way · `refused` it said no ·
   * `timeout` it said nothing · `offline` it has no connection.
   */
  readonly code: 'opened' | 'sent' | 'refused' | 'timeout' | 'offline';
  /** The device's own words, or what went wrong. */
  readonly detail: string;
  /** From the command on its way to the answer. */
  readonly ms: number;
  /** Id of the `door.command` entry. */
  readonly command: string;
}

export interface DoorState {
  readonly id: string;
  readonly name: string;
  readonly place: string;
  readonly connected: boolean;
  /** The last command of this run and what came of it. */
  readonly last: (DoorResult & { readonly at: number; readonly actor: string }) | null;
}

interface DoorRegistry {
  get(id: string): (DeviceInfo & { profile: string; hub: string | null; enabled: boolean }) | null;
  all(): readonly (DeviceInfo & { profile: string; hub: string | null; enabled: boolean })[];
}

export interface DoorsParts {
  readonly journal: Journal;
  readonly registry: DoorRegistry;
  readonly catalogue: Catalogue;
  readonly link: DeviceLink;
  readonly timezone: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly newId: NewId;
}

interface Waiting {
  readonly door: string;
  readonly command: string;
  readonly since: number;
  readonly timer: Cancel;
  settle(outcome: Pick<DoorResult, 'ok' | 'code' | 'detail'>): void;
}

/** Commands whose time is over are remembered, so that an answer that comes late is told apart from one to nothing. */
const REMEMBERED = 1_000;
/** What one person may open in a minute, all doors together. */
const PER_ACTOR = 30;
/** In a fire an answer is not waited for longer than this before it is tried again, ms. */
const FIRE_TIMEOUT_MS = 2_000;
/** A fire's release waits this long for its entry to be on disk, and then no longer, ms. */
const RECORD_MS = 300;

/**
 * Opening doors: recorded before the command leaves, answered by what the device says, never more often than it can
 * bear. A fire's release is held up by nothing: neither by a rate limit nor by a disk that cannot be written.
 */
export class Doors {
  readonly #parts: DoorsParts;
  readonly #waiting = new Map<string, Waiting>();
  readonly #over = new Map<string, { door: string; at: number }>();
  readonly #last = new Map<string, DoorResult & { at: number; actor: string }>();
  readonly #perActor: Allowance;
  readonly #perDoor = new Map<number, Allowance>();

  constructor(parts: DoorsParts) {
    this.#parts = parts;
    this.#perActor = new Allowance(parts.clock, PER_ACTOR, PER_ACTOR / 60);
  }

  /**
   * Resolves with what came of it; a door that does not open is a result, not an exception.
   * @throws QuanweiError NOT_FOUND no such door, or it cannot be opened from here · BAD_REQUEST no reason given ·
   *   TOO_MANY the limit of the door or of the person · STORAGE_* it could not be recorded, so it was not done
   */
  async open(request: OpenRequest): Promise<DoorResult> {
    const { device, profile } = this.#door(request.door);
    const reason = request.reason.trim().slice(0, 200);
    if (reason === '' && request.source !== 'linkage' && request.source !== 'face') {
      throw new QuanweiError('BAD_REQUEST', '请填写开门原因 · a reason is required to open a door', {
        where: device.id,
      });
    }
    const command = this.#parts.newId();
    const encoded = encodeCommand(profile, device, 'open', {}, command, {
      now: this.#parts.clock.wall(),
      timezone: this.#parts.timezone,
    });
    if (request.source !== 'linkage') this.#limit(request, encoded.perMinute);
    await this.#record(request, {
      id: command,
      kind: 'door.command',
      actor: request.actor,
      subject: device.id,
      lane: 2,
      body: { command: 'open', source: request.source, reason, ...request.detail },
    });
    const began = this.#parts.clock.mono();
    const timeoutMs = request.source === 'linkage' ? Math.min(encoded.timeoutMs, FIRE_TIMEOUT_MS) : encoded.timeoutMs;
    const outcome = await this.#deliver(device.id, command, { ...encoded, timeoutMs });
    const result: DoorResult = { ...outcome, ms: Math.round(this.#parts.clock.mono() - began), command };
    this.#last.set(device.id, { ...result, at: this.#parts.clock.wall(), actor: request.actor });
    await this.#recordResult(request.actor, device.id, result);
    return result;
  }

  /** An answer a device gave; told by the intake after the message is on disk. */
  reply(device: string, reply: Reply): void {
    const waiting = reply.to === ANY_COMMAND ? this.#oldest(device) : this.#waiting.get(reply.to);
    if (waiting !== undefined && waiting.door === device) {
      waiting.settle({ ok: reply.ok, code: reply.ok ? 'opened' : 'refused', detail: reply.detail || reply.code });
      return;
    }
    const late = this.#over.get(reply.to);
    if (late === undefined || late.door !== device) return; // answers somebody else's command, or one twice
    this.#over.delete(reply.to);
    this.#journal({
      kind: 'door.result',
      actor: `device:${device}`,
      subject: device,
      lane: 2,
      body: {
        command: reply.to,
        ok: reply.ok,
        code: 'late',
        detail: reply.detail,
        ms: Math.round(this.#parts.clock.mono() - late.at),
      },
    }).catch((thrown: unknown) => this.#parts.log.warn({ err: thrown, device }, 'late answer not recorded'));
  }

  /** Every device that is a door: by its model, or because its relay was said to drive a lock. */
  list(): DoorState[] {
    const { registry, catalogue, link } = this.#parts;
    return registry
      .all()
      .filter((device) => device.enabled && catalogue.has(device.profile))
      .filter((device) => isDoor(catalogue.get(device.profile), device))
      .map(({ id, name, place, hub }) => ({
        id,
        name,
        place,
        connected: link.connected(hub ?? id),
        last: this.#last.get(id) ?? null,
      }));
  }

  /** Whether a command could reach it now. */
  connected(door: string): boolean {
    const { registry, link } = this.#parts;
    return link.connected(registry.get(door)?.hub ?? door);
  }

  #door(id: string): { device: DeviceInfo; profile: Profile } {
    const { registry, catalogue } = this.#parts;
    const device = registry.get(id);
    if (device === null || !device.enabled || !catalogue.has(device.profile)) {
      throw new QuanweiError('NOT_FOUND', `没有此门 · there is no door ${id}`, { where: id });
    }
    const profile = catalogue.get(device.profile);
    if (!opens(profile)) {
      throw new QuanweiError('NOT_FOUND', `${device.name} 不能远程开启 · cannot be opened from here`, { where: id });
    }
    return { device, profile };
  }

  #limit({ door, actor, source }: OpenRequest, perMinute: number): void {
    let perDoor = this.#perDoor.get(perMinute);
    if (perDoor === undefined) {
      perDoor = new Allowance(this.#parts.clock, perMinute, perMinute / 60);
      this.#perDoor.set(perMinute, perDoor);
    }
    if (!perDoor.take(door) || (source === 'operator' && !this.#perActor.take(actor))) {
      throw new QuanweiError('TOO_MANY', `开门过于频繁 · ${door} is being opened too often`, {
        where: door,
        hint: `at most ${perMinute} a minute for the door, ${PER_ACTOR} a minute for a person`,
      });
    }
  }

  async #deliver(
    door: string,
    command: string,
    encoded: ReturnType<typeof encodeCommand>,
  ): Promise<Pick<DoorResult, 'ok' | 'code' | 'detail'>> {
    // Checked first: what the broker would keep for a door that is away opens it later, when nobody stands there.
    if (!this.connected(door)) return { ok: false, code: 'offline', detail: `${door} is not connected` };
    const { waiting, outcome } = this.#expect(door, command, encoded.timeoutMs);
    const sent = this.#send(door, encoded.messages);
    sent.then(
      () => {
        if (!encoded.awaitsReply) waiting.settle({ ok: true, code: 'sent', detail: '' });
      },
      (thrown: unknown) => waiting.settle({ ok: false, code: 'offline', detail: messageOf(thrown) }),
    );
    return outcome;
  }

  async #send(door: string, messages: readonly Outgoing[]): Promise<void> {
    // Never QoS 1, for the same reason: one that got lost on a breaking connection must not be delivered after all.
    for (const message of messages) await this.#parts.link.send(door, { ...message, qos: 0 });
  }

  #expect(door: string, command: string, timeoutMs: number) {
    const { clock } = this.#parts;
    const since = clock.mono();
    let settle: Waiting['settle'] = () => undefined;
    const outcome = new Promise<Pick<DoorResult, 'ok' | 'code' | 'detail'>>((resolve) => {
      settle = resolve;
    });
    const timer = clock.after(timeoutMs, () => {
      this.#over.set(command, { door, at: since });
      for (const oldest of this.#over.keys()) {
        if (this.#over.size <= REMEMBERED) break;
        this.#over.delete(oldest);
      }
      waiting.settle({ ok: false, code: 'timeout', detail: `no answer within ${timeoutMs} ms` });
    });
    const waiting: Waiting = {
      door,
      command,
      since,
      timer,
      settle: (result) => {
        timer.cancel();
        this.#waiting.delete(command);
        settle(result);
      },
    };
    this.#waiting.set(command, waiting);
    return { waiting, outcome };
  }

  /** Insertion order is the order of sending. */
  #oldest(door: string): Waiting | undefined {
    for (const waiting of this.#waiting.values()) if (waiting.door === door) return waiting;
    return undefined;
  }

  async #record(request: OpenRequest, draft: Draft): Promise<void> {
    if (request.source !== 'linkage') return this.#journal(draft);
    const { clock, log } = this.#parts;
    let late: Cancel | undefined;
    const soon = new Promise<void>((resolve) => {
      late = clock.after(RECORD_MS, resolve);
    });
    const recorded = this.#journal(draft).catch((thrown: unknown) =>
      log.error({ err: thrown, door: request.door }, 'fire release is not recorded, and goes ahead'),
    );
    await Promise.race([recorded, soon]);
    late?.cancel();
  }

  async #recordResult(actor: string, door: string, { command, ok, code, detail, ms }: DoorResult): Promise<void> {
    try {
      await this.#journal({
        kind: 'door.result',
        actor,
        subject: door,
        lane: 2,
        body: { command, ok, code, detail, ms },
      });
    } catch (thrown) {
      // The door is open or not whatever the disk says; who asked must be told which.
      this.#parts.log.error({ err: thrown, door, code }, 'what came of opening a door is not recorded');
    }
  }

  async #journal(draft: Draft): Promise<void> {
    await this.#parts.journal.append([draft]);
  }
}

const opens = (profile: Profile): boolean => Object.hasOwn(profile.commands, 'open');

/** A call point's module has a relay whether anything hangs on it or not; its parameter `lock` says that a door does. */
export const isDoor = (profile: Profile, device: DeviceInfo): boolean =>
  opens(profile) &&
  (profile.kind === 'face-door' || profile.kind === 'door' || resolveParams(profile, device)['lock'] === 'yes');

import { createHash } from 'node:crypto';
import type { Alarm } from '../alarms/alarm.ts';
import type { Board } from '../alarms/board.ts';
import type { Catalogue, Profile } from '../devices/catalogue.ts';
import { type Decoded, decode } from '../devices/decode.ts';
import type { DeviceEvent } from '../devices/event.ts';
import type { DeviceLink } from '../devices/link.ts';
import { keptBytes } from '../devices/redact.ts';
import type { Device, Registry } from '../devices/registry.ts';
import type { Doors } from '../doors/commands.ts';
import type { Draft, Lane } from '../journal/entry.ts';
import { contentKey, type Journal } from '../journal/journal.ts';
import { Allowance } from '../kernel/allowance.ts';
import type { Clock } from '../kernel/clock.ts';
import { messageOf, QuanweiError } from '../kernel/errors.ts';
import type { NewId } from '../kernel/ids.ts';
import type { Log } from '../kernel/log.ts';
import type { DoorPictures } from './door-pictures.ts';
import type { Inbound } from './inbound.ts';

/** Bytes of an undecodable payload kept word for word; the rest is told by its size and sha256. */
const UNKNOWN_KEPT = 64 * 1024;
/** Undecodable messages one client may have kept at once, and how fast that allowance refills. */
const UNKNOWN_BURST = 1_000;
const UNKNOWN_PER_SECOND = 10;
const DROP_REPORT_MS = 60_000;

export interface IntakeParts {
  readonly journal: Journal;
  readonly board: Board;
  readonly catalogue: Catalogue;
  readonly registry: Registry;
  readonly timezone: string;
  /** `null`: pictures of face doors are nobody's business. */
  readonly pictures?: DoorPictures | null;
  readonly clock: Clock;
  readonly log: Log;
  readonly newId: NewId;
}

export interface IntakeCounts {
  messages: number;
  quiet: number;
  duplicates: number;
  unknown: number;
  dropped: number;
  failed: number;
}

/**
 * THE door: message → decode → stamp → de-duplicate → alarms → one commit → receipt. Every transport comes through
 * here, and whatever acknowledgement the transport has is given only after `receive` resolved.
 */
export class Intake {
  readonly counts: IntakeCounts = { messages: 0, quiet: 0, duplicates: 0, unknown: 0, dropped: 0, failed: 0 };
  readonly #parts: IntakeParts;
  readonly #unknowns: Allowance;
  /** Content keys whose commit is under way: a twin waits for it instead of being counted. */
  readonly #underWay = new Map<string, Promise<void>>();
  readonly #dropped = new Map<string, number>();
  /** Who has said something that waits for the journal to know its content keys, shortly after the start; of no use later. */
  readonly #late = new Set<string>();
  readonly #link: () => DeviceLink | null;
  readonly #doors: () => Doors | null;

  /**
   * @param link where receipts go; a function, because the broker that implements it is started after the intake
   * @param doors told of every answer to a command
   */
  constructor(parts: IntakeParts, link: () => DeviceLink | null, doors: () => Doors | null) {
    this.#parts = parts;
    this.#link = link;
    this.#doors = doors;
    this.#unknowns = new Allowance(parts.clock, UNKNOWN_BURST, UNKNOWN_PER_SECOND);
    parts.clock.every(DROP_REPORT_MS, () => this.#reportDropped());
  }

  /**
   * Resolves when all that follows from the message is on disk.
   * @throws QuanweiError STORAGE_* when it could not be stored: the sender must not be told it was
   */
  receive(message: Inbound): Promise<void> {
    try {
      return this.#receive(message);
    } catch (thrown) {
      return Promise.reject(thrown);
    }
  }

  /** Neither this nor `#keep` is `async`: of what every message costs, promises are the part that can be saved. */
  #receive(message: Inbound): Promise<void> {
    const { catalogue, registry, clock, journal } = this.#parts;
    const { recalling } = journal;
    if (recalling !== null && this.#late.has(message.client)) return recalling.then(() => this.#receive(message));
    this.counts.messages += 1;
    const device = registry.get(message.client);
    if (device === null) {
      throw new QuanweiError('NOT_FOUND', `no device is registered as ${message.client}`, { where: message.topic });
    }
    const now = clock.wall();
    const profile = catalogue.get(device.profile);
    let decoded: Decoded;
    try {
      decoded = decode(profile, {
        device,
        topic: message.topic,
        payload: message.payload,
        retain: message.retain,
        now,
        timezone: this.#parts.timezone,
        childOf: (key) => {
          const child = registry.childOf(device.id, key);
          return child === null ? null : { device: child, profile: catalogue.get(child.profile) };
        },
      });
    } catch (thrown) {
      if (!(thrown instanceof QuanweiError && thrown.code === 'UNDECODABLE')) {
        // A decoder that fails in a way it should not must still not cost the message.
        this.#parts.log.error({ err: thrown, device: device.id, topic: message.topic }, 'decoder failed');
      }
      registry.note(device.id, now, {});
      return this.#keepUnknown(message, profile, messageOf(thrown));
    }
    if (decoded.candidate !== null) {
      registry.candidate({ via: device.id, key: decoded.candidate.key, hint: decoded.candidate.hint });
      // A fire told by an end device nobody registered is raised in the hub's name; all else waits to be registered.
      if (decoded.events.length === 0) {
        registry.note(device.id, now, {});
        return this.#keepUnknown(message, profile, `${decoded.candidate.key} is not registered behind ${device.id}`);
      }
    }
    if (recalling !== null && decoded.key !== null) {
      // What the same client says next waits behind it: it stays in order.
      this.#late.add(message.client);
      return recalling.then(() => this.#keep(message, device, decoded));
    }
    return this.#keep(message, device, decoded);
  }

  #keep(message: Inbound, device: Device, decoded: Decoded): Promise<void> {
    const { journal, registry, clock } = this.#parts;
    const now = clock.wall();
    const stateDrafts: Draft[] = [];
    // The client itself has spoken (a will is the broker's word, not its own), and so has the device it speaks for.
    if (!message.will) stateDrafts.push(...registry.note(device.id, now, {}));
    for (const { device: id, report } of decoded.reports) {
      if (!message.will || report.online === false) stateDrafts.push(...registry.note(id, now, report));
    }

    if (decoded.quiet && stateDrafts.length === 0 && !this.#isNews(decoded.events)) {
      this.counts.quiet += 1;
      this.#answer(device.id, decoded);
      return Promise.resolve();
    }

    const key = decoded.key === null ? null : contentKey(decoded.device, decoded.key);
    if (key !== null) {
      const twin = this.#underWay.get(key);
      if (twin !== undefined || journal.seen(key)) {
        this.counts.duplicates += 1;
        // Said once more: the receipt is sent again, but what it answered has been answered.
        return Promise.resolve(twin).then(() => this.#answer(device.id, { ...decoded, reply: null }));
      }
    }
    const stored = this.#commit(message, device, decoded, key, stateDrafts);
    if (key !== null) this.#underWay.set(key, stored);
    return stored.then(
      () => {
        if (key !== null) this.#underWay.delete(key);
        this.#answer(device.id, decoded);
        if (decoded.picture !== null) this.#parts.pictures?.offer(decoded.device, now, decoded.picture);
      },
      (thrown: unknown) => {
        if (key !== null) this.#underWay.delete(key);
        this.counts.failed += 1;
        throw thrown;
      },
    );
  }

  /** Whether anything would come of it. While a commit is under way nobody can tell yet what it will leave behind. */
  #isNews(events: readonly DeviceEvent[]): boolean {
    const { board } = this.#parts;
    return events.length > 0 && (board.busy || events.some((event) => board.matters(event)));
  }

  #commit(message: Inbound, device: Device, decoded: Decoded, key: string | null, states: Draft[]): Promise<void> {
    const { board, registry, newId } = this.#parts;
    const cause = newId();
    return board.transact((tx) => {
      tx.append({
        id: cause,
        kind: 'message',
        actor: `device:${device.id}`,
        subject: decoded.device,
        deviceTime: decoded.deviceTime,
        lane: laneOf(decoded.events),
        key,
        body: messageBody(message, decoded),
      });
      for (const draft of states) tx.append(draft);
      for (const event of decoded.events) {
        const about = registry.get(event.device) ?? device;
        tx.event(event, { name: about.name, place: about.place, channel: channelOf(event), cause });
      }
    });
  }

  async #keepUnknown(message: Inbound, profile: Profile, reason: string): Promise<void> {
    this.counts.unknown += 1;
    if (!this.#unknowns.take(message.client)) {
      this.counts.dropped += 1;
      this.#dropped.set(message.client, (this.#dropped.get(message.client) ?? 0) + 1);
      return;
    }
    const kept = keptBytes(profile, message.payload).subarray(0, UNKNOWN_KEPT);
    try {
      await this.#parts.journal.append([
        {
          kind: 'unknown',
          actor: `device:${message.client}`,
          subject: message.client,
          body: {
            topic: message.topic,
            reason,
            bytes: message.payload.length,
            sha256: createHash('sha256').update(message.payload).digest('hex'),
            ...(isPlainText(kept) ? { text: kept.toString('utf8') } : { base64: kept.toString('base64') }),
          },
        },
      ]);
    } catch (thrown) {
      this.counts.failed += 1;
      throw thrown;
    }
  }

  /** What the device waits for: its receipt, and the command its message answers. Only ever after the commit. */
  #answer(client: string, decoded: Decoded): void {
    // A receipt that cannot be delivered is no loss: the device says it again and is recognised by its content key.
    if (decoded.receipt !== null) this.#link()?.offer(client, decoded.receipt);
    if (decoded.reply !== null && !decoded.replayed) this.#doors()?.reply(decoded.device, decoded.reply);
  }

  #reportDropped(): void {
    if (this.#dropped.size === 0) return;
    const clients = Object.fromEntries(this.#dropped);
    this.#dropped.clear();
    this.#parts.journal
      .append([
        {
          kind: 'system.dropped',
          actor: 'system',
          subject: null,
          body: { what: 'undecodable messages above the allowance', clients },
        },
      ])
      .catch((thrown: unknown) => this.#parts.log.warn({ err: thrown, clients }, 'could not record what was dropped'));
  }
}

/** Records a centre is interested in; alarms travel as entries of their own. */
function laneOf(events: readonly DeviceEvent[]): Lane | null {
  return events.some((event) => event.category.startsWith('access.') || event.category.startsWith('door.')) ? 2 : null;
}

const channelOf = (event: DeviceEvent): Alarm['channel'] =>
  event.category.startsWith('camera.') || event.category.startsWith('intrusion.') ? 'camera' : 'device';

function messageBody(message: Inbound, decoded: Decoded): Record<string, unknown> {
  const { message: name, events, raw } = decoded;
  const body: Record<string, unknown> = { topic: message.topic, message: name, events, raw };
  if (decoded.replayed) body['replayed'] = true;
  if (message.retain) body['retain'] = true;
  if (message.will) body['will'] = true;
  return body;
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Whether bytes can be kept as JSON text without becoming something else. */
function isPlainText(bytes: Buffer): boolean {
  try {
    return !/(?![\t\n\r])\p{Cc}/u.test(decoder.decode(bytes));
  } catch {
    return false;
  }
}

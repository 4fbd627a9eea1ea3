import type { Locate } from '../config/load.ts';
import type { DeviceConfig } from '../config/schema.ts';
import type { Change, Draft } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import type { Cancel, Clock } from '../kernel/clock.ts';
import { messageOf, QuanweiError } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import { childKey } from './binding.ts';
import { type Candidate, Candidates, type Knock } from './candidates.ts';
import type { Catalogue } from './catalogue.ts';
import {
  type Device,
  DeviceDraft,
  DevicePatch,
  type DeviceRow,
  type DeviceState,
  described,
  deviceOf,
  differences,
} from './device.ts';
import { faultOf, faultsOf, MOST_DEVICES } from './device-rules.ts';
import type { DeviceReport } from './event.ts';
import { fileDevices, rowChange } from './file-devices.ts';
import { audit, badDevices, parse } from './registry-words.ts';
import { Roster } from './roster.ts';
import { generateSecret, hashSecret } from './secret.ts';
import { States } from './states.ts';

export type { Candidate } from './candidates.ts';
export type { Device, DeviceState } from './device.ts';

const FLUSH_MS = 30_000;
/** After the first sign of life of a device: many that come at once are one write. */
const SOON_MS = 1_000;
/** Rows in one request to the writer: others' commits come in between. */
const ROWS_AT_ONCE = 50;

export interface RegistryParts {
  readonly journal: Journal;
  readonly catalogue: Catalogue;
  /** With where in the file its devices stand, when they come from one. */
  readonly config: { readonly devices: readonly DeviceConfig[]; readonly locate?: Locate | undefined };
  readonly clock: Clock;
  readonly log: Log;
}

/** A device just made or given a new secret; the secret is told here, once, and kept nowhere. */
export interface Issued {
  readonly device: Device;
  /** `null` for a device behind a hub. */
  readonly secret: string | null;
}

/** Every device, how it is, and who knocked without being one. */
export class Registry {
  readonly #parts: RegistryParts;
  readonly #roster = new Roster();
  readonly #states: States;
  /** Whoever has said something since this process started. */
  readonly #spoken = new Set<string>();
  readonly #candidates: Candidates;
  readonly #listeners = new Set<(id: string) => void>();
  readonly #ends: Cancel[] = [];
  #soon: Cancel | null = null;
  /** Changes of the roster one after the other: each is checked against the outcome of the one before. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(parts: RegistryParts) {
    this.#parts = parts;
    const { journal, clock, log } = parts;
    this.#states = new States(journal.select('SELECT * FROM device_states'), clock, (id) => this.#tell(id));
    this.#candidates = new Candidates(journal.select('SELECT * FROM device_candidates'));
    const follow = journal.follow((entries) => {
      for (const entry of entries) if (entry.kind === 'device.state') this.#states.confirm(entry);
    });
    const flush = clock.every(FLUSH_MS, () => {
      this.flush().catch((thrown: unknown) => log.warn({ err: thrown }, 'device states could not be written'));
    });
    this.#ends.push(follow, flush);
  }

  /**
   * The file's devices and the page's. What changed in the file since the last start is recorded.
   * @throws QuanweiError BAD_CONFIG that names every device of the file that does not fit, STORAGE_*
   */
  static async load(parts: RegistryParts): Promise<Registry> {
    const { journal, config, catalogue, log, clock } = parts;
    const began = clock.mono();
    const rows = journal.select<DeviceRow>('SELECT * FROM devices ORDER BY id');
    const file = await fileDevices(config.devices, rows, journal.dir);
    const registry = new Registry(parts);
    const roster = registry.#roster;
    for (const device of file.devices) roster.put(device);
    const wrong = faultsOf(file.devices, roster, catalogue, config.locate);
    if (wrong.length > 0) {
      registry.#end();
      throw badDevices(wrong);
    }
    for (const row of rows) {
      if (row.managed !== 'page' || roster.get(row.id) !== null) continue;
      const device = deviceOf(row);
      roster.put(device);
      const fault = faultOf(device, roster, catalogue);
      // What was right when it was registered must not keep the box from starting.
      if (fault !== null) log.error({ device: device.id, ...fault }, 'a registered device cannot work any more');
    }
    await registry.#store(file.drafts, file.changes);
    for (const { id } of roster.all()) registry.#states.add(id);
    log.info({ devices: roster.size, hashed: file.hashed, ms: Math.round(clock.mono() - began) }, 'devices are known');
    return registry;
  }

  get(id: string): Device | null {
    return this.#roster.get(id);
  }

  all(): Device[] {
    return this.#roster.all();
  }

  /** Rises whenever a device is registered, changed or removed. */
  get version(): number {
    return this.#roster.version;
  }

  /** The devices a hub speaks for. */
  children(hub: string): Device[] {
    return this.#roster.children(hub);
  }

  /** The device a hub knows by this name. */
  childOf(hub: string, key: string): Device | null {
    return this.#roster.childOf(hub, key);
  }

  /** Whether a life may hang on it, as its profile says. `false` for what is not registered. */
  lifeSafety(id: string): boolean {
    const { catalogue } = this.#parts;
    const device = this.#roster.get(id);
    return device !== null && catalogue.has(device.profile) && catalogue.get(device.profile).supervision.lifeSafety;
  }

  state(id: string): DeviceState {
    return this.#states.get(id);
  }

  /** Signs of life and words about being offline, in monotonic time of this process; `null` for none. */
  heard(id: string): { readonly at: number | null; readonly saidOffline: number | null } {
    return { at: this.#states.heard(id), saidOffline: this.#states.saidOffline(id) };
  }

  /**
   * What a message told about a device; that it came at all is a sign of life, unless it says the contrary.
   * @param at gateway wall clock, ms
   * @returns what changed and is worth an entry, for the caller's own transaction; if that fails it is told again later
   */
  note(id: string, at: number, report: DeviceReport): Draft[] {
    const device = this.#roster.get(id);
    if (device === null) return [];
    this.#spoken.add(id);
    return this.#note(device, at, report);
  }

  /** That it logged in, which is a sign of life, and no word of its own yet. @returns as `note` */
  cameIn(id: string, at: number, address: string): Draft[] {
    const device = this.#roster.get(id);
    return device === null ? [] : this.#note(device, at, { address });
  }

  /** Whether it has said anything since this process started: what logs in may still speak on the wrong topics. */
  hasSpoken(id: string): boolean {
    return this.#spoken.has(id);
  }

  #note(device: Device, at: number, report: DeviceReport): Draft[] {
    const { id } = device;
    const before = this.#states.get(id).lastSeen;
    const drafts = this.#states.note(device, at, report);
    // Whoever has spoken once is missed when silent; that it has must not wait for the next flush and a power cut.
    if (before === null && this.#states.get(id).lastSeen !== null) this.#flushSoon();
    return drafts;
  }

  /** A device is established to be offline. @returns as `note` */
  silent(id: string, at: number): Draft[] {
    const device = this.#roster.get(id);
    return device === null ? [] : this.#states.silent(device, at);
  }

  /** Calls `fn` when a device is registered, changed or removed, and when what matters of its state changed. */
  onChange(fn: (id: string) => void): Cancel {
    this.#listeners.add(fn);
    return { cancel: () => void this.#listeners.delete(fn) };
  }

  /** Somebody unknown knocked: listed for a person to decide, never let in. */
  candidate(knock: Knock): void {
    const known = knock.via === null ? this.#roster.get(knock.key) : this.#roster.childOf(knock.via, knock.key);
    if (known === null) this.#candidates.note(knock, this.#parts.clock.wall());
  }

  /** Who knocked, the newest first. */
  candidates(): Candidate[] {
    return this.#candidates.list();
  }

  /** Takes a candidate off the list; it comes back when it knocks again. @returns whether it was on it */
  dismiss(via: string | null, key: string): boolean {
    return this.#candidates.forget(via, key);
  }

  /**
   * @param actor as in the journal: `user:NAME`
   * @throws QuanweiError BAD_REQUEST for a device that does not fit, CONFLICT when the id is taken, TOO_MANY, STORAGE_*
   */
  register(draft: DeviceDraft, actor: string): Promise<Issued> {
    return this.#inTurn(async () => {
      const { secret: given, name, ...rest } = parse(DeviceDraft, draft);
      if (this.#roster.get(rest.id) !== null || rest.id === 'gateway') {
        throw new QuanweiError('CONFLICT', `编号 ${rest.id} 已被使用 · the id is taken`, { where: rest.id });
      }
      if (this.#roster.size >= MOST_DEVICES) throw new QuanweiError('TOO_MANY', `at most ${MOST_DEVICES} devices`);
      const secret = rest.hub === null ? (given ?? generateSecret()) : null;
      const secretHash = secret === null ? null : await hashSecret(secret, 'device');
      const device: Device = { ...rest, name: name ?? rest.id, secretHash, managed: 'page' };
      this.#check(device);
      await this.#store([audit('device.registered', actor, device.id, described(device))], [rowChange(device, null)]);
      this.#states.add(device.id);
      this.#enter(device);
      return { device, secret };
    });
  }

  /** @throws QuanweiError NOT_FOUND, CONFLICT for a device of the file, BAD_REQUEST, STORAGE_* */
  update(id: string, patch: DevicePatch, actor: string): Promise<Device> {
    return this.#inTurn(async () => {
      const before = this.#ofPage(id);
      const wanted = Object.entries(parse(DevicePatch, patch)).filter(([, value]) => value !== undefined);
      const after: Device = { ...before, ...Object.fromEntries(wanted) };
      const device = after.hub === null ? after : { ...after, secretHash: null };
      const changed = differences(before, device);
      if (Object.keys(changed).length === 0) return before;
      this.#check(device);
      await this.#store([audit('device.updated', actor, id, { changed })], [rowChange(device, null)]);
      this.#enter(device);
      return device;
    });
  }

  /** The old secret is worth nothing from now on. @throws QuanweiError NOT_FOUND, CONFLICT, STORAGE_* */
  rotateSecret(id: string, actor: string): Promise<Issued> {
    return this.#inTurn(async () => {
      const before = this.#ofPage(id);
      if (before.hub !== null) {
        throw new QuanweiError('CONFLICT', `${id} 由 ${before.hub} 代为登录 · its hub logs in for it`, { where: id });
      }
      const secret = generateSecret();
      const device: Device = { ...before, secretHash: await hashSecret(secret, 'device') };
      await this.#store(
        [audit('device.updated', actor, id, { changed: differences(before, device) })],
        [rowChange(device, null)],
      );
      this.#enter(device);
      return { device, secret };
    });
  }

  /** @throws QuanweiError NOT_FOUND, CONFLICT for a device of the file or one that others depend on, STORAGE_* */
  remove(id: string, actor: string, reason: string): Promise<void> {
    return this.#inTurn(async () => {
      const device = this.#ofPage(id);
      const dependent = this.#roster.all().find(({ hub, parent }) => hub === id || parent === id);
      if (dependent !== undefined) {
        throw new QuanweiError('CONFLICT', `${dependent.id} 依赖它 · ${dependent.id} depends on it`, {
          where: id,
          hint: 'remove that one first, or give it another hub or parent',
        });
      }
      await this.#store(
        [audit('device.removed', actor, id, { reason, ...described(device) })],
        ['devices', 'device_states'].map((table) => ({ sql: `DELETE FROM ${table} WHERE id = ?`, params: [id] })),
      );
      this.#roster.remove(id);
      this.#states.remove(id);
      this.#spoken.delete(id);
      this.#tell(id);
    });
  }

  /** Writes down what memory is ahead of the tables, and tells again what got lost. */
  async flush(all = false): Promise<void> {
    const { journal } = this.#parts;
    if (!journal.state().ok) return;
    const knocked = this.#candidates.unwritten();
    const drafts = [...knocked.drafts, ...this.#untold()];
    await this.#store(drafts, knocked.changes);
    knocked.done();
    const rows = this.#states.unwritten(all);
    for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
      const part = rows.slice(from, from + ROWS_AT_ONCE).filter(({ id }) => this.#roster.get(id) !== null);
      await this.#store(
        [],
        part.map(({ change }) => change),
      );
      for (const { done } of part) done();
    }
  }

  /** Writes down everything; to be called while the journal is still open. */
  async close(): Promise<void> {
    this.#end();
    try {
      await this.#turn;
      await this.flush(true);
    } catch (thrown) {
      this.#parts.log.warn({ why: messageOf(thrown) }, 'device states of the last minutes could not be written');
    }
  }

  #untold(): Draft[] {
    return this.#states.touched().flatMap((id) => {
      const device = this.#roster.get(id);
      return device === null ? [] : this.#states.untold(device);
    });
  }

  #flushSoon(): void {
    this.#soon ??= this.#parts.clock.after(SOON_MS, () => {
      this.#soon = null;
      this.flush().catch((thrown: unknown) =>
        this.#parts.log.warn({ err: thrown }, 'device states could not be written'),
      );
    });
  }

  #end(): void {
    this.#soon?.cancel();
    for (const end of this.#ends.splice(0)) end.cancel();
  }

  #ofPage(id: string): Device {
    const device = this.#roster.get(id);
    if (device === null) throw new QuanweiError('NOT_FOUND', `没有设备 ${id} · there is no such device`, { where: id });
    if (device.managed === 'file') {
      throw new QuanweiError('CONFLICT', `${id} 写在配置文件里 · it is in gateway.yaml`, {
        where: id,
        hint: 'change it there and restart the gateway',
      });
    }
    return device;
  }

  #check(device: Device): void {
    const { catalogue } = this.#parts;
    const fault = faultOf(device, this.#roster, catalogue) ?? this.#faultAsHub(device);
    if (fault !== null) throw new QuanweiError('BAD_REQUEST', fault.what, { where: device.id, hint: fault.hint });
  }

  /** Whether those behind it could still be there. */
  #faultAsHub(device: Device): { what: string; hint: string } | null {
    const { catalogue } = this.#parts;
    if (this.#roster.children(device.id).length === 0) return null;
    if (device.hub === null && catalogue.get(device.profile).hub !== undefined) return null;
    return { what: `${device.id} 之后还有设备 · it speaks for other devices`, hint: 'move those first' };
  }

  #enter(device: Device): void {
    this.#roster.put(device);
    this.#candidates.forget(device.hub, device.hub === null ? device.id : childKey(device));
    this.#tell(device.id);
  }

  #tell(id: string): void {
    for (const fn of this.#listeners) {
      try {
        fn(id);
      } catch (thrown) {
        this.#parts.log.error({ err: thrown, device: id }, 'a listener of the registry failed');
      }
    }
  }

  async #store(drafts: readonly Draft[], changes: readonly Change[]): Promise<void> {
    if (drafts.length + changes.length > 0) await this.#parts.journal.append(drafts, changes);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }
}

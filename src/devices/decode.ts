import { QuanweiError } from '../kernel/errors.ts';
import { readBinary } from './binary.ts';
import { along, type Binding, bind, type DeviceInfo } from './binding.ts';
import type { CompiledMessage, Profile } from './compile.ts';
import { isBelievable, isZone, parseTime } from './device-time.ts';
import { CATEGORIES, type DeviceEvent, type DeviceReport, type Outgoing } from './event.ts';
import { parseJson, textOf } from './json.ts';
import { isBlank, type Scope } from './path.ts';
import { keptText } from './redact.ts';
import { clean } from './text.ts';
import { bindTopic, fillParams } from './topics.ts';

export type { DeviceInfo } from './binding.ts';

export interface DecodeInput {
  /** Who is logged in: the device itself, or the hub that speaks for it. */
  readonly device: DeviceInfo;
  readonly topic: string;
  readonly payload: Buffer;
  readonly retain: boolean;
  /** The gateway's wall clock, ms since the epoch. */
  readonly now: number;
  /** Zone of device times that carry none, unless the profile names another. */
  readonly timezone: string;
  /** The registered end device a hub knows by this key. */
  childOf(key: string): { device: DeviceInfo; profile: Profile } | null;
}

/** A command's answer. `to` is `ANY_COMMAND` when the protocol has no message ids: the oldest open command is meant. */
export interface Reply {
  readonly to: string;
  readonly ok: boolean;
  readonly code: string;
  readonly detail: string;
}
export const ANY_COMMAND = '*';

export interface Decoded {
  /** Name of the message in the profile. */
  readonly message: string;
  /** Registry id of the end device. */
  readonly device: string;
  readonly events: DeviceEvent[];
  readonly reports: { device: string; report: DeviceReport }[];
  /** What makes two messages one message told twice; `null` when nothing in it does. */
  readonly key: string | null;
  /** ms since the epoch; `null` when the device gave none that can be believed. */
  readonly deviceTime: number | null;
  readonly replayed: boolean;
  /** To be sent after the commit. */
  readonly receipt: Outgoing | null;
  readonly reply: Reply | null;
  /** Not worth a journal entry by itself. */
  readonly quiet: boolean;
  /** The message as it may be stored: redacted, at most 8 kB. */
  readonly raw: string;
  /** An end device behind the hub that is not registered. What it said that cannot wait is in `events`, for the hub. */
  readonly candidate: { key: string; hint: string } | null;
}

/** `online`, `ON`: certainly no JSON, and a failed parse costs ten times as much as looking. */
const PLAIN_WORD = /^\s*[a-eg-mo-su-zA-Z]/;
const MAX_ITEMS = 32;
const MAX_CHILD_KEY = 128;

/**
 * What a device message means. Pure: the same input gives the same result, whatever came before.
 * @throws QuanweiError UNDECODABLE when it does not fit the profile: not JSON, not UTF-8, an unknown topic or operator
 * @throws QuanweiError BAD_CONFIG when the device's parameters do not fit the profile
 */
export function decode(profile: Profile, input: DecodeInput): Decoded {
  return decodeBound(profile, bind(profile, input.device), input, new Payload(input.payload), true);
}

/** The payload, read once however many messages look at it. */
class Payload {
  readonly #bytes: Buffer;
  #text: string | null = null;
  #json: { value: unknown } | { failed: QuanweiError } | null = null;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get text(): string {
    this.#text ??= textOf(this.#bytes);
    return this.#text;
  }

  get json(): { value: unknown } | { failed: QuanweiError } {
    if (this.#json === null) {
      try {
        this.#json = { value: parseJson(this.text) };
      } catch (thrown) {
        if (!(thrown instanceof QuanweiError)) throw thrown;
        this.#json = { failed: thrown };
      }
    }
    return this.#json;
  }

  /** @returns nothing when the message wants JSON and this is none */
  as(kind: CompiledMessage['payload']): { value: unknown } | undefined {
    if (kind === 'text' || (kind === 'either' && PLAIN_WORD.test(this.text))) return { value: this.text };
    const { json } = this;
    if ('value' in json) return json;
    return kind === 'either' ? { value: this.text } : undefined;
  }
}

function decodeBound(
  profile: Profile,
  binding: Binding,
  input: DecodeInput,
  payload: Payload,
  mayBeHub: boolean,
): Decoded {
  let wrongSender: string | null = null;
  const decoded = along<Decoded>(binding, input.topic, (route, captured) => {
    if (route.kind === 'ignored') return quietly(input.device.id);
    const scope = scopeOf(input, binding, captured);
    if (route.kind === 'child') {
      if (!mayBeHub) return undefined;
      const read = payload.as('either');
      scope.root = read?.value;
      const key = route.key(scope);
      return isBlank(key) || typeof key === 'object'
        ? undefined
        : decodeChild(profile, String(key), scope, input, payload);
    }
    const { message } = route;
    const read = payload.as(message.payload);
    if (read === undefined) return undefined;
    scope.root = read.value;
    if (!message.when(scope)) return undefined;
    const other = message.claims.map((claim) => strangerIn(claim, scope)).find((name) => name !== null);
    if (other !== undefined) {
      wrongSender = other;
      return undefined;
    }
    return interpret(profile, message, scope, input, payload);
  });
  if (decoded !== undefined) return decoded;
  throw undecodable(profile, input, payload, wrongSender);
}

function undecodable(profile: Profile, input: DecodeInput, payload: Payload, wrongSender: string | null): QuanweiError {
  const where = clean(input.topic);
  if (wrongSender !== null) {
    return new QuanweiError('UNDECODABLE', `the message names another sender: ${clean(wrongSender, 64)}`, { where });
  }
  const { json } = payload;
  if ('failed' in json) return new QuanweiError('UNDECODABLE', json.failed.message, { where, cause: json.failed });
  return new QuanweiError('UNDECODABLE', `no message of profile ${profile.id} looks like this`, { where });
}

function strangerIn(claim: CompiledMessage['claims'][number], scope: Scope): string | null {
  const named = claim.read(scope);
  return named === undefined || String(named) === fillParams(claim.expected, scope.params) ? null : String(named);
}

function scopeOf(input: DecodeInput, binding: Binding, captured: Readonly<Record<string, string>>): Scope {
  return {
    root: undefined,
    item: undefined,
    topic: captured,
    params: binding.params,
    device: input.device,
    bytes: {},
    args: {},
    messageId: '',
    now: input.now,
    timezone: input.timezone,
    time: null,
  };
}

/** A hub's message for one of its end devices: decoded by the end device's own profile, with the topics the hub uses. */
function decodeChild(hub: Profile, key: string, scope: Scope, input: DecodeInput, payload: Payload): Decoded {
  const child = key.length <= MAX_CHILD_KEY ? input.childOf(key) : null;
  if (child === null) return decodeUnregistered(hub, key, scope, input, payload);
  const { device, profile } = child;
  const binding = bind(profile, device, paramsFromHub(hub, profile, key, scope));
  const decoded = decodeBound(profile, binding, { ...input, device }, payload, false);
  // Being spoken for is a sign of life, unless the hub only repeats what it remembers.
  const alive = !decoded.replayed && !input.retain && decoded.reports.every((report) => report.device !== device.id);
  return alive ? { ...decoded, reports: [...decoded.reports, { device: device.id, report: {} }] } : decoded;
}

function paramsFromHub(hub: Profile, child: Profile, key: string, scope: Scope): Record<string, string> {
  const given: Record<string, string> = {};
  const values = { ...scope.params, ...scope.topic, child: key };
  for (const [name, template] of Object.entries(hub.hub?.params ?? {})) {
    if (Object.hasOwn(child.parameters, name)) given[name] = fillParams(template, values);
  }
  return given;
}

/** Nobody registered this end device. It becomes a candidate; what a profile recognises in it is told as the hub's own. */
function decodeUnregistered(hub: Profile, key: string, scope: Scope, input: DecodeInput, payload: Payload): Decoded {
  const name = clean(key, MAX_CHILD_KEY);
  let known: string | null = null;
  for (const { profile, params } of hub.program.unregistered) {
    const device: DeviceInfo = { ...input.device, params: { ...params, key } };
    let decoded: Decoded;
    try {
      const binding = bind(profile, device, paramsFromHub(hub, profile, key, scope));
      decoded = decodeBound(profile, binding, { ...input, device }, payload, false);
    } catch (thrown) {
      if (thrown instanceof QuanweiError && (thrown.code === 'UNDECODABLE' || thrown.code === 'BAD_CONFIG')) continue;
      throw thrown;
    }
    if (decoded.events.some((event) => CATEGORIES[event.category].lifeSafety)) known ??= profile.id;
    // What is over says nothing here: it may be another end device's. Only what begins is raised in the hub's name.
    const events = decoded.events.filter((event) => event.active);
    if (events.length === 0) continue;
    return {
      ...decoded,
      events: events.map((event) => ({ ...event, detail: { ...event.detail, child: name } })),
      key: decoded.key === null ? null : `${name}\u001f${decoded.key}`,
      reports: [],
      candidate: { key: name, hint: profile.id },
    };
  }
  const { json } = payload;
  const object = 'value' in json && typeof json.value === 'object' && json.value !== null ? json.value : null;
  if (object === null) return quietly(input.device.id); // one attribute on its own topic; its device has said who it is
  const hint = known ?? clean(`says: ${Object.keys(object).slice(0, 12).join(', ')}`, 200);
  return {
    ...quietly(input.device.id),
    message: 'candidate',
    candidate: { key: name, hint },
    raw: keptText(hub, payload.text, object),
  };
}

function quietly(device: string): Decoded {
  return {
    message: 'ignored',
    device,
    events: [],
    reports: [],
    key: null,
    deviceTime: null,
    replayed: false,
    receipt: null,
    reply: null,
    quiet: true,
    raw: '',
    candidate: null,
  };
}

function interpret(
  profile: Profile,
  message: CompiledMessage,
  scope: Scope,
  input: DecodeInput,
  payload: Payload,
): Decoded {
  const device = input.device.id;
  if (message.binary !== undefined) scope.bytes = readBinary(message.bytes?.(scope), message.binary);
  const replayed = (input.retain && !message.retainedIsLive) || message.replayed(scope);
  const told = timeOf(message, scope);
  const deviceTime = told !== null && isBelievable(told, input.now) ? told : null;
  scope.time = deviceTime;
  const events = eventsOf(message, scope, device, replayed, deviceTime);
  const report = reportOf(message, scope, replayed, told, deviceTime);
  return {
    message: message.name,
    device,
    events,
    reports: report === null ? [] : [{ device, report }],
    key: keyOf(message, scope),
    deviceTime,
    replayed,
    receipt: receiptOf(message, scope),
    reply: replyOf(message, scope),
    quiet: message.quiet,
    raw: keptText(profile, payload.text, scope.root),
    candidate: null,
  };
}

function timeOf(message: CompiledMessage, scope: Scope): number | null {
  const { time } = message;
  if (time === null) return null;
  const named = time.zone.startsWith('$param.') ? (scope.params[time.zone.slice(7)] ?? 'site') : time.zone;
  return parseTime(time.read(scope), time.format, named !== 'site' && isZone(named) ? named : scope.timezone);
}

function eventsOf(
  message: CompiledMessage,
  scope: Scope,
  device: string,
  replayed: boolean,
  deviceTime: number | null,
): DeviceEvent[] {
  if (message.each === null) return eventsOfItem(message, scope, device, replayed, deviceTime);
  const items = message.each(scope);
  if (!Array.isArray(items)) return [];
  return items.slice(0, MAX_ITEMS).flatMap((item: unknown) => {
    scope.item = item;
    return eventsOfItem(message, scope, device, replayed, deviceTime);
  });
}

function eventsOfItem(
  message: CompiledMessage,
  scope: Scope,
  device: string,
  replayed: boolean,
  deviceTime: number | null,
): DeviceEvent[] {
  const events: DeviceEvent[] = [];
  for (const rule of message.events) {
    if (!rule.when(scope)) continue;
    const active = rule.kind === 'pulse' || rule.active(scope);
    if (!active && !rule.clear(scope)) continue;
    const category = rule.category(scope);
    if (category === undefined) continue;
    const detail: Record<string, string | number | boolean> = {};
    for (const [name, read] of rule.detail) {
      const value = read(scope);
      if (value !== undefined) detail[name] = value;
    }
    const evidence = rule.evidence.flatMap(({ kind, ref, sha256 }) => {
      const [at, hash] = [ref(scope), sha256(scope)];
      return typeof at === 'string' && typeof hash === 'string' && /^[0-9a-f]{64}$/.test(hash)
        ? [{ kind, ref: at, sha256: hash }]
        : [];
    });
    const test = rule.test(scope);
    const event = { device, category, kind: rule.kind, active, replayed, test, deviceTime, detail };
    events.push(evidence.length === 0 ? event : { ...event, evidence });
  }
  return events;
}

/** What a replayed message says of the device is old; only a clock that cannot be right is worth telling then. */
function reportOf(
  message: CompiledMessage,
  scope: Scope,
  replayed: boolean,
  told: number | null,
  deviceTime: number | null,
): DeviceReport | null {
  const report: { -readonly [K in keyof DeviceReport]: DeviceReport[K] } = {};
  if (told !== null && (deviceTime === null || (message.time?.clock === true && !replayed))) report.clock = told;
  const rules = message.reports;
  if (rules !== null && !replayed && rules.when(scope)) {
    const [online, battery] = [rules.online(scope), rules.battery(scope)];
    const [firmware, address] = [rules.firmware(scope), rules.address(scope)];
    if (typeof online === 'boolean') report.online = online;
    if (typeof battery === 'number' && battery >= 0 && battery <= 100) report.battery = Math.round(battery);
    if (firmware !== undefined) report.firmware = clean(String(firmware), 64);
    if (address !== undefined) report.address = clean(String(address), 64);
  }
  return Object.keys(report).length === 0 ? null : report;
}

function keyOf(message: CompiledMessage, scope: Scope): string | null {
  if (message.key === null) return null;
  const parts = [message.name];
  for (const read of message.key) {
    const value = read(scope);
    if (value === undefined) return null;
    parts.push(String(value));
  }
  return parts.join('\u001f');
}

function receiptOf({ receipt }: CompiledMessage, scope: Scope): Outgoing | null {
  if (receipt === null) return null;
  const topic = bindTopic(receipt.topic, scope.params).filter;
  return { topic, payload: receipt.payload(scope), qos: receipt.qos, retain: false };
}

function replyOf({ reply }: CompiledMessage, scope: Scope): Reply | null {
  if (reply === null) return null;
  const to = reply.to === null ? ANY_COMMAND : reply.to(scope);
  if (isBlank(to) || typeof to === 'object') return null;
  return {
    to: clean(String(to), 128),
    ok: reply.ok(scope),
    code: String(reply.code(scope) ?? ''),
    detail: String(reply.detail(scope) ?? ''),
  };
}

import { readBinary } from './binary.ts';
import type { CompiledMessage } from './compile.ts';
import { isBelievable, isZone, parseTime } from './device-time.ts';
import type { DeviceEvent, DeviceReport, Outgoing } from './event.ts';
import { isBlank, type Scope } from './path.ts';
import { clean } from './text.ts';
import { boundFilter } from './topics.ts';

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
  /** The picture of a face as the message holds it, base64 or a data URI; for passing on after the commit, never stored. */
  readonly picture: string | null;
  /** An end device behind the hub that is not registered. What it said that cannot wait is in `events`, for the hub. */
  readonly candidate: { key: string; hint: string } | null;
}

const MAX_ITEMS = 32;

/**
 * What a message that fits says.
 * @param scope the message as its paths reach it
 * @param keep makes the text that is stored; called last, because redacting changes the parsed message
 */
export function interpret(message: CompiledMessage, scope: Scope, retain: boolean, keep: () => string): Decoded {
  const device = scope.device.id;
  if (message.binary !== undefined) scope.bytes = readBinary(message.bytes?.(scope), message.binary);
  const replayed = (retain && !message.retainedIsLive) || message.replayed(scope);
  const told = timeOf(message, scope);
  const deviceTime = told !== null && isBelievable(told, scope.now) ? told : null;
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
    picture: replayed ? null : pictureOf(message, scope),
    raw: keep(),
    candidate: null,
  };
}

function pictureOf({ picture }: CompiledMessage, scope: Scope): string | null {
  const value = picture?.(scope);
  return typeof value === 'string' && value !== '' ? value : null;
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
    const test = rule.test(scope);
    const event = { device, category, kind: rule.kind, active, replayed, test, deviceTime, detail };
    const evidence = rule.evidence.length === 0 ? [] : evidenceOf(rule, scope);
    events.push(evidence.length === 0 ? event : { ...event, evidence });
  }
  return events;
}

const evidenceOf = (
  { evidence }: CompiledMessage['events'][number],
  scope: Scope,
): NonNullable<DeviceEvent['evidence']> =>
  evidence.flatMap(({ kind, ref, sha256 }) => {
    const [at, hash] = [ref(scope), sha256(scope)];
    return typeof at === 'string' && typeof hash === 'string' && /^[0-9a-f]{64}$/.test(hash)
      ? [{ kind, ref: at, sha256: hash }]
      : [];
  });

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
  let key = message.name;
  for (const read of message.key) {
    const value = read(scope);
    if (value === undefined) return null;
    key += `\u001f${value}`;
  }
  return key;
}

function receiptOf({ receipt }: CompiledMessage, scope: Scope): Outgoing | null {
  if (receipt === null) return null;
  const topic = boundFilter(receipt.topic, scope.params);
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

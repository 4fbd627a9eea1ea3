import { QuanweiError } from '../kernel/errors.ts';
import { along, type Binding, bind, type DeviceInfo } from './binding.ts';
import type { CompiledMessage, Profile } from './compile.ts';
import { CATEGORIES } from './event.ts';
import { type Decoded, interpret } from './interpret.ts';
import { parseJson, textOf } from './json.ts';
import { isBlank, type Scope } from './path.ts';
import { keptText } from './redact.ts';
import { clean } from './text.ts';
import { fillParams } from './topics.ts';

export type { DeviceInfo } from './binding.ts';
export { ANY_COMMAND, type Decoded, type Reply } from './interpret.ts';

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

/** `online`, `ON`: certainly no JSON, and a failed parse costs ten times as much as looking. */
const PLAIN_WORD = /^\s*[a-eg-mo-su-zA-Z]/;
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
    for (const claim of message.claims) {
      const other = strangerIn(claim, scope);
      if (other === null) continue;
      wrongSender = other;
      return undefined;
    }
    return interpret(message, scope, input.retain, () => keptText(profile, payload.text, scope.root));
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

/** A text that is one parameter and nothing else: every claim in practice. */
const ALONE = /^\{([a-z][a-zA-Z0-9]*)\}$/;

function strangerIn(claim: CompiledMessage['claims'][number], scope: Scope): string | null {
  const named = claim.read(scope);
  if (named === undefined) return null;
  const alone = ALONE.exec(claim.expected)?.[1];
  const expected = alone === undefined ? fillParams(claim.expected, scope.params) : (scope.params[alone] ?? '');
  return String(named) === expected ? null : String(named);
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
      picture: null,
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
    picture: null,
    candidate: null,
  };
}

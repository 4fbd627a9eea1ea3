import { QuanweiError } from '../kernel/errors.ts';
import type { CompiledMessage, Profile } from './compile.ts';
import type { Reader } from './path.ts';
import {
  type BoundTopic,
  bindTopic,
  checkTopicValue,
  compareExactness,
  matchTopic,
  type TopicTemplate,
} from './topics.ts';

/** What decoding needs to know of a device. */
export interface DeviceInfo {
  readonly id: string;
  readonly name: string;
  readonly place: string;
  readonly params: Record<string, string>;
}

/** A parameter every device behind a hub may have: the name its hub knows it by, when that is not its id. */
export const KEY_PARAM = 'key';

/** The name a hub knows this device by (zigbee friendly name, DevEUI, camera name). */
export const childKey = (device: DeviceInfo): string => device.params[KEY_PARAM] ?? device.id;

/**
 * Every parameter of the profile with its value for this device.
 * @throws QuanweiError BAD_CONFIG for one that is missing, unknown, or would widen a topic
 */
export function resolveParams(
  profile: Profile,
  device: DeviceInfo,
  fromHub: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const known = profile.parameters;
  for (const name of Object.keys(device.params)) {
    if (name !== KEY_PARAM && !Object.hasOwn(known, name)) {
      throw new QuanweiError('BAD_CONFIG', `device ${device.id}: profile ${profile.id} has no parameter ${name}`, {
        hint: `it has: ${[...Object.keys(known), KEY_PARAM].join(', ')}`,
      });
    }
  }
  const resolved: Record<string, string> = {};
  for (const [name, parameter] of Object.entries(known)) {
    const value =
      fromHub[name] ??
      device.params[name] ??
      parameter.default?.replaceAll('{id}', device.id).replaceAll('{key}', childKey(device));
    if (value === undefined) {
      throw new QuanweiError('BAD_CONFIG', `device ${device.id}: parameter ${name} is required`, {
        hint: parameter.about.en,
      });
    }
    if (parameter.type === 'level' || parameter.type === 'topic') {
      checkTopicValue(name, value, parameter.type === 'topic');
    }
    if (parameter.type === 'number' && (value.trim() === '' || !Number.isFinite(Number(value)))) {
      throw new QuanweiError('BAD_CONFIG', `device ${device.id}: parameter ${name} must be a number, not '${value}'`);
    }
    if (parameter.options !== undefined && !parameter.options.includes(value)) {
      throw new QuanweiError('BAD_CONFIG', `device ${device.id}: parameter ${name} cannot be '${value}'`, {
        hint: `one of ${parameter.options.join(', ')}`,
      });
    }
    resolved[name] = value;
  }
  return resolved;
}

export type Route =
  | { readonly kind: 'message'; readonly message: CompiledMessage }
  | { readonly kind: 'child'; readonly key: Reader }
  | { readonly kind: 'ignored' };

/** A profile with one device's parameters filled into its topics. */
export interface Binding {
  readonly params: Readonly<Record<string, string>>;
  readonly fromHub: string;
  readonly exact: ReadonlyMap<string, readonly Route[]>;
  readonly patterns: readonly { readonly bound: BoundTopic; readonly route: Route }[];
}

/** Bindings live as long as the registry's device object; a changed device is a new object. */
const bindings = new WeakMap<DeviceInfo, Map<Profile, Binding>>();

/** @param fromHub parameters that follow from the hub the message came through; empty for a device with its own login */
export function bind(profile: Profile, device: DeviceInfo, fromHub: Readonly<Record<string, string>> = {}): Binding {
  const stamp = Object.keys(fromHub).length === 0 ? '' : JSON.stringify(fromHub);
  let byProfile = bindings.get(device);
  if (byProfile === undefined) {
    byProfile = new Map();
    bindings.set(device, byProfile);
  }
  const known = byProfile.get(profile);
  if (known !== undefined && known.fromHub === stamp) return known;
  const made = makeBinding(profile, resolveParams(profile, device, fromHub), stamp);
  byProfile.set(profile, made);
  return made;
}

function makeBinding(profile: Profile, params: Record<string, string>, fromHub: string): Binding {
  const exact = new Map<string, Route[]>();
  const patterns: { bound: BoundTopic; route: Route }[] = [];
  const add = (template: TopicTemplate, route: Route): void => {
    const bound = bindTopic(template, params);
    if (bound.exact === null) patterns.push({ bound, route });
    else exact.set(bound.exact, [...(exact.get(bound.exact) ?? []), route]);
  };
  const { messages, children, ignored } = profile.program;
  for (const message of messages) for (const topic of message.topics) add(topic, { kind: 'message', message });
  for (const child of children) add(child.topic, { kind: 'child', key: child.key });
  for (const topic of ignored) add(topic, { kind: 'ignored' });
  patterns.sort((a, b) => compareExactness(a.bound, b.bound));
  return { params, fromHub, exact, patterns };
}

/** Routes a topic may take, the most exact first, each with what its topic captured. Stops when `visit` answers. */
export function along<T>(
  binding: Binding,
  topic: string,
  visit: (route: Route, captured: Readonly<Record<string, string>>) => T | undefined,
): T | undefined {
  for (const route of binding.exact.get(topic) ?? []) {
    const answer = visit(route, NOTHING_CAPTURED);
    if (answer !== undefined) return answer;
  }
  if (binding.patterns.length === 0) return undefined;
  const levels = topic.split('/');
  for (const { bound, route } of binding.patterns) {
    const captured = matchTopic(bound, levels);
    const answer = captured === null ? undefined : visit(route, captured);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

const NOTHING_CAPTURED = Object.freeze({});

import { type DeviceInfo, resolveParams } from '../devices/binding.ts';
import type { Profile } from '../devices/compile.ts';
import { formatTime } from '../devices/device-time.ts';
import { parsePath, replaceAt } from '../devices/path.ts';
import type { SampleDefinition } from '../devices/profile.ts';
import { exampleDevice } from '../devices/profile-test.ts';
import { bindTopic, matchTopic, type TopicTemplate } from '../devices/topics.ts';
import { type Random, uuidOf } from './random.ts';

/** A device as the simulator plays it, with the end devices it speaks for. */
export interface Played {
  readonly device: DeviceInfo;
  readonly profile: Profile;
  readonly children: readonly { readonly device: DeviceInfo; readonly profile: Profile; readonly key: string }[];
}

export interface FreshMessage {
  readonly topic: string;
  readonly payload: string;
  readonly retain: boolean;
  /** Name of the message in the profile. */
  readonly message: string;
}

export interface Freshness {
  /** ms since the epoch that the device puts into the message */
  readonly now: number;
  readonly timezone: string;
  /** Counts up; becomes record numbers and the like. */
  readonly serial: number;
  readonly random: Random;
}

const ID_KEY = /(?:id|no|seq|serial)$/i;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** A sample as another device of the same model would say it now: its own topics, ids, numbers and time. */
export function freshMessage(played: Played, sample: SampleDefinition, child: number, fresh: Freshness): FreshMessage {
  const names = renamed(played, sample, child);
  const topic = retopic(played, sample, child);
  const base = { topic, retain: sample.retain, message: sample.message ?? '' };
  if (sample.text !== undefined) return { ...base, payload: sample.text };
  const payload = rename(structuredClone(sample.payload ?? null), names);
  const speaker = sample.device === undefined ? played.profile : (played.children[child]?.profile ?? played.profile);
  const message = speaker.messages.find(({ name }) => name === sample.message);
  if (message?.time !== undefined) {
    const { from, zone, format } = message.time;
    const local = zone === 'site' ? fresh.timezone : zone;
    replaceAt(payload, from, (old) => sameStyle(old, format, fresh.now, local));
  }
  for (const part of message?.key ?? []) {
    const path = typeof part === 'string' ? part : (part.from ?? '');
    for (const alternative of path.split('|')) {
      const last = path === '' ? undefined : parsePath(alternative)[0]?.steps.at(-1);
      if (typeof last === 'string' && ID_KEY.test(last)) replaceAt(payload, alternative, (old) => newId(old, fresh));
    }
  }
  return { ...base, payload: JSON.stringify(payload) };
}

/** What stands in the sample for the example's own names → what this device is called. */
function renamed(played: Played, sample: SampleDefinition, child: number): Map<string, string> {
  const { profile, device } = played;
  const example = exampleDevice(profile, sample.params);
  const names = new Map([[example.id, device.id]]);
  const [theirs, ours] = [resolveParams(profile, example), resolveParams(profile, device)];
  for (const [name, { type }] of Object.entries(profile.parameters)) {
    const [from, to] = [theirs[name], ours[name]];
    const names1 = type === 'level' || type === 'topic' || from === example.id;
    if (names1 && from !== undefined && to !== undefined && from !== to) names.set(from, to);
  }
  const spokenFor = profile.example.children.find(({ id }) => id === sample.device);
  const key = played.children[child]?.key;
  if (spokenFor !== undefined && key !== undefined) names.set(spokenFor.params['key'] ?? spokenFor.id, key);
  return names;
}

function rename(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (typeof value === 'string') return names.get(value) ?? value;
  if (typeof value !== 'object' || value === null) return value;
  for (const key of Object.keys(value)) {
    const holder = value as Record<string, unknown>;
    holder[key] = rename(holder[key], names);
  }
  return value;
}

function retopic(played: Played, sample: SampleDefinition, child: number): string {
  const { profile, device } = played;
  const theirs = resolveParams(profile, exampleDevice(profile, sample.params));
  const ours = resolveParams(profile, device);
  const levels = sample.topic.split('/');
  for (const template of templatesFor(profile, sample)) {
    const captured = matchTopic(bindTopic(template, theirs), levels);
    if (captured === null) continue;
    const key = played.children[child]?.key;
    if (sample.device !== undefined && key !== undefined && 'child' in captured) captured['child'] = key;
    return bindTopic(template, ours)
      .levels.map((level) => (typeof level === 'string' ? level : captured['one' in level ? level.one : level.many]))
      .join('/');
  }
  return sample.topic;
}

function templatesFor(profile: Profile, sample: SampleDefinition): TopicTemplate[] {
  const { messages, children } = profile.program;
  if (sample.device !== undefined) return children.map(({ topic }) => topic);
  return messages.filter(({ name }) => name === sample.message).flatMap(({ topics }) => topics);
}

/** The present, written as the sample wrote its own time. */
function sameStyle(old: unknown, format: string, now: number, zone: string): unknown {
  if (typeof old === 'number') return format === 'epoch-seconds' ? now / 1_000 : now;
  if (typeof old !== 'string') return old;
  if (old.endsWith('Z') || old.endsWith('+00:00')) return formatTime(now, 'iso', 'UTC');
  if (old.includes('/')) return formatTime(now, 'datetime-slash', zone);
  return formatTime(now, old.includes('T') ? 'datetime-T' : 'datetime', zone);
}

function newId(old: unknown, { serial, random, now }: Freshness): unknown {
  if (typeof old === 'number') return serial;
  if (typeof old !== 'string') return old;
  if (/^\d+$/.test(old)) return String(serial);
  if (UUID.test(old)) return uuidOf(random);
  return `${Math.floor(now / 1_000)}.${serial}-${Math.floor(random() * 1e6).toString(36)}`;
}

import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { iso } from '../kernel/clock.ts';
import { messageOf, QuanweiError } from '../kernel/errors.ts';
import type { DeviceInfo } from './binding.ts';
import { BUILT_IN_PROFILES, Catalogue, linked, loadProfile } from './catalogue.ts';
import { compileProfile, type Profile } from './compile.ts';
import { type Decoded, decode } from './decode.ts';
import { encodeCommand, topicsOf } from './encode.ts';
import type { DeviceReport, Outgoing } from './event.ts';
import { parseJson } from './json.ts';
import type { SampleDefinition } from './profile.ts';
import { type ProfileProblem, type ReadProfile, readProfile } from './profile-file.ts';
import { filterFits } from './topics.ts';

export interface ProfileTest {
  readonly ok: boolean;
  readonly problems: ProfileProblem[];
  /** One line per sample, in the order of the file; empty when the file itself has mistakes. */
  readonly samples: { readonly name: string; readonly ok: boolean; readonly what: string }[];
}

/** Zone the samples' times are written for. */
export const SAMPLE_ZONE = 'Asia/Shanghai';

/**
 * What `quanwei profile test FILE` runs, and the test of every profile we ship: the file is right, every message and
 * command has a sample, every sample gives exactly what it says, and the device's own topics cover all of it.
 */
export function testProfile(file: string): ProfileTest {
  const path = resolve(file);
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) {
    return { ok: false, problems: [{ where: file, what: 'there is no such file', hint: '' }], samples: [] };
  }
  const read = readProfile(file, readFileSync(path));
  const { definition } = read;
  if (definition === null) return { ok: false, problems: read.problems, samples: [] };
  const profile: Profile = { ...definition, file: path, program: compileProfile(definition) };
  let family: Catalogue;
  try {
    family = new Catalogue(new Map([profile, ...relatives(profile)].map((one) => [one.id, () => one])));
    linked(profile, family);
  } catch (thrown) {
    if (!(thrown instanceof QuanweiError)) throw thrown;
    const problem = { where: thrown.where ?? path, what: thrown.message, hint: thrown.hint ?? '' };
    return { ok: false, problems: [problem], samples: [] };
  }
  const problems = missingSamples(profile, read);
  const samples = profile.samples.map((sample, index) => {
    const what = trySample(profile, sample, family);
    if (what !== '')
      problems.push({ where: read.locate(['samples', index]), what: `sample '${sample.name}': ${what}`, hint: '' });
    return { name: sample.name, ok: what === '', what };
  });
  for (const [index, { command }] of profile.commandSamples.entries()) {
    const what = tryCommand(profile, index);
    if (what !== '')
      problems.push({ where: read.locate(['commandSamples', index]), what: `command ${command}: ${what}`, hint: '' });
    samples.push({ name: `command ${command}`, ok: what === '', what });
  }
  return { ok: problems.length === 0, problems, samples };
}

/** Profiles of the end devices its samples speak for, from beside the file or from ours. */
function relatives(profile: Profile): Profile[] {
  const wanted = new Set([
    ...profile.example.children.map((child) => child.profile),
    ...(profile.hub?.unregistered ?? []).map((child) => child.profile),
  ]);
  wanted.delete(profile.id);
  return [...wanted].flatMap((id) => {
    const file = [dirname(profile.file), BUILT_IN_PROFILES].map((dir) => join(dir, `${id}.yaml`)).find(existsSync);
    if (file === undefined) return [];
    return [loadProfile(file)];
  });
}

function missingSamples(profile: Profile, read: ReadProfile): ProfileProblem[] {
  const own = profile.samples.filter((sample) => sample.device === undefined && sample.candidate === null);
  const messages = profile.messages.flatMap(({ name }, index) =>
    own.some((sample) => sample.message === name)
      ? []
      : [
          {
            where: read.locate(['messages', index]),
            what: `message ${name} has no sample`,
            hint: 'add one under samples, with `message`',
          },
        ],
  );
  const commands = Object.keys(profile.commands).flatMap((name) =>
    profile.commandSamples.some((sample) => sample.command === name)
      ? []
      : [
          {
            where: read.locate(['commands', name]),
            what: `command ${name} has no sample`,
            hint: 'add one under commandSamples',
          },
        ],
  );
  return [...messages, ...commands];
}

/** The device the samples are from. */
export function exampleDevice(profile: Profile, params: Readonly<Record<string, string>> = {}): DeviceInfo {
  const { id, name, place, params: own } = profile.example;
  return { id, name, place, params: { ...own, ...params } };
}

const payloadOf = (sample: SampleDefinition): Buffer =>
  Buffer.from(sample.text ?? JSON.stringify(sample.payload), 'utf8');

/** @returns what is wrong, or an empty string */
function trySample(profile: Profile, sample: SampleDefinition, family: Catalogue): string {
  let device: DeviceInfo;
  let decoded: Decoded;
  try {
    device = exampleDevice(profile, sample.params);
    const { publish } = topicsOf(profile, device, []);
    if (!publish.some((filter) => filterFits(filter, sample.topic))) {
      return `the topic is none of its own: ${publish.join(', ')}`;
    }
    decoded = decode(profile, {
      device,
      topic: sample.topic,
      payload: payloadOf(sample),
      retain: sample.retain,
      now: Date.parse(profile.example.now),
      timezone: SAMPLE_ZONE,
      childOf: (key) => {
        const child = profile.example.children.find(({ id, params }) => (params['key'] ?? id) === key);
        if (child === undefined) return null;
        return { device: { name: child.id, place: '', ...child }, profile: family.get(child.profile) };
      },
    });
  } catch (thrown) {
    if (thrown instanceof QuanweiError && thrown.code === 'UNDECODABLE' && sample.unknown === true) return '';
    return messageOf(thrown);
  }
  if (sample.unknown === true) return `should be undecodable, but is taken for ${decoded.message}`;
  return differences(profile, sample, device.id, decoded) || readableReceipt(profile, device, decoded);
}

function differences(profile: Profile, sample: SampleDefinition, self: string, decoded: Decoded): string {
  const device = sample.device ?? self;
  const deviceTime = sample.time === null ? null : Date.parse(sample.time);
  const wanted = {
    message: sample.message ?? decoded.message,
    device,
    deviceTime,
    events: sample.events.map(({ evidence, ...event }) => ({
      ...event,
      device: event.device ?? device,
      deviceTime,
      ...(evidence === undefined ? {} : { evidence }),
    })),
    reports: sample.reports,
    receipt: sample.receipt,
    reply: sample.reply,
    candidate: sample.candidate,
  };
  const found = {
    message: decoded.message,
    device: decoded.device,
    deviceTime: decoded.deviceTime,
    events: decoded.events,
    reports: toldOf(device, decoded),
    receipt: decoded.receipt === null ? null : comparable(decoded.receipt, sample.receipt?.payload),
    reply: decoded.reply,
    candidate: decoded.candidate?.key ?? null,
  };
  for (const part of Object.keys(wanted) as (keyof typeof wanted)[]) {
    if (!isDeepStrictEqual(plain(found[part]), plain(wanted[part]))) {
      return `${part} should be ${JSON.stringify(wanted[part])}, but is ${JSON.stringify(found[part])}`;
    }
  }
  const leaked = profile.redact.find(
    (name) =>
      decoded.raw.includes(`"${name}":"`) &&
      !decoded.raw.includes(`"${name}":"[redacted]"`) &&
      !decoded.raw.includes(`"${name}":""`),
  );
  return leaked === undefined ? '' : `${leaked} is kept, though it should be redacted`;
}

/** Key order and `undefined` do not matter. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null));

/** A sign of life alone is not worth a line in every sample of an end device. */
function toldOf(device: string, decoded: Decoded): Record<string, unknown> {
  const report: DeviceReport = Object.assign(
    {},
    ...decoded.reports.filter((part) => part.device === device).map((part) => part.report),
  );
  const { clock, ...rest } = report;
  return clock === undefined ? rest : { ...rest, clock: iso(clock) };
}

/** A payload the sample gives as text is compared as text (numbers longer than JSON's own), else as JSON. */
function comparable(message: Outgoing, expected: unknown): { topic: string; payload: unknown } {
  if (typeof expected === 'string') return { topic: message.topic, payload: message.payload };
  return { topic: message.topic, payload: jsonOrText(message.payload) };
}

function jsonOrText(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return text; // a protocol of plain words (ON, OPEN)
  }
}

function readableReceipt(profile: Profile, device: DeviceInfo, decoded: Decoded): string {
  const { receipt } = decoded;
  if (receipt === null || decoded.device !== device.id) return '';
  const { subscribe } = topicsOf(profile, device, []);
  return subscribe.some((filter) => filterFits(filter, receipt.topic))
    ? ''
    : `it may not read its receipt at ${receipt.topic}`;
}

function tryCommand(profile: Profile, index: number): string {
  const sample = profile.commandSamples[index];
  if (sample === undefined) return 'is missing';
  try {
    const device = exampleDevice(profile);
    const moment = { now: Date.parse(profile.example.now), timezone: SAMPLE_ZONE };
    const { messages } = encodeCommand(profile, device, sample.command, sample.args, 'cmd-1', moment);
    const found = messages.map((message, at) => comparable(message, sample.send[at]?.payload));
    if (!isDeepStrictEqual(plain(found), plain(sample.send))) {
      return `should send ${JSON.stringify(sample.send)}, but sends ${JSON.stringify(found)}`;
    }
    const { subscribe } = topicsOf(profile, device, []);
    const deaf = messages.find(({ topic }) => !subscribe.some((filter) => filterFits(filter, topic)));
    return deaf === undefined ? '' : `it may not read ${deaf.topic}`;
  } catch (thrown) {
    return messageOf(thrown);
  }
}

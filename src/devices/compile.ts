import { type Condition, compileCondition } from './condition.ts';
import type { TimeFormat } from './device-time.ts';
import { CATEGORIES, type Category } from './event.ts';
import { compileField, type FieldReader } from './field.ts';
import { compilePath, type Reader, type Scope } from './path.ts';
import type { EventDefinition, MessageDefinition, ProfileDefinition } from './profile.ts';
import { compileTemplate } from './template.ts';
import { parseTopic, type TopicTemplate } from './topics.ts';

/** A profile ready to run: every path, condition and template compiled once, when the profile is loaded. */
export interface Profile extends ProfileDefinition {
  /** The file it is from. */
  readonly file: string;
  readonly program: Program;
}

export interface Program {
  readonly messages: readonly CompiledMessage[];
  readonly children: readonly { readonly topic: TopicTemplate; readonly key: Reader }[];
  readonly ignored: readonly TopicTemplate[];
  readonly commands: ReadonlyMap<string, readonly CompiledSend[]>;
  readonly redact: ReadonlySet<string>;
  /** Filled by the catalogue once all profiles are known. */
  readonly unregistered: { readonly profile: Profile; readonly params: Readonly<Record<string, string>> }[];
}

export interface CompiledSend {
  readonly topic: TopicTemplate;
  readonly payload: (scope: Scope) => string;
  readonly qos: 0 | 1;
}

export interface CompiledMessage {
  readonly name: string;
  readonly topics: readonly TopicTemplate[];
  readonly payload: 'json' | 'text' | 'either';
  readonly when: Condition;
  readonly claims: readonly { readonly read: FieldReader; readonly expected: string }[];
  readonly binary: MessageDefinition['binary'];
  readonly bytes: Reader | null;
  readonly each: Reader | null;
  readonly time: {
    readonly read: Reader;
    readonly format: TimeFormat;
    readonly zone: string;
    readonly clock: boolean;
  } | null;
  readonly key: readonly FieldReader[] | null;
  readonly replayed: Condition;
  readonly retainedIsLive: boolean;
  readonly picture: Reader | null;
  readonly quiet: boolean;
  readonly events: readonly CompiledEvent[];
  readonly reports: CompiledReports | null;
  readonly receipt: CompiledSend | null;
  readonly reply: {
    readonly to: Reader | null;
    readonly ok: Condition;
    readonly code: FieldReader;
    readonly detail: FieldReader;
  } | null;
}

export interface CompiledEvent {
  readonly when: Condition;
  readonly category: (scope: Scope) => Category | undefined;
  readonly kind: 'pulse' | 'level';
  readonly active: Condition;
  readonly clear: Condition;
  readonly test: Condition;
  readonly detail: readonly (readonly [string, FieldReader])[];
  readonly evidence: readonly {
    readonly kind: 'picture' | 'clip';
    readonly ref: FieldReader;
    readonly sha256: FieldReader;
  }[];
}

export interface CompiledReports {
  readonly when: Condition;
  readonly online: FieldReader;
  readonly battery: FieldReader;
  readonly firmware: FieldReader;
  readonly address: FieldReader;
}

const always: Condition = () => true;
const never: Condition = () => false;
const nothing: FieldReader = () => undefined;

export function compileProfile(definition: ProfileDefinition): Program {
  return {
    messages: definition.messages.map(compileMessage),
    children: (definition.hub?.children ?? []).map(({ topic, key }) => ({
      topic: parseTopic(topic),
      key: compilePath(key ?? '$topic.child'),
    })),
    ignored: definition.ignored.map(parseTopic),
    commands: new Map(
      Object.entries(definition.commands).map(([name, command]) => [name, command.send.map(compileSend)]),
    ),
    redact: new Set(definition.redact),
    unregistered: [],
  };
}

function compileSend(send: {
  topic: string;
  payload: Parameters<typeof compileTemplate>[0];
  qos: 0 | 1;
}): CompiledSend {
  return { topic: parseTopic(send.topic), payload: compileTemplate(send.payload), qos: send.qos };
}

function compileMessage(message: MessageDefinition): CompiledMessage {
  const { time, reply } = message;
  return {
    name: message.name,
    topics: [message.topic].flat().map(parseTopic),
    payload: message.payload,
    when: message.when === undefined ? always : compileCondition(message.when),
    claims: Object.entries(message.claims ?? {}).map(([path, expected]) => ({ read: compileField(path), expected })),
    binary: message.binary,
    bytes: message.binary === undefined ? null : compilePath(message.binary.from),
    each: message.each === undefined ? null : compilePath(message.each),
    time:
      time === undefined
        ? null
        : { read: compilePath(time.from), format: time.format, zone: time.zone, clock: time.clock },
    key: message.key?.map(compileField) ?? null,
    replayed: message.replayed === undefined ? never : compileCondition(message.replayed),
    retainedIsLive: message.retained === 'live',
    picture: message.picture === undefined ? null : compilePath(message.picture),
    quiet: message.quiet,
    events: message.events.map(compileEvent),
    reports: message.reports === undefined ? null : compileReports(message.reports),
    receipt: message.receipt === undefined ? null : compileSend(message.receipt),
    reply:
      reply === undefined
        ? null
        : {
            to: reply.to === undefined ? null : compilePath(reply.to),
            ok: compileCondition(reply.ok),
            code: reply.code === undefined ? nothing : compileField(reply.code),
            detail: reply.detail === undefined ? nothing : compileField(reply.detail),
          },
  };
}

function compileEvent(event: EventDefinition): CompiledEvent {
  return {
    when: event.when === undefined ? always : compileCondition(event.when),
    category: compileCategory(event.category),
    kind: event.kind,
    active: event.active === undefined ? always : compileCondition(event.active),
    clear: event.clear === undefined ? never : compileCondition(event.clear),
    test: event.test === undefined ? never : compileCondition(event.test),
    detail: Object.entries(event.detail).map(([name, field]) => [name, compileField(field)] as const),
    evidence: (event.evidence ?? []).map(({ kind, ref, sha256 }) => ({
      kind,
      ref: compileField(ref),
      sha256: compileField(sha256),
    })),
  };
}

function compileCategory(category: EventDefinition['category']): (scope: Scope) => Category | undefined {
  if (typeof category === 'string') return () => category;
  const read = compileField(category);
  return (scope) => {
    const name = read(scope);
    return typeof name === 'string' && Object.hasOwn(CATEGORIES, name) ? (name as Category) : undefined;
  };
}

function compileReports(reports: NonNullable<MessageDefinition['reports']>): CompiledReports {
  const field = (spec: Parameters<typeof compileField>[0] | undefined): FieldReader =>
    spec === undefined ? nothing : compileField(spec);
  const { online } = reports;
  return {
    when: reports.when === undefined ? always : compileCondition(reports.when),
    online: typeof online === 'boolean' ? () => online : field(online),
    battery: field(reports.battery),
    firmware: field(reports.firmware),
    address: field(reports.address),
  };
}

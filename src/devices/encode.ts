import { QuanweiError } from '../kernel/errors.ts';
import { type Binding, bind, childKey, type DeviceInfo } from './binding.ts';
import type { Profile } from './compile.ts';
import type { Outgoing } from './event.ts';
import type { Scope } from './path.ts';
import type { CommandDefinition } from './profile.ts';
import { bindTopic, fillParams } from './topics.ts';

export interface EncodedCommand {
  readonly messages: Outgoing[];
  /** Whether the device answers; if not, the command counts as done when it has been sent. */
  readonly awaitsReply: boolean;
  readonly timeoutMs: number;
  /** More often than this a minute it must be refused. */
  readonly perMinute: number;
}

/** The moment a command is made, for those that tell the device the time. */
export interface CommandMoment {
  readonly now: number;
  readonly timezone: string;
}

/**
 * A command in the device's own words.
 * @param messageId what the answer will repeat (`Reply.to`), where the protocol has such a thing
 * @throws QuanweiError NOT_FOUND when the profile has no such command, BAD_REQUEST when an argument does not fit it
 */
export function encodeCommand(
  profile: Profile,
  device: DeviceInfo,
  command: string,
  args: Record<string, string | number>,
  messageId: string,
  moment?: CommandMoment,
): EncodedCommand {
  const definition = Object.hasOwn(profile.commands, command) ? profile.commands[command] : undefined;
  const sends = profile.program.commands.get(command);
  if (definition === undefined || sends === undefined) {
    throw new QuanweiError('NOT_FOUND', `a device of profile ${profile.id} has no command ${command}`, {
      hint: `it has: ${Object.keys(profile.commands).join(', ') || 'none'}`,
    });
  }
  const { params } = bind(profile, device);
  const scope: Scope = {
    root: undefined,
    item: undefined,
    topic: {},
    params,
    device,
    bytes: {},
    args: checkedArgs(command, definition, args),
    messageId,
    now: moment?.now ?? Number.NaN,
    timezone: moment?.timezone ?? 'UTC',
    time: null,
  };
  return {
    messages: sends.map(({ topic, payload, qos }) => ({
      topic: bindTopic(topic, params).filter,
      payload: payload(scope),
      qos,
      retain: false,
    })),
    awaitsReply: definition.reply,
    timeoutMs: definition.timeout,
    perMinute: definition.perMinute,
  };
}

function checkedArgs(
  command: string,
  definition: CommandDefinition,
  given: Record<string, string | number>,
): Record<string, string | number> {
  const refuse = (name: string, what: string): never => {
    throw new QuanweiError('BAD_REQUEST', `argument ${name} of ${command}: ${what}`);
  };
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(definition.args, name)) refuse(name, 'there is no such argument');
  }
  const args: Record<string, string | number> = {};
  for (const [name, rule] of Object.entries(definition.args)) {
    const raw = Object.hasOwn(given, name) ? given[name] : rule.default;
    if (raw === undefined) return refuse(name, 'is required');
    const value = rule.type === 'text' ? String(raw) : Number(raw);
    if (typeof value === 'number') {
      if (!Number.isFinite(value) || (rule.type === 'integer' && !Number.isInteger(value)))
        refuse(name, 'must be a number');
      if (rule.min !== undefined && value < rule.min) refuse(name, `must be at least ${rule.min}`);
      if (rule.max !== undefined && value > rule.max) refuse(name, `must be at most ${rule.max}`);
    } else {
      if (/[\p{Cc};]/u.test(value)) refuse(name, 'must be one line of plain text');
      if (value.length > (rule.max ?? 256)) refuse(name, `must be at most ${rule.max ?? 256} characters`);
    }
    if (rule.options !== undefined && !rule.options.some((option) => String(option) === String(value))) {
      refuse(name, `must be one of ${rule.options.join(', ')}`);
    }
    args[name] = value;
  }
  return args;
}

/**
 * The MQTT filters of a device's login: what it may publish and what it may read, and nothing besides.
 * @param children the devices a hub speaks for; their commands go through its login
 */
export function topicsOf(
  profile: Profile,
  device: DeviceInfo,
  children: readonly { device: DeviceInfo; profile: Profile }[],
): { publish: string[]; subscribe: string[] } {
  const binding = bind(profile, device);
  const { messages, children: spokenFor, ignored } = profile.program;
  const spoken = [...messages.flatMap((message) => message.topics), ...spokenFor.map(({ topic }) => topic), ...ignored];
  const publish = new Set(spoken.map((topic) => bindTopic(topic, binding.params).filter));
  const subscribe = new Set(listensTo(profile, binding));
  for (const child of children) {
    for (const filter of childListensTo(profile, binding, child)) subscribe.add(filter);
  }
  return { publish: [...publish], subscribe: [...subscribe] };
}

function listensTo(profile: Profile, binding: Pick<Binding, 'params'>): string[] {
  const sent = [...profile.program.commands.values()].flat().map(({ topic }) => topic);
  const receipts = profile.program.messages.flatMap(({ receipt }) => (receipt === null ? [] : [receipt.topic]));
  return [
    ...[...sent, ...receipts].map((topic) => bindTopic(topic, binding.params).filter),
    ...profile.subscribes.map((filter) => fillParams(filter, binding.params)),
  ];
}

function childListensTo(hub: Profile, binding: Binding, child: { device: DeviceInfo; profile: Profile }): string[] {
  const values = { ...binding.params, child: childKey(child.device) };
  const given: Record<string, string> = {};
  for (const [name, template] of Object.entries(hub.hub?.params ?? {})) {
    const captures = hub.program.children.flatMap(({ topic }) => topic.captures);
    const open = [...template.matchAll(/\{([a-zA-Z0-9]+)\}/g)].some(
      ([, used]) => used !== undefined && used !== 'child' && captures.includes(used),
    );
    // What only a message's own topic can tell (a ChirpStack application) is not known here: the default serves.
    if (!open && Object.hasOwn(child.profile.parameters, name)) given[name] = fillParams(template, values);
  }
  return listensTo(child.profile, { params: bind(child.profile, child.device, given).params });
}

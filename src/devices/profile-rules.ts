import { isZone } from './device-time.ts';
import { namesOf, parsePath } from './path.ts';
import type { MessageDefinition, ProfileDefinition } from './profile.ts';
import { slotsOf, type TemplateSpec } from './template.ts';
import { parseTopic } from './topics.ts';

/** What the shape of a profile cannot say: names that must exist elsewhere in it, and promises it must keep. */
export interface RuleBroken {
  /** Keys from the top of the file to what is wrong. */
  readonly path: readonly (string | number)[];
  readonly what: string;
  readonly hint?: string;
}

type Report = (path: readonly (string | number)[], what: string, hint?: string) => void;

export function checkRules(profile: ProfileDefinition): RuleBroken[] {
  const broken: RuleBroken[] = [];
  const report: Report = (path, what, hint) =>
    void broken.push(hint === undefined ? { path, what } : { path, what, hint });
  checkKind(profile, report);
  checkParameters(profile, report);
  checkTopics(profile, report);
  profile.messages.forEach((message, index) => {
    checkMessage(profile, message, ['messages', index], report);
  });
  checkUnique(
    profile.messages.map((message) => message.name),
    (index, name) => report(['messages', index, 'name'], `message ${name} stands twice`),
  );
  checkCommands(profile, report);
  checkHub(profile, report);
  checkSamples(profile, report);
  return broken;
}

function checkUnique(names: readonly string[], twice: (index: number, name: string) => void): void {
  names.forEach((name, index) => {
    if (names.indexOf(name) !== index) twice(index, name);
  });
}

function checkKind(profile: ProfileDefinition, report: Report): void {
  if (profile.kind === 'face-door' && profile.alternatives.length === 0) {
    report(
      ['kind'],
      'a face door needs at least one other way in',
      'name it under alternatives: card, qr, pin, intercom, key or phone; a face may never be the only key',
    );
  }
  const isHub = profile.kind === 'hub' || profile.kind === 'vision';
  if (isHub !== (profile.hub !== undefined)) {
    report(isHub ? ['kind'] : ['hub'], 'kind hub (or vision) and the part `hub` belong together');
  }
  const { heartbeat, silentAfter } = profile.supervision;
  if (heartbeat !== undefined && silentAfter !== undefined && silentAfter <= heartbeat) {
    report(['supervision', 'silentAfter'], 'is not longer than the heartbeat', 'two or three heartbeats are usual');
  }
}

function checkParameters(profile: ProfileDefinition, report: Report): void {
  for (const [name, { default: value, options }] of Object.entries(profile.parameters)) {
    if (['id', 'key', 'child'].includes(name)) report(['parameters', name], `the name ${name} is taken`);
    if (options !== undefined && value !== undefined && !options.includes(value)) {
      report(['parameters', name, 'default'], 'is not among the options');
    }
  }
}

function checkTopics(profile: ProfileDefinition, report: Report): void {
  const check = (text: string, path: readonly (string | number)[], captures: boolean): void => {
    const topic = parseTopic(text);
    for (const name of topic.params) {
      const parameter = profile.parameters[name];
      if (parameter === undefined) {
        report(
          path,
          `{${name}} is no parameter of this profile`,
          `add it under parameters, or write {+${name}} to take any level`,
        );
      } else if (parameter.type !== 'level' && parameter.type !== 'topic') {
        report(['parameters', name], 'is used in a topic', 'give it `type: level` or `type: topic`');
      }
    }
    if (!captures && topic.captures.length > 0) report(path, 'a topic that we send to cannot have captures');
  };
  profile.messages.forEach((message, index) => {
    if (typeof message.topic === 'string') check(message.topic, ['messages', index, 'topic'], true);
    else message.topic.forEach((topic, at) => void check(topic, ['messages', index, 'topic', at], true));
    if (message.receipt !== undefined) check(message.receipt.topic, ['messages', index, 'receipt', 'topic'], false);
  });
  profile.ignored.forEach((topic, index) => void check(topic, ['ignored', index], true));
  profile.hub?.children.forEach(({ topic }, index) => void check(topic, ['hub', 'children', index, 'topic'], true));
  for (const [name, command] of Object.entries(profile.commands)) {
    command.send.forEach(({ topic }, index) => void check(topic, ['commands', name, 'send', index, 'topic'], false));
  }
}

function checkMessage(
  profile: ProfileDefinition,
  message: MessageDefinition,
  at: readonly (string | number)[],
  report: Report,
): void {
  const topics = [message.topic].flat().map(parseTopic);
  const captures = topics.map((topic) => topic.captures);
  const bytes = (message.binary?.records ?? []).flatMap(({ name }) => name ?? []);
  for (const { text, path } of pathsOf(message, at)) {
    for (const name of namesOf(text, '$param')) needParameter(profile, name, path, report);
    for (const name of namesOf(text, '$topic')) {
      if (!captures.every((known) => known.includes(name))) {
        report(path, `$topic.${name} is not captured by every topic of this message`, `write {+${name}} in the topic`);
      }
    }
    for (const name of namesOf(text, '$bytes')) {
      if (!bytes.includes(name)) report(path, `$bytes.${name} is not among the records of \`binary\``);
    }
    if (/(^|\|)\s*@/.test(text) && message.each === undefined)
      report(path, '@ needs `each`: the list whose items it means');
    if (/\$(arg|messageId|now)/.test(text)) report(path, `'${text}' exists in commands only`);
  }
  for (const { steps } of message.picture === undefined ? [] : parsePath(message.picture)) {
    if (steps.some((step) => profile.redact.includes(String(step)))) continue;
    report([...at, 'picture'], 'a picture would be stored', 'name its key under redact');
  }
  for (const [index, event] of message.events.entries()) {
    const path = [...at, 'events', index];
    if (event.kind === 'level' && (event.active === undefined || event.clear === undefined)) {
      report(
        path,
        'a level needs `active` and `clear`',
        'say by what the message shows that it holds, and that it is over',
      );
    }
    if (event.kind === 'pulse' && (event.active !== undefined || event.clear !== undefined)) {
      report(path, 'a pulse has no end: `active` and `clear` belong to a level', 'use `when`');
    }
  }
  const zone = message.time?.zone;
  if (zone !== undefined && zone !== 'site' && !zone.startsWith('$param.') && !isZone(zone)) {
    report(
      [...at, 'time', 'zone'],
      `'${zone}' is no time zone`,
      'site, UTC, an IANA name such as Asia/Shanghai, or $param.NAME',
    );
  }
  if (zone?.startsWith('$param.') === true) needParameter(profile, zone.slice(7), [...at, 'time', 'zone'], report);
}

function needParameter(
  profile: ProfileDefinition,
  name: string,
  path: readonly (string | number)[],
  report: Report,
): void {
  if (!Object.hasOwn(profile.parameters, name)) {
    report(
      path,
      `$param.${name} is no parameter of this profile`,
      `it has: ${Object.keys(profile.parameters).join(', ') || 'none'}`,
    );
  }
}

interface Found {
  readonly text: string;
  readonly path: readonly (string | number)[];
}

/** Every path a message names, with where it stands in the file. */
function pathsOf(message: MessageDefinition, at: readonly (string | number)[]): Found[] {
  const found: Found[] = [];
  const field = (value: unknown, path: readonly (string | number)[]): void => {
    if (typeof value === 'string') found.push({ text: value, path });
    else if (typeof value === 'object' && value !== null && 'from' in value && typeof value.from === 'string') {
      found.push({ text: value.from, path: [...path, 'from'] });
    }
  };
  const condition = (value: unknown, path: readonly (string | number)[]): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, test] of Object.entries(value)) {
      if (key === 'any' || key === 'none') {
        (test as unknown[]).forEach((part, index) => void condition(part, [...path, key, index]));
        continue;
      }
      found.push({ text: key, path: [...path, key] });
      const named = typeof test === 'object' && test !== null ? ((test as { in?: unknown }).in ?? null) : test;
      if (typeof named === 'string' && named.startsWith('$param.')) found.push({ text: named, path: [...path, key] });
    }
  };
  for (const name of ['when', 'replayed'] as const) condition(message[name], [...at, name]);
  for (const path of Object.keys(message.claims ?? {})) field(path, [...at, 'claims', path]);
  field(message.each, [...at, 'each']);
  field(message.binary?.from, [...at, 'binary', 'from']);
  field(message.time?.from, [...at, 'time', 'from']);
  field(message.picture, [...at, 'picture']);
  message.key?.forEach((part, index) => void field(part, [...at, 'key', index]));
  message.events.forEach((event, index) => {
    const path = [...at, 'events', index];
    for (const name of ['when', 'active', 'clear', 'test'] as const) condition(event[name], [...path, name]);
    if (typeof event.category === 'object') field(event.category, [...path, 'category']);
    for (const [name, value] of Object.entries(event.detail)) field(value, [...path, 'detail', name]);
  });
  condition(message.reports?.when, [...at, 'reports', 'when']);
  for (const name of ['online', 'battery', 'firmware', 'address'] as const) {
    field(message.reports?.[name], [...at, 'reports', name]);
  }
  if (message.receipt !== undefined) slots(message.receipt.payload, [...at, 'receipt', 'payload'], found);
  condition(message.reply?.ok, [...at, 'reply', 'ok']);
  for (const name of ['to', 'code', 'detail'] as const) field(message.reply?.[name], [...at, 'reply', name]);
  return found;
}

function slots(template: TemplateSpec, path: readonly (string | number)[], found: Found[]): void {
  for (const slot of slotsOf(template)) found.push({ text: slot.path, path });
}

function checkCommands(profile: ProfileDefinition, report: Report): void {
  const answered = profile.messages.some((message) => message.reply !== undefined);
  for (const [name, command] of Object.entries(profile.commands)) {
    if (command.reply && !answered) {
      report(
        ['commands', name, 'reply'],
        'no message of this profile has a `reply`',
        'describe the answer under messages, or write reply: false',
      );
    }
    command.send.forEach(({ payload }, index) => {
      const at = ['commands', name, 'send', index, 'payload'];
      for (const { path } of slotsOf(payload)) {
        for (const used of namesOf(path, '$param')) needParameter(profile, used, at, report);
        for (const used of namesOf(path, '$arg')) {
          if (!Object.hasOwn(command.args, used)) report(at, `$arg.${used} is no argument of this command`);
        }
        if (!path.trim().startsWith('$'))
          report(
            at,
            `'${path}' is a path into a message; a command has none`,
            'use $arg.NAME, $param.NAME, $device.id, $messageId or $now',
          );
      }
    });
  }
}

function checkHub(profile: ProfileDefinition, report: Report): void {
  const { hub } = profile;
  if (hub === undefined) return;
  hub.children.forEach(({ topic, key }, index) => {
    const captured = parseTopic(topic).captures.includes('child');
    if (captured === (key !== undefined)) {
      report(
        ['hub', 'children', index],
        'either {+child} (or {#child}) in the topic, or `key` in the payload, names the end device',
      );
    }
  });
}

function checkSamples(profile: ProfileDefinition, report: Report): void {
  const names = new Set(profile.messages.map((message) => message.name));
  profile.samples.forEach((sample, index) => {
    if (
      sample.message !== undefined &&
      !names.has(sample.message) &&
      !['ignored', 'candidate'].includes(sample.message) &&
      sample.device === undefined &&
      sample.candidate === null
    ) {
      report(
        ['samples', index, 'message'],
        `there is no message ${sample.message}`,
        `messages: ${[...names].join(', ')}`,
      );
    }
    if (sample.answers !== undefined && !Object.hasOwn(profile.commands, sample.answers)) {
      report(['samples', index, 'answers'], `there is no command ${sample.answers}`);
    }
    if ((sample.payload === undefined) === (sample.text === undefined)) {
      report(['samples', index], 'either `payload` (JSON) or `text` is required');
    }
  });
  profile.commandSamples.forEach(({ command }, index) => {
    if (!Object.hasOwn(profile.commands, command))
      report(['commandSamples', index, 'command'], `there is no command ${command}`);
  });
}

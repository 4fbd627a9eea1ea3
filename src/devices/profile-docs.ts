import { z } from 'zod';
import { KEY_PARAM } from './binding.ts';
import type { Profile } from './compile.ts';
import { topicsOf } from './encode.ts';
import { CATEGORIES, type Category } from './event.ts';
import { ProfileDefinition } from './profile.ts';
import { exampleDevice } from './profile-test.ts';

/** `docs/profile.schema.json`: what editors check a profile against while it is written. */
export function profileSchema(): string {
  const schema = z.toJSONSchema(ProfileDefinition, { io: 'input', target: 'draft-7', reused: 'ref' });
  const titled = { title: 'Quanwei device profile', ...schema };
  return `${JSON.stringify(titled, null, 2)}\n`;
}

/** `docs/device-profiles.md`: every device model, made from the profiles themselves. */
export function profilesPage(profiles: readonly Profile[]): string {
  const sorted = [...profiles].sort((a, b) => (a.id < b.id ? -1 : 1));
  return `${[
    '# 设备型号 · Device profiles',
    '<!-- Made from device-profiles/*.yaml; a test keeps it so. Do not edit. -->',
    '每个型号是 `device-profiles/` 里的一个文件。加一个型号见 [adding-a-device.md](adding-a-device.md)。\n' +
      'Each model is one file in `device-profiles/`. To add one, see [adding-a-device.md](adding-a-device.md).',
    table(
      ['profile', '名称', 'name', 'MQTT'],
      sorted.map(({ id, names, hub }) => [
        `[\`${id}\`](#${id})`,
        names.zh,
        names.en,
        hub === undefined ? 'own login' : 'hub',
      ]),
    ),
    ...sorted.map(section),
  ].join('\n\n')}\n`;
}

function section(profile: Profile): string {
  const { names, about, vendor, transport, alternatives, setup, supervision, redact, sources } = profile;
  const facts = [
    `vendor: ${vendor}`,
    `transport: ${transport}${transport === 'mqtt' ? `, QoS ${profile.qos}` : ''}`,
    ...(alternatives.length === 0 ? [] : [`other ways in than the face: ${alternatives.join(', ')}`]),
  ];
  return [
    `## ${profile.id}`,
    `**${names.zh}** · **${names.en}**`,
    `${about.zh}\n\n${about.en}`,
    facts.map((fact) => `- ${fact}`).join('\n'),
    ...(setup.length === 0
      ? []
      : [
          '### 设备上填什么 · What to type into the device',
          setup.map(({ zh, en }, n) => `${n + 1}. ${zh}\n   ${en}`).join('\n'),
        ]),
    '### gateway.yaml',
    `\`\`\`yaml\n${configOf(profile)}\`\`\``,
    ...parametersOf(profile),
    '### 报文 · Messages',
    messagesOf(profile),
    ...hubOf(profile),
    ...commandsOf(profile),
    '### 主题权限 · Topics its login may use',
    topicsPart(profile),
    '### 失联 · Silence',
    `${supervision.silence.zh}\n\n${supervision.silence.en}\n\n- ${[
      supervision.lifeSafety ? 'life safety' : 'not life safety',
      supervision.heartbeat === undefined ? 'sends no heartbeat' : `speaks every ${duration(supervision.heartbeat)}`,
      supervision.silentAfter === undefined
        ? 'silence is not watched'
        : `an alarm after ${duration(supervision.silentAfter)}`,
    ].join('; ')}`,
    ...(redact.length === 0 ? [] : [`不保存的字段 · Never stored: ${redact.map((name) => `\`${name}\``).join(' ')}`]),
    ...(sources.length === 0 ? [] : ['### 依据 · Sources', sources.map((source) => `- ${source}`).join('\n')]),
  ].join('\n\n');
}

function configOf(profile: Profile): string {
  const { id, name, children } = profile.example;
  const lines = ['devices:', `  - id: ${quoted(id)}`, `    profile: ${profile.id}`, `    name: ${name}`];
  lines.push(`    secret: $\{${id.replace(/[^A-Za-z0-9]/g, '_').toUpperCase()}_SECRET}`);
  for (const child of children) {
    lines.push(`  - id: ${quoted(child.id)}`, `    profile: ${child.profile}`, `    hub: ${quoted(id)}`);
    const params = Object.entries(child.params).map(([key, value]) => `${key}: ${quoted(value)}`);
    if (params.length > 0) lines.push(`    params: { ${params.join(', ')} }`);
  }
  return `${lines.join('\n')}\n`;
}

const quoted = (text: string): string => (/^[A-Za-z][A-Za-z0-9._-]*$/.test(text) ? text : `'${text}'`);

function parametersOf(profile: Profile): string[] {
  const rows = Object.entries(profile.parameters).map(([name, { about, default: value, options }]) => [
    `\`${name}\``,
    about.zh,
    about.en,
    value === undefined ? 'required' : `\`${value}\``,
    (options ?? []).map((option) => `\`${option}\``).join(' '),
  ]);
  if (rows.length === 0) return [];
  const usesKey = Object.values(profile.parameters).some(({ default: value }) => value?.includes('{key}') === true);
  if (usesKey) {
    rows.push([`\`${KEY_PARAM}\``, '中心对它的叫法', 'the name its hub knows it by', '`{id}`', '']);
  }
  return ['### 参数 · Parameters (`params`)', table(['', '', '', 'default', 'one of'], rows)];
}

function messagesOf(profile: Profile): string {
  if (profile.messages.length === 0) return '没有自己的报文。None of its own.';
  return table(
    ['message', '', '', 'topic', 'gives'],
    profile.messages.map(({ name, about, topic, events, reports, receipt, reply, quiet, picture }) => {
      const gives = [
        ...new Set(events.flatMap((event) => categoriesOf(event.category))),
        ...(reports === undefined ? [] : Object.keys(reports).filter((key) => key !== 'when')),
        ...(receipt === undefined ? [] : ['receipt after the commit']),
        ...(reply === undefined ? [] : ['answers a command']),
        ...(picture === undefined ? [] : ['a picture that can be compared']),
        ...(quiet ? ['(not journalled by itself)'] : []),
      ];
      const topics = [topic].flat().map((text) => `\`${text}\``);
      return [`\`${name}\``, about.zh, about.en, topics.join('<br>'), gives.join(', ')];
    }),
  );
}

function categoriesOf(category: Profile['messages'][number]['events'][number]['category']): string[] {
  if (typeof category === 'string') return [labelled(category)];
  if (category.map !== undefined) return [...new Set(Object.values(category.map))].map(labelled);
  return [`as \`${category.from.replace('$param.', '')}\` says`];
}

const labelled = (category: Category): string => `\`${category}\` ${CATEGORIES[category].zh}`;

function hubOf({ hub }: Profile): string[] {
  if (hub === undefined) return [];
  const rows = hub.children.map(({ topic, key }) => [
    `\`${topic}\``,
    key === undefined ? 'in the topic' : `\`${key}\` in the message`,
  ]);
  const tried = hub.unregistered.map(({ profile }) => `\`${profile}\``).join(' ');
  return [
    '### 末端设备 · End devices behind it',
    table(['topic', 'which one'], rows),
    ...(tried === ''
      ? []
      : [`未登记的末端按这些型号试读，报警以中心名义上报 · Tried on end devices nobody registered: ${tried}`]),
  ];
}

function commandsOf(profile: Profile): string[] {
  const rows = Object.entries(profile.commands).map(([name, { about, args, reply, timeout, perMinute }]) => [
    `\`${name}\``,
    about.zh,
    about.en,
    Object.entries(args)
      .map(([arg, rule]) => `\`${arg}\`${rule.default === undefined ? '' : ` = ${rule.default}`}`)
      .join(', '),
    reply ? `answers within ${duration(timeout)}` : 'no answer',
    `${perMinute}/min`,
  ]);
  return rows.length === 0 ? [] : ['### 指令 · Commands', table(['', '', '', 'arguments', '', 'at most'], rows)];
}

function topicsPart(profile: Profile): string {
  const { publish, subscribe } = topicsOf(profile, exampleDevice(profile), []);
  const list = (topics: readonly string[]): string =>
    topics.length === 0 ? 'none' : topics.map((topic) => `\`${topic}\``).join(' ');
  return `device \`${profile.example.id}\`\n\n- publish: ${list(publish)}\n- subscribe: ${list(subscribe)}`;
}

const UNITS: readonly (readonly [number, string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
];

function duration(ms: number): string {
  const [size, unit] = UNITS.find(([size]) => ms >= size && ms % size === 0) ?? [1, 'ms'];
  return `${ms / size} ${unit}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${' --- |'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

import { z } from 'zod';
import { bare } from './issues.ts';
import { MEANINGS } from './meanings.ts';
import { GatewayConfig } from './schema.ts';

/** `docs/gateway.schema.json`: what editors check `gateway.yaml` against while it is written. */
export function gatewaySchema(): string {
  const schema = z.toJSONSchema(GatewayConfig, {
    io: 'input',
    target: 'draft-7',
    reused: 'ref',
    override: ({ jsonSchema }) => {
      // A reference to the environment may stand wherever text may; what it stands for is checked by the program.
      if (jsonSchema.type !== 'string') return;
      if (jsonSchema.pattern !== undefined) jsonSchema.pattern = `${jsonSchema.pattern}|\\$\\{[A-Za-z_]`;
      delete jsonSchema.minLength;
    },
  });
  return `${JSON.stringify({ title: 'Quanwei gateway configuration', ...schema }, null, 2)}\n`;
}

/** `docs/configuration.md`: every key with what may stand there, its default and what it means. */
export function configurationPage(): string {
  const groups = Object.entries(GatewayConfig.def.shape).map(([key, schema]) => section(key, schema));
  return `${[
    '# 配置 · Configuration (`gateway.yaml`)',
    '<!-- Made from src/config/schema.ts; a test keeps it so. Do not edit. -->',
    HEAD,
    ...groups,
  ].join('\n\n')}\n`;
}

const HEAD = `一个 YAML 文件，UTF-8 编码。写错的键、值都会指出行和列；\`quanwei check --config gateway.yaml\` 检查而不启动。
编辑器可用 [gateway.schema.json](gateway.schema.json) 边写边查；示例见 [examples/gateway.yaml](examples/gateway.yaml)。

- \`\${NAME}\`：从 systemd 凭据（\`$CREDENTIALS_DIRECTORY\`）或环境变量读取，只替换文字值；\`$\${\` 表示普通的 \`\${\`。
- 时长：\`500ms\` \`60s\` \`5m\` \`24h\` \`180d\`；大小：\`256kB\` \`500MB\` \`2GB\`；路径相对于本文件。

One YAML file in UTF-8. A wrong key or value is told with its line and column; \`quanwei check --config gateway.yaml\` checks without
starting. Editors check it with [gateway.schema.json](gateway.schema.json); a sample is [examples/gateway.yaml](examples/gateway.yaml).

- \`\${NAME}\` is read from systemd’s credentials (\`$CREDENTIALS_DIRECTORY\`), then from the environment; only in text values; \`$\${\` is a plain \`\${\`.
- Durations: \`500ms\` \`60s\` \`5m\` \`24h\` \`180d\`; sizes: \`256kB\` \`500MB\` \`2GB\`; paths are relative to this file.`;

type Schema = z.core.$ZodType;

interface Row {
  readonly key: string;
  readonly form: string;
  readonly fallback: string;
  readonly meaning: Meaning;
}

/** What a key is for, in both languages; the English is empty where its name says it. */
export interface Meaning {
  readonly zh: string;
  readonly en: string;
}

function section(key: string, schema: Schema): string {
  const rows = rowsOf(key, schema, true);
  const table = [
    '| key | 值 · value | 默认 · default | 含义 · meaning |',
    '| --- | --- | --- | --- |',
    ...rows.map(({ key: name, form, fallback, meaning }) =>
      [`| \`${name}\``, form, fallback, `${bothOf(meaning).replaceAll('|', '\\|')} |`].join(' | '),
    ),
  ];
  return [`## ${key}`, table.join('\n')].join('\n\n');
}

const bothOf = ({ zh, en }: Meaning): string => [zh, en].filter((text) => text !== '').join('<br>');

const allRows = (): Row[] =>
  Object.entries(GatewayConfig.def.shape).flatMap(([key, schema]) => rowsOf(key, schema, true));

/** Every key there is, as the page names it. */
export const configurationKeys = (): string[] => allRows().map(({ key }) => key);

let meanings: ReadonlyMap<string, Meaning> | null = null;
/** What every key means, by its name. Walking the schema takes 10 ms, and the page asks for each section. */
export function keyMeanings(): ReadonlyMap<string, Meaning> {
  meanings ??= new Map(allRows().map(({ key, meaning }) => [key, meaning]));
  return meanings;
}

/** The key itself, and whatever keys stand below it. */
function rowsOf(key: string, schema: Schema, first = false): Row[] {
  const inner = bare(schema);
  const children = childrenOf(key, inner);
  const { zh = '', en = '' } = MEANINGS[key] ?? {};
  const meaning = { zh, en: en === '' ? describe(schema) : en };
  const self = { key, form: formOf(inner), fallback: fallbackOf(schema), meaning };
  if (children.length === 0) return [self];
  return first && MEANINGS[key] === undefined ? children : [self, ...children];
}

function childrenOf(key: string, schema: Schema): Row[] {
  if (schema instanceof z.core.$ZodObject) {
    return Object.entries(schema._zod.def.shape).flatMap(([name, child]) => rowsOf(`${key}.${name}`, child));
  }
  if (schema instanceof z.core.$ZodArray) return childrenOf(`${key}[]`, bare(schema._zod.def.element));
  if (schema instanceof z.core.$ZodUnion) {
    return schema._zod.def.options.flatMap((one) => childrenOf(key, bare(one)));
  }
  return [];
}

function formOf(schema: Schema): string {
  if (schema instanceof z.core.$ZodEnum) return codes(Object.values(schema._zod.def.entries));
  if (schema instanceof z.core.$ZodLiteral) return codes(schema._zod.def.values);
  if (schema instanceof z.core.$ZodUnion) {
    return [...new Set(schema._zod.def.options.map((one) => formOf(bare(one))))].join(' / ');
  }
  if (schema instanceof z.core.$ZodArray) return `列表 list: ${formOf(bare(schema._zod.def.element))}`;
  if (schema instanceof z.core.$ZodTuple)
    return `列表 list: ${schema._zod.def.items.map((one) => formOf(bare(one))).join(', ')}`;
  if (schema instanceof z.core.$ZodObject) return '一组键 group';
  if (schema instanceof z.core.$ZodRecord) return '名称: 文字 name: text';
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  if (json.type === 'boolean') return codes([true, false]);
  if (json.type === 'integer' || json.type === 'number') return `数 ${json.minimum ?? ''}–${json.maximum ?? ''}`;
  return json.type === 'string' ? textForm(json.pattern) : '任意 any';
}

/** The forms of text that have a name of their own, by what the schema says they look like. */
function textForm(pattern: string | undefined): string {
  if (pattern === undefined) return '文字 text';
  if (pattern.includes('(ms|s|m|h|d)')) return '时长 duration';
  if (pattern.includes('(kB|MB|GB)')) return '大小 size';
  if (pattern.includes('[01]\\d|2[0-3]')) return '时刻 `HH:MM`';
  const scheme = /^\^\(?([a-z?|]+)\)?:/.exec(pattern.replaceAll('\\', ''))?.[1];
  if (scheme !== undefined) {
    const schemes = scheme
      .split('|')
      .flatMap((one) => (one.endsWith('s?') ? [one.slice(0, -2), one.slice(0, -1)] : [one]));
    return schemes.map((one) => `\`${one}://\``).join(' ');
  }
  return '编号 id';
}

const codes = (values: readonly unknown[]): string => values.map((value) => `\`${String(value)}\``).join(' ');

function fallbackOf(schema: Schema): string {
  if (schema instanceof z.core.$ZodOptional) return '—';
  if (schema instanceof z.core.$ZodDefault || schema instanceof z.core.$ZodPrefault) {
    const value: unknown = schema._zod.def.defaultValue;
    const empty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
    if (empty) return Array.isArray(value) ? '`[]`' : '';
    return value === '' ? '' : `\`${typeof value === 'string' ? value : flow(value)}\``;
  }
  return '**必填 required**';
}

/** As it would be written in YAML on one line. */
const flow = (value: unknown): string =>
  JSON.stringify(value)
    .replaceAll(/"(\w+)":/g, '$1: ')
    .replaceAll(/"([\w.:/-]+)"/g, '$1')
    .replaceAll(/,(?=\S)/g, ', ');

function describe(schema: Schema): string {
  const own = z.globalRegistry.get(schema)?.description;
  if (own !== undefined) return own;
  if (
    schema instanceof z.core.$ZodDefault ||
    schema instanceof z.core.$ZodPrefault ||
    schema instanceof z.core.$ZodOptional
  ) {
    return describe(schema._zod.def.innerType);
  }
  return '';
}

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { configurationKeys, configurationPage, gatewaySchema } from '../../src/config/json-schema.ts';
import { MEANINGS } from '../../src/config/meanings.ts';

const docs = (name: string): string => fileURLToPath(new URL(`../../docs/${name}`, import.meta.url));

/** `UPDATE_DOCS=1 npx vitest run tests/config/documents.test.ts` writes them anew. */
function current(name: string, made: string): void {
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(docs(name), made);
  expect(existsSync(docs(name)) ? readFileSync(docs(name), 'utf8') : '').toBe(made);
}

describe('the documents made from the schema of the configuration are current', () => {
  test('docs/configuration.md', () => current('configuration.md', configurationPage()));
  test('docs/gateway.schema.json', () => current('gateway.schema.json', gatewaySchema()));
});

test('every key has its meaning in Chinese and in English, and nothing else has', () => {
  const keys = configurationKeys();
  expect(Object.keys(MEANINGS).sort()).toEqual([...keys].sort());
  const page = configurationPage().split('\n');
  for (const key of keys) {
    const meaning =
      page
        .find((line) => line.startsWith(`| \`${key}\` |`))
        ?.split(' | ')
        .at(-1) ?? '';
    expect(meaning, key).toMatch(/[\u4e00-\u9fff]/);
    expect(meaning, key).toMatch(/[A-Za-z]{3,}/);
  }
});

interface Node {
  type?: string;
  properties?: Record<string, Node>;
  items?: Node;
  anyOf?: Node[];
  pattern?: string;
  additionalProperties?: unknown;
  required?: string[];
}

test('an editor knows every key of the sample, takes a reference wherever text may stand, and requires no default', () => {
  const schema = JSON.parse(gatewaySchema()) as Node & { definitions?: Record<string, Node> };
  const resolve = (node: Node & { $ref?: string; allOf?: (Node & { $ref?: string })[] }): Node => {
    const ref = node.$ref ?? node.allOf?.find((one) => one.$ref !== undefined)?.$ref;
    return ref === undefined ? node : resolve(schema.definitions?.[ref.split('/').at(-1) ?? ''] ?? {});
  };
  expect(schema.required).toEqual(['site']);
  const known = (node: Node, value: unknown, path: string): void => {
    const forms = (resolve(node).anyOf ?? [node]).map(resolve);
    if (Array.isArray(value)) {
      const items = forms.find((one) => one.items !== undefined)?.items;
      if (items !== undefined && !Array.isArray(items)) for (const one of value) known(items, one, `${path}[]`);
    } else if (typeof value === 'object' && value !== null) {
      const group = forms.find((one) => one.properties !== undefined);
      for (const [key, below] of Object.entries(value)) {
        const child = group?.properties?.[key];
        if (group === undefined) continue;
        expect(child, `${path}.${key}`).toBeDefined();
        if (child !== undefined) known(child, below, `${path}.${key}`);
      }
    } else if (typeof value === 'string') {
      const patterns = forms.flatMap(({ pattern }) => pattern ?? []);
      if (patterns.length === 0) return;
      expect(
        patterns.some((pattern) => new RegExp(pattern, 'u').test(value)),
        `${path}: ${value}`,
      ).toBe(true);
      expect(
        patterns.some((pattern) => new RegExp(pattern, 'u').test(`\${REFERENCE}`)),
        path,
      ).toBe(true);
    }
  };
  known(schema, parse(readFileSync(docs('examples/gateway.yaml'), 'utf8')), '');
});

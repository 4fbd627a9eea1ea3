import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ENTRY_KINDS } from '../../src/journal/entry.ts';
import { DATA_FORMS, Envelope } from '../../src/upstream/forms.ts';
import { Order } from '../../src/upstream/order.ts';
import { topicsOf } from '../../src/upstream/topics.ts';

const docs = readFileSync(fileURLToPath(new URL('../../docs/upstream.md', import.meta.url)), 'utf8');

test('docs/upstream.md tells every topic, type, attribute and order there is', () => {
  const { event, status, evidence, order, reply, receipt } = topicsOf({ street: '{street}', id: '{site}' });
  const topics = [event('{category}'), status, evidence, order, reply, receipt];
  const types = Object.keys(DATA_FORMS).filter((type) => !type.includes('*'));
  const alarms = ENTRY_KINDS.filter((kind) => kind.startsWith('alarm.')).map((kind) => kind.slice('alarm'.length));
  const attributes = Object.keys(Envelope.shape).filter(
    (name) => !['specversion', 'datacontenttype', 'data'].includes(name),
  );
  const orders = Order.options.map((option) => option.shape.type.value);
  const missing = [
    ...[...topics, ...types, ...attributes, ...orders].filter((word) => !docs.includes(`\`${word}\``)),
    ...alarms.filter((word) => !docs.includes(`${word}\``) && !docs.includes(`${word}.v1\``)),
  ];
  expect(missing).toEqual([]);
});

test('docs/upstream.md gives the example orders and receipts the program takes', () => {
  const blocks = [...docs.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text]) => JSON.parse(text ?? ''));
  expect(blocks).toHaveLength(3);
  expect(() => Envelope.parse(blocks[0])).not.toThrow();
  expect(() => Order.parse(blocks[2])).not.toThrow();
});

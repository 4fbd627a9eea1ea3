import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileCondition } from '../../src/devices/condition.ts';
import { compileField } from '../../src/devices/field.ts';
import { compilePath, Mistake, parsePath, replaceAt, type Scope } from '../../src/devices/path.ts';
import { compileTemplate } from '../../src/devices/template.ts';
import { device } from './support.ts';

const scope = (root: unknown, more: Partial<Scope> = {}): Scope => ({
  root,
  item: undefined,
  topic: {},
  params: {},
  device: device('d1'),
  bytes: {},
  args: {},
  messageId: 'm1',
  now: 0,
  timezone: 'UTC',
  time: null,
  ...more,
});

describe('a path', () => {
  it('reads objects, lists and odd keys, and takes the first alternative that holds something', () => {
    const root = { a: { b: [{ 'c d': 1 }] }, empty: ' ', name: 'x' };
    expect(compilePath('a.b[0]["c d"]')(scope(root))).toBe(1);
    expect(compilePath('missing|empty|name')(scope(root))).toBe('x');
    expect(compilePath('missing|empty')(scope(root))).toBe(' ');
    expect(compilePath('s.{which}.v')(scope({ s: { 'input:1': { v: 5 } } }, { params: { which: 'input:1' } }))).toBe(5);
  });

  it('never reaches what the message does not hold itself', () => {
    for (const path of ['toString', 'a.valueOf', 'list.length', 'text.length', 'list.map']) {
      expect(compilePath(path)(scope({ a: {}, list: [1], text: 'abc' })), path).toBe(
        path === 'list.length' ? 1 : undefined,
      );
    }
    for (const path of ['__proto__', 'a.constructor', 'prototype.x'])
      expect(() => parsePath(path), path).toThrow(Mistake);
  });

  it('reads the same place that it replaces', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom('a', 'a.b', 'a[0]', '[0].a', 'x|a'), (root, path) => {
        const value: unknown = structuredClone(root);
        if (replaceAt(value, path, () => 'new'))
          expect(parsePath(path).some((one) => JSON.stringify(value).includes('new') && one.steps.length > 0)).toBe(
            true,
          );
        else expect(value).toEqual(root);
      }),
    );
  });
});

describe('a condition', () => {
  const holds = (spec: Parameters<typeof compileCondition>[0], root: unknown, params = {}): boolean =>
    compileCondition(spec)(scope(root, { params }));

  it('compares as text, so that vendors may change types', () => {
    for (const value of [1, '1']) expect(holds({ v: 1 }, { v: value })).toBe(true);
    for (const value of [true, 'true']) expect(holds({ v: true }, { v: value })).toBe(true);
    for (const value of [{}, [1], null, undefined, '01']) expect(holds({ v: 1 }, { v: value })).toBe(false);
  });

  it.each([
    [{ v: { in: ['a', 2] } }, { v: '2' }, true],
    [{ v: { in: '$param.list' } }, { v: 'b' }, true],
    [{ v: { in: '$param.list' } }, { v: 'a,b' }, false],
    [{ v: { from: 1, to: 5 } }, { v: '5' }, true],
    [{ v: { from: 1, to: 5 } }, { v: 5.01 }, false],
    [{ v: { from: 1 } }, { v: 'many' }, false],
    [{ v: { exists: true } }, { v: ' ' }, false],
    [{ v: { exists: false } }, {}, true],
    [{ v: { startsWith: 'ab' } }, { v: 'abc' }, true],
    [{ v: { not: { in: [1] } } }, {}, true],
    [{ any: [{ v: 1 }, { w: 1 }] }, { w: 1 }, true],
    [{ any: [{ v: 1 }, { w: 1 }] }, {}, false],
    [{ none: [{ v: 1 }, { w: 1 }] }, { w: 1 }, false],
    [{ v: 1, w: 2 }, { v: 1 }, false],
  ])('%j of %j is %s', (spec, root, expected) => {
    expect(holds(spec, root, { list: 'a, b' })).toBe(expected);
  });
});

describe('a field', () => {
  const read = (spec: Parameters<typeof compileField>[0], root: unknown) => compileField(spec)(scope(root));

  it('is a bounded scalar or nothing', () => {
    fc.assert(
      fc.property(
        fc.anything(),
        fc.constantFrom(undefined, 'text', 'number', 'integer', 'boolean', 'percent'),
        (value, as) => {
          const found = read({ from: 'v', as: as as 'text' | undefined }, { v: value });
          expect(['undefined', 'string', 'number', 'boolean']).toContain(typeof found);
          if (typeof found === 'number') expect(Number.isFinite(found)).toBe(true);
          if (typeof found === 'string') expect(found.length).toBeLessThanOrEqual(256);
        },
      ),
    );
    expect(read('v', { v: Number.POSITIVE_INFINITY })).toBeUndefined();
  });

  it('maps what the device says, by its text', () => {
    const spec = { from: 'v', map: { 1: 'one', true: 'yes' }, else: 'other' };
    expect([1, '1', true, 'x', undefined].map((v) => read(spec, { v }))).toEqual([
      'one',
      'one',
      'yes',
      'other',
      'other',
    ]);
    expect(read({ from: 'v', map: { 1: 'one' } }, { v: 2 })).toBeUndefined();
    expect(read({ from: 'v', map: { 1: 'one' } }, { v: 'toString' })).toBeUndefined();
  });

  it('takes 0–100 as a percentage and nothing else', () => {
    expect([0, '55.5', 100, 101, 255, -1, 'full'].map((v) => read({ from: 'v', as: 'percent' }, { v }))).toEqual([
      0,
      55.5,
      100,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('a template', () => {
  const make = (spec: Parameters<typeof compileTemplate>[0], root: unknown, more: Partial<Scope> = {}) =>
    compileTemplate(spec)(scope(root, more));

  it('writes every value as JSON, also in the middle of a text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const made = JSON.parse(
          make({ whole: '{{ v }}', part: 'a {{ v }} b', list: ['{{ v else "-" }}'] }, { v: text }),
        ) as Record<string, unknown>;
        expect(Object.keys(made).every((key) => ['whole', 'part', 'list'].includes(key))).toBe(true);
        expect(String(made['part'])).toMatch(/^a [\s\S]* b$/);
      }),
    );
  });

  it('keeps types where a slot is the whole value, and leaves out what is not there', () => {
    expect(
      make({ n: '{{ n }}', s: '{{ n as text }}', gone: '{{ x }}', word: '{{ x else "none" }}', fixed: 1 }, { n: 7 }),
    ).toBe('{"n":7,"s":"7","word":"none","fixed":1}');
    expect(make({ n: '{{ n as digits }}' }, { n: '9007199254740993123' })).toBe('{"n":9007199254740993123}');
    expect(make({ n: '{{ n as digits }}' }, { n: '12"' })).toBe('{}');
    expect(make('{{ $param.word }}', {}, { params: { word: 'OPEN' } })).toBe('OPEN');
    expect(make({ t: '{{ $now as datetime }}' }, {}, { now: Date.UTC(2026, 5, 1, 4), timezone: 'Asia/Shanghai' })).toBe(
      '{"t":"2026-06-01 12:00:00"}',
    );
  });
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Rights } from '../../src/broker/access.ts';
import { covers, lets, TopicTree } from '../../src/broker/topic-tree.ts';

const level = fc.constantFrom('a', 'b', 'c', '', '$x');
const topic = fc.array(level, { minLength: 1, maxLength: 5 }).map((levels) => levels.join('/'));
const filter = fc
  .tuple(fc.array(fc.constantFrom('a', 'b', '', '$x', '+'), { minLength: 0, maxLength: 4 }), fc.boolean())
  .map(([levels, rest]) => (rest || levels.length === 0 ? [...levels, '#'] : levels).join('/'));

/** MQTT 3.1.1 §4.7, read aloud. */
function standard(wanted: string, said: string): boolean {
  if (said.startsWith('$') && /^[+#]/.test(wanted)) return false;
  const pattern = wanted
    .split('/')
    .map((one) => (one === '+' ? '[^/]*' : one === '#' ? '.*' : one.replace('$', '\\$')))
    .join('/')
    .replace(/\/\.\*$/, '(/.*)?');
  return new RegExp(`^${pattern}$`).test(said);
}

test.each([
  ['sport/tennis/player1/#', 'sport/tennis/player1', true],
  ['sport/tennis/player1/#', 'sport/tennis/player1/score/wimbledon', true],
  ['sport/tennis/+', 'sport/tennis/player1/ranking', false],
  ['sport/+', 'sport', false],
  ['sport/+', 'sport/', true],
  ['+/+', '/finance', true],
  ['/+', '/finance', true],
  ['+', '/finance', false],
  ['#', '$SYS/uptime', false],
  ['+/uptime', '$SYS/uptime', false],
  ['$SYS/#', '$SYS/uptime', true],
])('%s lets %s through: %s (the examples of the standard)', (wanted, said, yes) => {
  expect(lets(wanted, said)).toBe(yes);
  const tree = new TopicTree<number>();
  tree.add(wanted, 1);
  expect(tree.match(said)).toEqual(yes ? [1] : []);
});

test('a filter lets through what the standard says', () => {
  fc.assert(
    fc.property(filter, topic, (wanted, said) => {
      expect(lets(wanted, said)).toBe(standard(wanted, said));
    }),
    { numRuns: 2_000 },
  );
});

test('the tree finds exactly the filters that let a topic through, after any adding and removing', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(filter, fc.integer({ min: 0, max: 3 }), fc.boolean()), { maxLength: 30 }),
      topic,
      (steps, said) => {
        const tree = new TopicTree<number>();
        const held: [string, number][] = [];
        for (const [wanted, value, remove] of steps) {
          if (!remove) {
            tree.add(wanted, value);
            held.push([wanted, value]);
            continue;
          }
          const at = held.findIndex(([one, other]) => one === wanted && other === value);
          expect(tree.remove(wanted, value)).toBe(at !== -1);
          if (at !== -1) held.splice(at, 1);
        }
        const expected = held.filter(([wanted]) => lets(wanted, said)).map(([, value]) => value);
        expect(tree.match(said).sort()).toEqual(expected.sort());
        expect(tree.matches(said)).toBe(expected.length > 0);
        expect(tree.size).toBe(held.length);
      },
    ),
    { numRuns: 1_000 },
  );
});

test('a filter that is covered lets nothing through that the covering one does not', () => {
  fc.assert(
    fc.property(filter, filter, topic, (allowed, asked, said) => {
      if (covers(allowed, asked) && lets(asked, said)) expect(lets(allowed, said)).toBe(true);
    }),
    { numRuns: 5_000 },
  );
});

test.each([
  ['a/#', 'a/+/b', true],
  ['a/#', 'a', true],
  ['a/+', 'a/b', true],
  ['a/+', 'a/+', true],
  ['a/+', 'a/#', false],
  ['a/b', 'a/+', false],
  ['a/b/#', 'a/#', false],
  ['#', '$SYS/#', false],
])('%s covers %s: %s', (allowed, asked, yes) => {
  expect(covers(allowed, asked)).toBe(yes);
});

test('rights are never wider than the filters they were given', () => {
  fc.assert(
    fc.property(fc.array(filter, { maxLength: 4 }), fc.array(topic, { maxLength: 10 }), filter, (own, said, asked) => {
      const rights = new Rights({ publish: own, subscribe: own }, 12);
      for (const one of [...said, ...said]) {
        if (rights.mayPublish(one)) expect(own.some((wanted) => lets(wanted, one))).toBe(true);
        expect(rights.mayPublish(one) && one.startsWith('$')).toBe(false);
      }
      if (rights.maySubscribe(asked))
        for (const one of said) if (lets(asked, one)) expect(rights.mayRead(one)).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});

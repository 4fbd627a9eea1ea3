import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resolveParams } from '../../src/devices/binding.ts';
import { isZone, parseTime } from '../../src/devices/device-time.ts';
import { encodeCommand, topicsOf } from '../../src/devices/encode.ts';
import { parseJson, textOf } from '../../src/devices/json.ts';
import { keptBytes } from '../../src/devices/redact.ts';
import { bindTopic, filterFits, matchTopic, parseTopic } from '../../src/devices/topics.ts';
import { QuanweiError } from '../../src/kernel/errors.ts';
import { catalogue, device } from './support.ts';

const code = (work: () => unknown): string => {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof QuanweiError) return thrown.code;
    throw thrown;
  }
  return 'nothing thrown';
};

describe('JSON from outside', () => {
  it('is what JSON.parse makes of it, whenever no integer is too long for a number', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), fc.constantFrom(undefined, 1, '\t'), (text, indent) => {
        const again = JSON.stringify(JSON.parse(text), null, indent);
        fc.pre(!/\d{16}/.test(again));
        expect(parseJson(again)).toEqual(JSON.parse(again));
      }),
      { numRuns: 500 },
    );
  });

  it('keeps every digit of a long integer, and leaves strings alone', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 10n ** 16n, max: 10n ** 30n }), fc.boolean(), fc.string(), (big, negative, text) => {
        const digits = `${negative ? '-' : ''}${big}`;
        const parsed = parseJson(
          `{"a":[${digits} ,1],${JSON.stringify(text)}:${JSON.stringify(`x ${digits} "`)},"n":${digits}}`,
        );
        const expected: Record<string, unknown> = { a: [digits, 1] };
        if (text !== '__proto__') expected[text] = `x ${digits} "`;
        expected['n'] = digits;
        if (text !== '__proto__') expect(parsed).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('sees a long integer wherever it stands', () => {
    for (let before = 0; before < 40; before += 1) {
      for (const digits of ['999999999999999', '9007199254740993', '90071992547409931']) {
        const text = `{"${'x'.repeat(before)}":${digits}}`;
        const expected = digits.length > 15 ? digits : Number(digits);
        expect(Object.values(parseJson(text) as object), text).toEqual([expected]);
      }
    }
  });

  it('does not make good JSON of bad', () => {
    for (const bad of [
      '{12345678901234567890:1}',
      '00000000000000000001',
      '[12345678901234567890"a"]',
      '-',
      '1234567890123456789x',
      '{"a":1,}',
    ]) {
      expect(
        code(() => parseJson(bad)),
        bad,
      ).toBe('UNDECODABLE');
    }
  });

  it('never throws anything but UNDECODABLE, for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(['UNDECODABLE', 'nothing thrown']).toContain(code(() => parseJson(textOf(Buffer.from(bytes)))));
      }),
    );
    expect(parseJson(textOf(Buffer.from('\ufeff{"a":1}')))).toEqual({ a: 1 });
  });

  it('a string of a million escaped quotes costs no more than its length', () => {
    const before = process.cpuUsage();
    parseJson(JSON.stringify({ a: '\\"'.repeat(1_000_000) }));
    // Some 20 ms; what grows with the square of the length would take minutes.
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(5_000);
  });
});

describe('topics', () => {
  const level = fc.stringMatching(/^[a-z0-9 _.:&-]{1,6}$/);

  it('what a template lets through is what its filter lets through, and captures give the topic back', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(level, fc.constant('{+x}'), fc.constant('{#y}')), { minLength: 1, maxLength: 6 }),
        fc.array(level, { minLength: 1, maxLength: 7 }),
        (levels, topic) => {
          const seen = new Set<string>();
          const text = levels.filter((part) => !part.startsWith('{') || (!seen.has(part) && seen.add(part))).join('/');
          const bound = bindTopic(parseTopic(text), {});
          const match = matchTopic(bound, topic);
          if (match === null) return;
          expect(filterFits(bound.filter, topic.join('/'))).toBe(true);
          expect(text.replace('{+x}', match['x'] ?? '').replace('{#y}', match['y'] ?? '')).toBe(topic.join('/'));
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('a capture of several levels stands anywhere', () => {
    const bound = bindTopic(parseTopic('{base}/{#child}/availability'), { base: 'zb/1' });
    expect(matchTopic(bound, 'zb/1/a/b/availability'.split('/'))).toEqual({ child: 'a/b' });
    expect(matchTopic(bound, 'zb/1/availability'.split('/'))).toBeNull();
    expect(bound.filter).toBe('zb/1/#');
  });

  it.each(['a/+', 'a/#', '#', 'a', 'a//b', '/a', 'a/', '$SYS', '', 'a\u0000'])(
    'the parameter value %j cannot widen a topic',
    (value) => {
      const profile = catalogue().get('face-oem-mqtt');
      const bad = value !== 'a';
      expect(code(() => resolveParams(profile, device('x', { prefix: value })))).toBe(
        bad ? 'BAD_CONFIG' : 'nothing thrown',
      );
      expect(code(() => resolveParams(profile, device('x', { terminal: `a/${value}` })))).toBe('BAD_CONFIG');
    },
  );

  it('a parameter that the profile does not have, or a value not among the options, is told', () => {
    const profile = catalogue().get('face-oem-mqtt');
    expect(code(() => resolveParams(profile, device('x', { prefx: 'a' })))).toBe('BAD_CONFIG');
    expect(code(() => resolveParams(profile, device('x', { ackRecord: '7' })))).toBe('BAD_CONFIG');
    expect(code(() => resolveParams(profile, device('x', { key: 'anything' })))).toBe('nothing thrown');
  });
});

describe('what a login may use', () => {
  it('a door can neither publish as a button nor read another door’s commands', () => {
    const { publish, subscribe } = topicsOf(catalogue().get('face-oem-mqtt'), device('d1'), []);
    const may = (filters: string[], topic: string) => filters.some((filter) => filterFits(filter, topic));
    expect(may(publish, 'mqtt/face/d1/Rec')).toBe(true);
    expect(may(publish, 'mqtt/face/d2/Rec')).toBe(false);
    expect(may(publish, 'zigbee2mqtt/sos-1')).toBe(false);
    expect(may(subscribe, 'mqtt/face/d1')).toBe(true);
    expect(may(subscribe, 'mqtt/face/d2')).toBe(false);
  });

  it('a hub may read the commands of what it speaks for, by the names it uses', () => {
    const hub = device('v1');
    const lock = { device: device('lock'), profile: catalogue().get('esphome-lock') };
    expect(topicsOf(catalogue().get('quanwei-vision'), hub, [lock]).subscribe).toContain('lock/lock/door/command');
    expect(topicsOf(catalogue().get('zigbee2mqtt-hub'), device('h', { base: 'zb' }), []).subscribe).toContain('zb/#');
  });
});

describe('commands', () => {
  const lock = catalogue().get('shelly-gen2');
  const door = catalogue().get('face-oem-mqtt');

  it('refuse what their description does not allow', () => {
    const open = (args: Record<string, string | number>) =>
      code(() => encodeCommand(lock, device('s'), 'open', args, 'm'));
    expect(open({ seconds: 3 })).toBe('nothing thrown');
    for (const seconds of [0, 61, 2.5, Number.NaN, 'many'])
      expect(open({ seconds }), String(seconds)).toBe('BAD_REQUEST');
    expect(open({ second: 3 })).toBe('BAD_REQUEST');
    expect(code(() => encodeCommand(lock, device('s'), 'explode', {}, 'm'))).toBe('NOT_FOUND');
    expect(code(() => encodeCommand(lock, device('s'), '__proto__', {}, 'm'))).toBe('NOT_FOUND');
    expect(code(() => encodeCommand(door, device('s'), 'open', { text: 'a\nb' }, 'm'))).toBe('BAD_REQUEST');
  });

  it('write every value as JSON: nothing breaks out of its place', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 32 }), (text) => {
        const args = { text };
        if (code(() => encodeCommand(door, device('s'), 'open', args, 'm')) !== 'nothing thrown') return;
        const [message] = encodeCommand(door, device('s'), 'open', args, `id"},{"x":"${text}`).messages;
        const sent = JSON.parse(message?.payload ?? '') as Record<string, unknown>;
        expect(Object.keys(sent)).toEqual(['operator', 'messageId', 'info']);
      }),
    );
  });

  it('tell limits and whether an answer is to be expected', () => {
    expect(encodeCommand(door, device('d'), 'open', {}, 'm')).toMatchObject({
      awaitsReply: true,
      timeoutMs: 5_000,
      perMinute: 30,
    });
    expect(encodeCommand(catalogue().get('esphome-lock'), device('d'), 'lock', {}, 'm').awaitsReply).toBe(false);
  });
});

describe('times', () => {
  it('in a zone with summer time are read as that zone has them', () => {
    const paris = (text: string) => new Date(parseTime(text, 'datetime', 'Europe/Paris') ?? Number.NaN).toISOString();
    expect(paris('2026-01-15 12:00:00')).toBe('2026-01-15T11:00:00.000Z');
    expect(paris('2026-07-15 12:00:00')).toBe('2026-07-15T10:00:00.000Z');
    expect(paris('2026-03-29 03:30:00')).toBe('2026-03-29T01:30:00.000Z');
    expect(paris('2026-07-15T12:00:00+08:00')).toBe('2026-07-15T04:00:00.000Z');
  });

  it('never throw, whatever stands there', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.double(), fc.constantFrom('9999-99-99 99:99:99', '0001-01-01 00:00:00')),
        (value) => {
          for (const format of ['datetime', 'epoch-seconds', 'epoch-milliseconds'] as const) {
            const time = parseTime(value, format, 'Asia/Shanghai');
            if (time !== null) expect(Number.isFinite(new Date(time).getTime())).toBe(true);
          }
        },
      ),
    );
    expect(isZone('Asia/Shanghai')).toBe(true);
    expect(isZone('Mars/Phobos')).toBe(false);
  });
});

describe('what is kept of a message nobody could decode', () => {
  const profile = catalogue().get('face-oem-mqtt');

  it('loses pictures and identities when it is JSON, and is kept as it is when it is not', () => {
    const kept = keptBytes(profile, Buffer.from('{"operator":"New","info":{"pic":"FACE","idCard":"3704"}}')).toString();
    expect(kept).toBe('{"operator":"New","info":{"pic":"[redacted]","idCard":"[redacted]"}}');
    const noise = Buffer.from([0xff, 0xfe, 0x00]);
    expect(keptBytes(profile, noise)).toBe(noise);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode } from '../../src/devices/decode.ts';
import { QuanweiError } from '../../src/kernel/errors.ts';
import { catalogue, device, NOW, type Told, tell } from './support.ts';

const door = device('1026700');
const rec = (info: Record<string, unknown>, more: Partial<Told> = {}): Told => ({
  profile: 'face-oem-mqtt',
  device: door,
  topic: 'mqtt/face/1026700/Rec',
  payload: {
    operator: 'RecPush',
    info: {
      facesluiceId: '1026700',
      RecordID: '2',
      VerifyStatus: '1',
      PersonType: '0',
      Sendintime: 1,
      time: '2026-06-01 11:59:58',
      ...info,
    },
  },
  ...more,
});
const button = device('sos-1');
const press = (payload: unknown, more: Partial<Told> = {}): Told => ({
  profile: 'zigbee-sos-button',
  device: button,
  topic: 'zigbee2mqtt/sos-1',
  payload,
  ...more,
});

const refusal = (told: Told): string => {
  try {
    tell(told);
  } catch (thrown) {
    if (thrown instanceof QuanweiError && thrown.code === 'UNDECODABLE') return thrown.message;
    throw thrown;
  }
  throw new Error('it was decoded');
};

describe('what cannot be decoded is UNDECODABLE and nothing else', () => {
  it.each<[string, unknown, RegExp]>([
    ['not JSON', 'emergency!', /not JSON/],
    ['empty', '', /not JSON/],
    ['half of a message', '{"operator":"RecPush","info":{', /not JSON/],
    ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]), /not UTF-8/],
    ['a depth bomb of arrays', '['.repeat(150_000), /nested deeper/],
    ['a depth bomb of objects', `${'{"a":'.repeat(40_000)}1${'}'.repeat(40_000)}`, /nested deeper/],
    ['two million commas', `[${'0,'.repeat(2_000_000)}0]`, /more than 20000 values/],
    ['an operator nobody knows', { operator: 'Nonsense', info: {} }, /no message of profile/],
    ['an array', [1, 2, 3], /no message of profile/],
    ['null', 'null', /no message of profile/],
    ['a number', '42', /no message of profile/],
    ['an operator of the wrong type', { operator: { $gt: '' }, info: 1 }, /no message of profile/],
  ])('%s', (_, payload, what) => {
    expect(refusal(rec({}, { payload }))).toMatch(what);
  });

  it('300 kB of noise, quickly', () => {
    let seed = 1;
    const noise = Buffer.alloc(300_000, 0).map(() => {
      seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff;
      return seed >> 16;
    });
    const started = performance.now();
    expect(refusal(rec({}, { payload: Buffer.from(noise) }))).toMatch(/UTF-8|JSON/);
    expect(refusal(rec({}, { payload: Buffer.from(noise.map((byte) => 0x20 + (byte % 0x5f))) }))).toMatch(/JSON/);
    expect(performance.now() - started).toBeLessThan(200);
  });

  it('a topic that is not its own, however long', () => {
    for (const topic of ['mqtt/face/1026701/Rec', 'mqtt/face/1026700', '', '/', 'a/'.repeat(10_000), '#', '$SYS/x']) {
      expect(refusal(rec({}, { topic }))).toMatch(/no message of profile/);
    }
  });

  it('a heartbeat that names another terminal', () => {
    const payload = { operator: 'HeartBeat', info: { facesluiceId: '7', time: '2026-06-01 11:59:58' } };
    expect(refusal(rec({}, { topic: 'mqtt/face/heartbeat', payload }))).toMatch(/another sender: 7/);
  });
});

describe('strange values in a message that is otherwise right', () => {
  it('wrong types are as good as absent', () => {
    const { events } = tell(
      rec({ personName: { first: 'x' }, similarity1: [83], RecordID: null, customId: true, isNoMask: {} }),
    );
    expect(events).toEqual([
      expect.objectContaining({ category: 'access.granted', detail: { customId: true, result: 'allowed' } }),
    ]);
  });

  it('numbers too large for a number are left out, never Infinity or NaN', () => {
    const text = JSON.stringify(rec({ similarity1: 0 }).payload).replace('"similarity1":0', '"similarity1":1e999');
    expect(tell(rec({}, { payload: text })).events[0]?.detail).not.toHaveProperty('similarity');
    expect(tell(rec({ similarity1: 'NaN' })).events[0]?.detail).not.toHaveProperty('similarity');
  });

  it('a 19-digit record number keeps every digit in detail, key and receipt', () => {
    const text = JSON.stringify(rec({ RecordID: 0 }).payload).replace('"RecordID":0', '"RecordID":9007199254740993123');
    const decoded = tell(rec({}, { payload: text }));
    expect(decoded.events[0]?.detail['record']).toBe('9007199254740993123');
    expect(decoded.key).toContain('9007199254740993123');
    expect(decoded.receipt?.payload).toContain('"SnapOrRecordID":9007199254740993123');
    const next = tell(rec({}, { payload: text.replace('123,', '124,') }));
    expect(next.key).not.toBe(decoded.key);
  });

  it('prototype keys reach nothing', () => {
    const text = `{"operator":"RecPush","__proto__":{"polluted":1},"info":{"__proto__":{"PersonType":1},"constructor":{"prototype":{}},"RecordID":"2","VerifyStatus":"1","time":"2026-06-01 11:59:58","pic":"x"}}`;
    const { events, raw } = tell(rec({}, { payload: text }));
    expect(events[0]?.category).toBe('access.granted');
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(raw).toContain('"__proto__":{"polluted":1}');
  });

  it('names are cut at 256, on one line, without control or reordering characters, and never half a character', () => {
    const person = (name: string) => tell(rec({ personName: name })).events[0]?.detail['person'];
    expect(person('甲'.repeat(1_000))).toBe('甲'.repeat(256));
    expect(person('a\u0000b\nc\u001b[31md\u202ee\u200bf')).toBe('a b c [31md e f');
    expect(person('<script>alert(1)</script>')).toBe('<script>alert(1)</script>');
    expect(person('\ud800')).toBe('\ufffd');
    expect(person(`${'x'.repeat(255)}😀`)).toBe(`${'x'.repeat(255)}\ufffd`);
    expect(person(' \t ')).toBeUndefined();
  });

  it('pictures and identity numbers are not in what is kept, at whatever depth', () => {
    const { raw } = tell(
      rec({ pic: 'SECRET', scene: 'SECRET', idCard: 'SECRET', telnum: 'SECRET', extra: { more: [{ pic: 'SECRET' }] } }),
    );
    expect(raw).not.toContain('SECRET');
    expect(raw).toContain('[redacted]');
  });

  it('a picture nobody declared is cut, and what is kept is at most 8 kB', () => {
    expect(tell(rec({ thumb: 'A'.repeat(900_000) })).raw).toContain('[900000 characters]');
    const many = Object.fromEntries(Array.from({ length: 400 }, (_, n) => [`k${n}`, 'v'.repeat(100)]));
    expect(tell(rec(many)).raw.length).toBeLessThanOrEqual(8_193);
  });
});

describe('time', () => {
  const at = (time: unknown, more: Partial<Told> = {}) => {
    const { deviceTime, reports, events } = tell(rec({ time }, more));
    return { deviceTime, clock: reports[0]?.report.clock ?? null, eventTime: events[0]?.deviceTime ?? null };
  };

  it('is local in the site’s zone unless the profile says otherwise', () => {
    expect(at('2026-06-01 11:59:58').deviceTime).toBe(NOW - 2_000);
    expect(at('2026-06-01 05:59:58', { timezone: 'Europe/Paris' }).deviceTime).toBe(NOW - 2_000);
    expect(at('2026/06/01 11:59:58.250').eventTime).toBe(NOW - 1_750);
  });

  it.each([
    ['1970', '1970-01-01 08:00:05', 5_000],
    ['2099', '2099-12-31 23:59:59', Date.UTC(2099, 11, 31, 15, 59, 59)],
    ['two days ahead', '2026-06-03 12:00:00', NOW + 2 * 86_400_000],
  ])('of a clock that woke up in %s is not believed, and the clock is reported', (_, time, clock) => {
    expect(at(time)).toEqual({ deviceTime: null, clock, eventTime: null });
  });

  it('that is no time is null, without a report', () => {
    for (const time of ['0000-00-00 00:00:00', 'yesterday', '', null, {}, '2026-13-45 99:99:99', 1e300]) {
      expect(at(time), String(time)).toEqual({ deviceTime: null, clock: null, eventTime: null });
    }
  });

  it('is still believed when it is the gateway whose clock is wrong', () => {
    expect(at('2026-06-01 11:59:58', { now: 5_000 }).deviceTime).toBe(NOW - 2_000);
  });
});

describe('replayed is not live', () => {
  it.each([
    ['Sendintime 0', rec({ Sendintime: 0 })],
    ['Sendintime "0"', rec({ Sendintime: '0' })],
    ['PushType 2', rec({ PushType: 2 })],
    ['retained', rec({}, { retain: true })],
    ['a retained press', press({ action: 'emergency' }, { retain: true })],
    ['a retained state', press({ sos: true }, { retain: true })],
  ])('%s', (_, told) => {
    const { events, replayed } = tell(told);
    expect(replayed).toBe(true);
    expect(events).toEqual([expect.objectContaining({ replayed: true })]);
  });

  it('but a retained status is the present state', () => {
    const { reports, replayed } = tell(
      press('{"state":"offline"}', { topic: 'zigbee2mqtt/sos-1/availability', retain: true }),
    );
    expect(reports).toEqual([{ device: 'sos-1', report: { online: false } }]);
    expect(replayed).toBe(false);
  });
});

describe('told twice', () => {
  it('the same record has the same key, however it is sent again', () => {
    const first = tell(rec({ Sendintime: 1 })).key;
    expect(first).not.toBeNull();
    expect(tell(rec({ Sendintime: 0, PushType: 0 })).key).toBe(first);
    expect(tell(rec({ RecordID: '3' })).key).not.toBe(first);
    expect(tell(rec({ time: '2026-06-01 11:59:59' })).key).not.toBe(first);
  });

  it('two presses without anything to tell them apart are two presses', () => {
    expect(tell(press({ action: 'emergency' })).key).toBeNull();
    expect(tell(press({ action: 'emergency', last_seen: '2026-06-01T12:00:00+08:00' })).key).not.toBeNull();
  });

  it('a camera without a clock gives no key, so that two crossings are two', () => {
    const told = {
      profile: 'onvif-ej-mqtt',
      device: device('cam'),
      topic: 'cam/onvif-ej/RuleEngine/LineDetector/Crossed/&1/F',
    };
    const body = (UtcTime: string) => ({ UtcTime, Source: { Rule: 'F' }, Data: { ObjectId: '1' } });
    expect(tell({ ...told, payload: body('0000-00-00T00:00:00Z') }).key).toBeNull();
    expect(tell({ ...told, payload: body('2026-06-01T03:59:59Z') }).key).not.toBeNull();
  });
});

describe('behind a hub', () => {
  const hub = device('hub-1');
  const via = (topic: string, payload: unknown, children: Told['children'] = []): Told => ({
    profile: 'zigbee2mqtt-hub',
    device: hub,
    topic,
    payload,
    children,
  });
  const smoke = { key: 'b3/302 smoke', device: device('smoke-302'), profile: 'zigbee-smoke-gas' };

  it('the end device’s own profile decodes, with the topic the hub uses', () => {
    const decoded = tell(via('zigbee2mqtt/b3/302 smoke', { smoke: true, battery: 70 }, [smoke]));
    expect(decoded.device).toBe('smoke-302');
    expect(decoded.events).toEqual([
      expect.objectContaining({ category: 'fire.smoke', device: 'smoke-302', active: true }),
    ]);
    expect(decoded.reports).toEqual([{ device: 'smoke-302', report: { battery: 70 } }]);
    expect(decoded.candidate).toBeNull();
  });

  it('every message is a sign of life of the end device, but not the hub’s memory of it', () => {
    expect(tell(via('zigbee2mqtt/b3/302 smoke', { smoke: false }, [smoke])).reports).toEqual([
      { device: 'smoke-302', report: {} },
    ]);
    expect(tell({ ...via('zigbee2mqtt/b3/302 smoke', { smoke: false }, [smoke]), retain: true }).reports).toEqual([]);
  });

  it('works the same with a base topic of its own', () => {
    const other = {
      ...via('site/b/zb/b3/302 smoke', { smoke: true }, [smoke]),
      device: device('hub-2', { base: 'site/b/zb' }),
    };
    expect(tell(other).device).toBe('smoke-302');
  });

  it('an end device nobody registered is a candidate, and its fire is raised in the hub’s name', () => {
    const decoded = tell(via('zigbee2mqtt/unknown-smoke', { smoke: true }));
    expect(decoded.device).toBe('hub-1');
    expect(decoded.candidate).toEqual({ key: 'unknown-smoke', hint: 'zigbee-smoke-gas' });
    expect(decoded.events).toEqual([
      expect.objectContaining({ device: 'hub-1', category: 'fire.smoke', detail: { child: 'unknown-smoke' } }),
    ]);
  });

  it('what an unregistered one says is over clears nothing of the hub’s', () => {
    const decoded = tell(via('zigbee2mqtt/unknown-smoke', { smoke: false, tamper: false }));
    expect(decoded.events).toEqual([]);
    expect(decoded.candidate?.key).toBe('unknown-smoke');
  });

  it('a key that is absurd finds nobody and harms nothing', () => {
    for (const key of ['x'.repeat(60_000), '__proto__', '\u0000', '..%2f']) {
      const { candidate } = tell(via(`zigbee2mqtt/${key}`, { lamp: 1 }));
      expect(candidate?.key.length).toBeLessThanOrEqual(128);
    }
  });

  it('a hub behind a hub is not followed', () => {
    const inner = { key: 'loop', device: device('loop'), profile: 'zigbee2mqtt-hub' };
    expect(refusal(via('zigbee2mqtt/loop', { smoke: true }, [inner]))).toMatch(/no message of profile zigbee2mqtt-hub/);
  });
});

describe('whatever arrives', () => {
  const profiles = catalogue().all();

  it('decoding throws UNDECODABLE or gives bounded scalars, for any bytes on any of a profile’s topics', () => {
    const samples = profiles.flatMap((profile) => profile.samples.map((sample) => ({ profile, sample })));
    const anyValue = fc.oneof(
      fc.jsonValue({ maxDepth: 4 }),
      fc.constantFrom('', ' ', 'ON', 'true', '1e999', '9'.repeat(25), '\ud800', 'x'.repeat(2_000)),
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...samples),
        fc.array(fc.tuple(fc.nat(), anyValue), { maxLength: 4 }),
        fc.boolean(),
        ({ profile, sample }, changes, retain) => {
          const payload: unknown = structuredClone(sample.payload ?? sample.text);
          for (const [index, value] of changes) mutate(payload, index, value);
          const text = sample.text ?? JSON.stringify(payload);
          const own = {
            id: profile.example.id,
            name: '',
            place: '',
            params: { ...profile.example.params, ...sample.params },
          };
          try {
            const decoded = decode(profile, {
              device: own,
              topic: sample.topic,
              payload: Buffer.from(text),
              retain,
              now: NOW,
              timezone: 'Asia/Shanghai',
              childOf: () => null,
            });
            for (const event of decoded.events) {
              expect(event.device).toBe(own.id);
              if (retain && event.kind === 'pulse') expect(event.replayed).toBe(true);
              for (const value of Object.values(event.detail)) {
                expect(['string', 'number', 'boolean']).toContain(typeof value);
                if (typeof value === 'string') expect(value.length).toBeLessThanOrEqual(256);
                if (typeof value === 'number') expect(Number.isFinite(value)).toBe(true);
              }
            }
            expect(decoded.raw.length).toBeLessThanOrEqual(8_193);
            expect(JSON.parse(JSON.stringify(decoded))).toEqual(decoded);
            if (decoded.receipt?.payload.startsWith('{') === true) JSON.parse(decoded.receipt.payload);
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(QuanweiError);
            expect((thrown as QuanweiError).code).toBe('UNDECODABLE');
          }
        },
      ),
      { numRuns: 1_500 },
    );
  });

  it('is decoded the same way twice', () => {
    for (const profile of profiles) {
      for (const sample of profile.samples.filter(({ unknown }) => unknown !== true)) {
        const own = {
          id: profile.example.id,
          name: '',
          place: '',
          params: { ...profile.example.params, ...sample.params },
        };
        const once = () =>
          decode(profile, {
            device: own,
            topic: sample.topic,
            payload: Buffer.from(sample.text ?? JSON.stringify(sample.payload)),
            retain: sample.retain,
            now: NOW,
            timezone: 'Asia/Shanghai',
            childOf: () => null,
          });
        expect(once()).toEqual(once());
      }
    }
  });
});

/** Puts `value` at the `index`-th place of a JSON value, wherever that is. */
function mutate(root: unknown, index: number, value: unknown): void {
  const places: [Record<string, unknown>, string][] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const key of Object.keys(node)) {
      places.push([node as Record<string, unknown>, key]);
      visit((node as Record<string, unknown>)[key]);
    }
  };
  visit(root);
  const place = places[index % Math.max(1, places.length)];
  if (place !== undefined) place[0][place[1]] = value;
}

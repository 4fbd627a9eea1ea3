import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CATEGORIES, type Category } from '../../src/devices/event.ts';
import { type Draft, ENTRY_KINDS, type Entry } from '../../src/journal/entry.ts';
import { Envelopes } from '../../src/upstream/envelope.ts';
import { Envelope, formOf, jsonSchema } from '../../src/upstream/forms.ts';
import { orderSchema } from '../../src/upstream/order.ts';
import { receiptSchema } from '../../src/upstream/receipt.ts';
import { topicsOf } from '../../src/upstream/topics.ts';
import { alarmDraft, alarmOf, passage, raised, SITE } from './box.ts';

const WALL = Date.UTC(2026, 10, 23, 8);
const envelopes = new Envelopes({
  topics: topicsOf(SITE),
  expire: { access: 7 * 86_400_000, device: 3 * 86_400_000 },
  about: (device) => (device === 'door-1' ? { name: '1号楼门禁', place: '1号楼' } : null),
});

const stored = (draft: Draft, more: Partial<Entry> = {}): Entry => ({
  seq: 42,
  id: draft.id ?? randomUUID(),
  kind: draft.kind,
  actor: draft.actor,
  subject: draft.subject,
  wall: WALL,
  boot: 'boot',
  mono: 0,
  clock: 'synced',
  deviceTime: draft.deviceTime ?? null,
  lane: draft.lane ?? null,
  body: draft.body,
  ...more,
});

function published(entry: Entry): { topic: string; event: Envelope } {
  const out = envelopes.of(entry);
  if (out === null) throw new Error('nothing was published');
  const event = Envelope.parse(JSON.parse(out.payload));
  const form = formOf(event.type);
  if (form === null) throw new Error(`no schema for ${event.type}`);
  form.parse(event.data);
  return { topic: out.topic, event };
}

describe('an entry as a CloudEvent', () => {
  const alarmKinds = ENTRY_KINDS.filter((kind) => kind.startsWith('alarm.'));

  test.each(alarmKinds)('%s has its own type and the whole alarm', (kind) => {
    const alarm = alarmOf(randomUUID());
    const { topic, event } = published(stored(alarmDraft(kind, alarm)));
    expect(topic).toBe('quanwei/v1/longquan/spring-garden/event/fire.button');
    expect(event).toMatchObject({
      source: '//quanwei/longquan/spring-garden',
      type: `cn.quanwei.${kind}.v1`,
      subject: alarm.id,
      time: '2026-11-23T08:00:00.000Z',
      recordedtime: '2026-11-23T08:00:00.000Z',
      sequence: '0000000000000042',
      severitytext: 'FATAL',
      severitynumber: 21,
      data: { alarm, change: {} },
    });
    expect(event.expirytime).toBeUndefined();
  });

  test.each([
    [1, 'FATAL', 21],
    [2, 'ERROR', 17],
    [3, 'WARN', 13],
    [4, 'INFO', 9],
  ] as const)('level %i is %s', (level, severitytext, severitynumber) => {
    expect(published(stored(raised(level).draft)).event).toMatchObject({ severitytext, severitynumber });
  });

  test('sequences compare as text in the order of the journal', () => {
    const sequence = (seq: number) => published(stored(raised(1).draft, { seq })).event.sequence ?? '';
    expect(sequence(9) < sequence(10)).toBe(true);
    expect(sequence(99_999) < sequence(100_000)).toBe(true);
    expect(sequence(Number.MAX_SAFE_INTEGER)).toHaveLength(16);
  });

  test('drill, replayed and a clock that did not know the time are marked', () => {
    const { draft } = raised(1, { drill: true, replayed: true });
    const { event } = published(stored(draft, { clock: 'unsynced' }));
    expect(event).toMatchObject({ drill: true, replayed: true, clockstate: 'unsynced' });
  });

  test('a passage names the door, carries what was told and expires', () => {
    const { topic, event } = published(stored(passage(7, WALL - 5_000)));
    expect(topic).toBe('quanwei/v1/longquan/spring-garden/event/access.granted');
    expect(event).toMatchObject({
      type: 'cn.quanwei.access.v1',
      subject: 'door-1',
      time: '2026-11-23T07:59:55.000Z',
      recordedtime: '2026-11-23T08:00:00.000Z',
      expirytime: '2026-11-30T08:00:00.000Z',
      data: { device: 'door-1', deviceName: '1号楼门禁', place: '1号楼', events: [{ detail: { record: 7 } }] },
    });
  });

  test.each([0, Date.UTC(2099, 0, 1)])('a device clock that cannot be right (%i) is not told as the time', (time) => {
    expect(published(stored(passage(1, time))).event.time).toBe('2026-11-23T08:00:00.000Z');
  });

  test('what a message said besides passages stays in the box', () => {
    const draft = passage(1);
    const body = draft.body as { events: { category: Category }[] };
    const motion = { ...body.events[0], category: 'motion' as const };
    const both = { ...draft, body: { ...body, events: [motion, body.events[0]] } };
    expect((published(stored(both)).event.data as { events: unknown[] }).events).toHaveLength(1);
    expect(envelopes.of(stored({ ...draft, body: { ...body, events: [motion] } }))).toBeNull();
  });

  test.each([
    ['device.state', 'cn.quanwei.device.v1', { online: false }],
    ['device.registered', 'cn.quanwei.device.v1', { profile: 'zigbee-sos-button' }],
    ['door.command', 'cn.quanwei.door.command.v1', { command: 'open', reason: 'x' }],
    ['door.result', 'cn.quanwei.door.result.v1', { ok: true }],
    [
      'order.replied',
      'cn.quanwei.order.reply.v1',
      { order: { id: 'o', type: 'ping' }, ok: true, code: 'OK', detail: '' },
    ],
    ['system.dropped', 'cn.quanwei.system.v1', { count: 3 }],
    ['system.storage', 'cn.quanwei.system.v1', { what: 'recovered' }],
  ] as const)('%s is a %s', (kind, type, body) => {
    const draft: Draft = { kind, actor: 'system', subject: 'door-1', lane: 2, body };
    expect(published(stored(draft)).event.type).toBe(type);
  });

  test.each([null, 'text', 7])('an erased or strange body (%s) is nothing to send, not a crash', (body) => {
    for (const kind of ENTRY_KINDS) {
      expect(envelopes.of(stored({ kind, actor: 'system', subject: null, lane: 1, body }))).toBeNull();
    }
    expect(
      envelopes.of(stored({ kind: 'alarm.raised', actor: 'system', subject: null, lane: 1, body: {} })),
    ).toBeNull();
  });

  test('no picture and no identity number leaves the box, wherever a profile left one', () => {
    const secret = '110101199003078515';
    const picture = `data:image/jpeg;base64,${'A'.repeat(5_000)}`;
    const fields = fc.dictionary(
      fc.constantFrom('note', 'pic', 'scene', 'idCard', 'id_card_no', 'telnum', 'face', 'base64', 'person', 'raw'),
      fc.constantFrom<string>(secret, `证件 ${secret} 已核`, picture, 'x'),
    );
    fc.assert(
      fc.property(fields, fc.constantFrom(...(Object.keys(CATEGORIES) as Category[])), (detail, category) => {
        const alarm = alarmOf(randomUUID(), { category, detail });
        const draft = passage(1);
        const body = draft.body as { events: object[] };
        const passed = { ...draft, body: { ...body, events: [{ ...body.events[0], detail }] } };
        const device: Draft = {
          kind: 'device.state',
          actor: 'system',
          subject: 'd',
          lane: 2,
          body: { deep: { detail } },
        };
        for (const one of [alarmDraft('alarm.raised', alarm), passed, device]) {
          const payload = envelopes.of(stored(one))?.payload ?? '';
          expect(payload).not.toContain(secret);
          expect(payload).not.toContain('base64,');
        }
      }),
    );
  });
});

describe('the contract', () => {
  const text = (schema: unknown) => `${JSON.stringify(schema, null, 2)}\n`;

  test.each([
    ['upstream.schema.json', jsonSchema],
    ['upstream-order.schema.json', orderSchema],
    ['upstream-receipt.schema.json', receiptSchema],
  ])('docs/generated/%s is what the program publishes and accepts (`vitest -u` writes it)', async (file, schema) => {
    await expect(text(schema())).toMatchFileSnapshot(`../../docs/generated/${file}`);
  });
});

import { expect, test } from 'vitest';
import { SimulatedClock } from '../../src/kernel/clock.ts';
import { Box, type Person } from './box.ts';
import { doorMessage } from './door-message.ts';

interface Page {
  records: {
    seq: number;
    door: string;
    doorName: string;
    kind: string;
    actor: string;
    detail: Record<string, unknown>;
    reason: string | null;
    result: { code: string } | null;
  }[];
  next: number | null;
}
const read = async (person: Person, asked = '') => (await person.get<Page>(`/api/doors/records${asked}`)).body;

test('who passed, who was refused and who opened what is found over all doors, newest first, by what one remembers', async () => {
  const clock = new SimulatedClock();
  const box = await Box.start({ clock });
  const guard = await box.person('operator', 'guard');
  await box.registry.register({ id: 'lock-1', profile: 'esphome-lock', name: '车库门' }, 'system');
  await doorMessage(box, 'face-1', 'access.granted', { person: '王小明', customId: '1001' });
  clock.advance(60_000);
  const middle = clock.wall();
  await doorMessage(box, 'face-2', 'access.denied', { person: '李娟' });
  await doorMessage(box, 'face-2', 'door.held', {});
  await box.journal.append([
    {
      kind: 'door.decision',
      actor: 'device:cam-1',
      subject: 'lock-1',
      body: { opened: false, why: 'not-alive-enough', person: 'p7' },
    },
    {
      kind: 'message',
      actor: 'device:face-1',
      subject: 'face-1',
      lane: null,
      body: { topic: 't', message: 'm', events: [], raw: '' },
    },
  ]);
  await guard.post('/api/doors/lock-1/open', { reason: '送货' });

  const { records, next } = await read(guard);
  expect(next).toBe(null);
  expect(records.map(({ kind, door }) => `${kind} ${door}`)).toEqual([
    'opened lock-1',
    'refused lock-1',
    'door face-2',
    'refused face-2',
    'passed face-1',
  ]);
  expect(records[0]).toMatchObject({
    doorName: '车库门',
    actor: 'user:guard',
    reason: '送货',
    result: { code: 'offline' },
  });
  expect(records[1]).toMatchObject({ reason: 'not-alive-enough', detail: { person: 'p7' } });

  const kinds = async (asked: string) => (await read(guard, asked)).records.map(({ kind }) => kind);
  expect(await kinds('?door=face-2')).toEqual(['door', 'refused']);
  expect(await kinds('?kinds=passed')).toEqual(['passed']);
  expect(await kinds(`?text=${encodeURIComponent('小明 1001')}`)).toEqual(['passed']);
  expect(await kinds(`?text=${encodeURIComponent('车库 送货')}`)).toEqual(['opened']);
  expect(await kinds(`?to=${middle}`)).toEqual(['passed']);
  expect(await kinds(`?from=${middle}`)).not.toContain('passed');
  const viewer = await box.person('viewer');
  expect((await viewer.get('/api/doors/records')).status).toBe(403);
  expect((await guard.get('/api/doors/records?kinds=nonsense')).status).toBe(400);
});

test('pages follow one another without a gap, and a search that finds little looks at a bounded stretch at a time', async () => {
  const box = await Box.start();
  const guard = await box.person('operator', 'guard');
  const many = Array.from({ length: 6_000 }, (_, n) => ({
    kind: 'message' as const,
    actor: 'device:face-1',
    subject: 'face-1',
    lane: 2 as const,
    body: {
      topic: 't',
      message: 'm',
      events: [
        {
          device: 'face-1',
          category: 'access.granted',
          kind: 'pulse',
          active: true,
          replayed: false,
          test: false,
          deviceTime: null,
          detail: { person: `p${n}` },
        },
      ],
      raw: '',
    },
  }));
  for (let from = 0; from < many.length; from += 500) await box.journal.append(many.slice(from, from + 500));

  const first = await read(guard, '?limit=50');
  const second = await read(guard, `?limit=50&before=${first.next}`);
  expect([...first.records, ...second.records].map(({ detail }) => detail['person'])).toEqual(
    Array.from({ length: 100 }, (_, i) => `p${5_999 - i}`),
  );
  const short = await read(guard, '?text=p3');
  expect(short.records.length).toBeGreaterThan(0);
  let { next } = await read(guard, '?text=nobody');
  expect(next).not.toBe(null);
  for (let pages = 0; next !== null && pages < 10; pages += 1)
    ({ next } = await read(guard, `?text=nobody&before=${next}`));
  expect(next).toBe(null);
});

import { expect, test } from 'vitest';
import type { Alarm } from '../../src/alarms/alarm.ts';
import { Box } from './box.ts';

interface List {
  alarms: Alarm[];
  seq: number;
  next: string | null;
}

test('an alarm from raised to closed, each step by whom and why in its timeline', async () => {
  const box = await Box.start();
  const guard = await box.person('operator', 'guard');
  const manager = await box.person('manager', 'manager');
  const { id } = await box.say('smoke-1', 'fire.smoke', { kind: 'level' });
  const deeds: [typeof guard, string, unknown, Partial<Alarm>][] = [
    [guard, 'acknowledge', undefined, { condition: 'active-acknowledged', acknowledgedBy: 'guard' }],
    [guard, 'accept', {}, { handling: 'accepted', assignee: 'guard' }],
    [guard, 'dispatch', { to: '维修班', note: '带灭火器' }, { handling: 'dispatched', assignee: '维修班' }],
    [guard, 'note', { note: '住户已疏散' }, { handling: 'dispatched' }],
    [guard, 'handle', { result: '锅烧干，已关火通风' }, { handling: 'handled', result: '锅烧干，已关火通风' }],
    [manager, 'return', { reason: '请补充现场情况' }, { handling: 'accepted' }],
    [guard, 'handle', { result: '已更换烟感' }, { handling: 'handled' }],
    [guard, 'close', { reason: '烟感仍在报，已断电' }, { handling: 'closed', closedBy: 'guard' }],
  ];
  for (const [who, deed, body, now] of deeds) {
    const answer = await who.post<Alarm>(`/api/alarms/${id}/${deed}`, body);
    expect(answer, deed).toMatchObject({ status: 200, body: now });
  }
  const { body } = await guard.get<{ alarm: Alarm; timeline: { kind: string; actor: string; body: unknown }[] }>(
    `/api/alarms/${id}`,
  );
  expect(body.timeline.map(({ kind, actor }) => `${kind.slice(6)} ${actor}`)).toEqual([
    'raised device:smoke-1',
    'acknowledged user:guard',
    'accepted user:guard',
    'dispatched user:guard',
    'noted user:guard',
    'handled user:guard',
    'returned user:manager',
    'handled user:guard',
    'closed user:guard',
  ]);
  expect((await guard.get<List>('/api/alarms')).body.alarms).toEqual([]);
  expect((await guard.get<List>('/api/alarms?state=closed')).body.alarms).toMatchObject([{ id }]);
});

test('of two operators at the same moment one wins, and the other gets the alarm as it is now', async () => {
  const box = await Box.start();
  const people = [await box.person('operator', 'li'), await box.person('operator', 'wang')];
  for (let round = 0; round < 10; round += 1) {
    const { id, revision } = await box.say(`sos-${round}`, 'sos');
    const answers = await Promise.all(people.map((one) => one.post(`/api/alarms/${id}/acknowledge`, { revision })));
    const won = answers.find(({ status }) => status === 200);
    const lost = answers.find(({ status }) => status === 409);
    expect(won?.body).toMatchObject({ id, acknowledgedBy: expect.stringMatching(/^(li|wang)$/) });
    expect(lost?.body).toEqual({
      error: { code: 'CONFLICT', message: expect.any(String), where: id, hint: expect.any(String) },
      current: won?.body,
    });
    expect(box.journal.read({ subject: id, kinds: ['alarm.acknowledged'], limit: 9 })).toHaveLength(1);
  }
});

test('who looked at an older revision changes nothing', async () => {
  const box = await Box.start();
  const guard = await box.person('operator', 'guard');
  const seen = await box.say('cam-1', 'intrusion.climb');
  await guard.post(`/api/alarms/${seen.id}/accept`, {});
  const before = box.journal.head();
  const late = await guard.post(`/api/alarms/${seen.id}/false`, { reason: '猫', revision: seen.revision });
  expect(late).toMatchObject({ status: 409, body: { error: { hint: 'STALE' }, current: { handling: 'accepted' } } });
  expect(box.journal.head()).toBe(before);
  expect(await guard.post('/api/alarms/01a20a60-5f98-7bc2-af60-0da1b953da4f/accept', {})).toMatchObject({
    status: 404,
    body: { error: { code: 'NOT_FOUND' } },
  });
});

test('level 1 cannot be shelved, and what is refused says why', async () => {
  const box = await Box.start();
  const manager = await box.person('manager');
  const { id } = await box.say('sos-1', 'sos');
  const until = box.clock.wall() + 3_600_000;
  const refused = await manager.post(`/api/alarms/${id}/shelve`, { until, reason: '吵' });
  expect(refused).toMatchObject({ status: 409, body: { error: { hint: 'LEVEL_ONE', message: /一级.* · .*level-1/ } } });
});

test('several are acknowledged at once, each standing or falling by itself', async () => {
  const box = await Box.start();
  const guard = await box.person('operator', 'guard');
  const alarms = await Promise.all([1, 2, 3].map((n) => box.say(`cam-${n}`, 'intrusion.climb')));
  await guard.post(`/api/alarms/${alarms[0]?.id}/acknowledge`);
  const { body } = await guard.post<{ done: Alarm[]; refused: { id: string }[] }>('/api/alarms/acknowledge', {
    alarms: [...alarms.map(({ id }) => ({ id })), { id: '01a20a60-5f98-7bc2-af60-0da1b953da4f' }],
  });
  expect(body.done.map(({ id }) => id).sort()).toEqual([alarms[1]?.id, alarms[2]?.id].sort());
  expect(body.refused.map(({ id }) => id)).toEqual(
    expect.arrayContaining([alarms[0]?.id, '01a20a60-5f98-7bc2-af60-0da1b953da4f']),
  );
});

test('what people tell is in the same ledger, with a receipt; an operator cannot speak for the centre', async () => {
  const box = await Box.start();
  const guard = await box.person('operator', 'guard');
  for (const channel of ['resident', 'phone', 'visit', 'letter', 'patrol']) {
    const report = { channel, place: '2号楼', text: '大厅灯不亮', reporter: '王阿姨' };
    expect(await guard.post('/api/alarms/report', report)).toMatchObject({
      status: 200,
      body: {
        channel,
        category: 'report.resident',
        level: 4,
        detail: { text: '大厅灯不亮', receipt: expect.any(String) },
      },
    });
  }
  for (const channel of ['centre', 'drill', 'device']) {
    expect((await guard.post('/api/alarms/report', { channel, text: 'x' })).status).toBe(400);
  }
  const drill = { category: 'fire.button', place: '5号楼', text: '月度演练' };
  expect((await guard.post('/api/alarms/drill', drill)).status).toBe(403);
  const manager = await box.person('manager');
  expect(await manager.post('/api/alarms/drill', drill)).toMatchObject({
    status: 200,
    body: { drill: true, level: 1 },
  });
  expect((await box.say('btn-1', 'fire.button')).drill).toBe(false);
});

test('a drill that goes on for minutes makes practice of what devices at its place report of that kind', async () => {
  const box = await Box.start();
  const manager = await box.person('manager');
  const drill = { category: 'fire.button', place: '', text: '月度演练' };
  for (const minutes of [0, 241, '5']) {
    expect((await manager.post('/api/alarms/drill', { ...drill, minutes })).status).toBe(400);
  }
  expect((await manager.post('/api/alarms/drill', { ...drill, minutes: 30 })).status).toBe(200);
  expect((await box.say('btn-1', 'fire.button')).drill).toBe(true);
  expect((await box.say('btn-1', 'tamper')).drill).toBe(false);
  const told = await manager.post('/api/alarms/report', { channel: 'phone', place: '', text: 'x', minutes: 5 });
  expect(told.status).toBe(400);
});

test('text that could hide or overwrite other text is refused', async () => {
  const box = await Box.start();
  const guard = await box.person('operator', 'guard');
  for (const text of ['a\u0000b', 'a\u001b[2Jb', 'a\u202eb', '   ']) {
    expect((await guard.post('/api/alarms/report', { channel: 'phone', text })).status).toBe(400);
  }
});

test('the list is gravest first; a search filters, pages, and never repeats or leaves out one', async () => {
  const box = await Box.start();
  const guard = await box.person('operator', 'guard');
  for (let n = 0; n < 25; n += 1) await box.say(`cam-${n}`, n % 5 === 0 ? 'sos' : 'intrusion.climb');
  const { body: list } = await guard.get<List>('/api/alarms');
  expect(list.alarms.map(({ level }) => level)).toEqual([...Array(5).fill(1), ...Array(20).fill(2)]);
  expect(list.seq).toBe(box.journal.head());

  const found: string[] = [];
  let before = '';
  for (let page = 0; page < 10; page += 1) {
    const { body } = await guard.get<List>(`/api/alarms?state=all&level=2&limit=7${before}`);
    found.push(...body.alarms.map(({ id }) => id));
    if (body.next === null) break;
    before = `&before=${body.next}`;
  }
  expect(found).toHaveLength(20);
  expect(new Set(found).size).toBe(20);
  const filtered = async (query: string) => (await guard.get<List>(`/api/alarms?${query}`)).body.alarms.length;
  expect(await filtered('device=cam-5')).toBe(1);
  expect(await filtered('category=intrusion.*')).toBe(20);
  expect(await filtered('handling=closed')).toBe(0);
  expect(await filtered(`text=${encodeURIComponent('1号楼')}&limit=3`)).toBe(3);
});

test('figures of a span; one that ends before it begins is refused', async () => {
  const box = await Box.start();
  const viewer = await box.person('viewer');
  await box.say('sos-1', 'sos');
  const { status, body } = await viewer.get('/api/statistics');
  expect(status).toBe(200);
  expect(body).toMatchObject({ alarms: 1, open: 1, levels: [{ level: 1, alarms: 1 }, {}, {}, {}] });
  expect((await viewer.get('/api/statistics?from=5&to=4')).status).toBe(400);
});

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type SectionKey, sectionOf } from '../../src/config/page-settings.ts';
import { SimulatedClock } from '../../src/kernel/clock.ts';
import { dataDir } from '../support/data-dir.ts';
import { type Answer, Box, type Person } from './box.ts';

interface Section {
  key: string;
  source: string;
  value: Record<string, unknown> | null;
  file: Record<string, unknown> | null;
  pending: boolean;
  secret: boolean;
  revision: number;
  problem: string | null;
  meanings: Record<string, { zh: string; en: string }>;
  bounds: Record<string, { min: number; max: number }>;
}
interface All {
  sections: Section[];
  restart: { possible: boolean; pending: string[] };
}

const all = async (who: Person): Promise<All> => (await who.get<All>('/api/settings')).body;
const section = async (who: Person, key: string): Promise<Section> =>
  (await all(who)).sections.find((one) => one.key === key) as Section;

async function change(who: Person, key: string, value: unknown): Promise<Answer> {
  const { revision } = await section(who, key);
  return who.ask('PUT', `/api/settings/${key}`, { value, revision });
}

/** Every field of a value by its path, `rules[].level` for those in a list. */
function fieldsOf(value: unknown, at = ''): string[] {
  if (Array.isArray(value) && typeof value[0] === 'object') return value.flatMap((one) => fieldsOf(one, `${at}[]`));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return at === '' ? [] : [at];
  return Object.entries(value).flatMap(([key, inner]) => fieldsOf(inner, at === '' ? key : `${at}.${key}`));
}

const LEVELS = {
  '1': { acknowledge: '90s', close: '3h' },
  '2': { acknowledge: '5m', close: '24h' },
  '3': { acknowledge: '30m', close: '72h' },
  '4': { close: '168h' },
};
const CENTRE = {
  url: 'mqtt://centre.example:1883',
  username: 'spring',
  protocol: '3.1.1',
  confirm: 'broker',
  orders: true,
};

test('a deadline set on the page holds for the next alarm, and after a restart', async () => {
  const clock = new SimulatedClock();
  const box = await Box.start({ clock });
  const manager = await box.person('manager');
  const before = await box.say('sos-1', 'sos');
  expect(await change(manager, 'levels', LEVELS)).toMatchObject({ status: 200, body: { source: 'page', revision: 1 } });
  const after = await box.say('sos-2', 'sos');
  expect(box.board.deadlines(before.id).acknowledge?.due).toBe(clock.wall() + 60_000);
  expect(box.board.deadlines(after.id).acknowledge?.due).toBe(clock.wall() + 90_000);
  const { body } = await manager.get<{ levels: Record<string, unknown> }>('/api/vocabulary');
  expect(body.levels['1']).toEqual({ acknowledgeMs: 90_000, closeMs: 10_800_000 });
  expect(body.levels['4']).toEqual({ acknowledgeMs: null, closeMs: 604_800_000 });
  await box.stop();

  const again = await Box.start({ dir: box.dir, clock });
  const third = await again.say('sos-3', 'sos');
  expect(again.board.deadlines(third.id).acknowledge?.due).toBe(clock.wall() + 90_000);
  const chief = await again.signIn('manager', 'a-password-of-the-test');
  expect(await section(chief, 'levels')).toMatchObject({ source: 'page', value: LEVELS });
});

test('every change is in the journal with what it was before', async () => {
  const box = await Box.start();
  const manager = await box.person('manager');
  await change(manager, 'levels', LEVELS);
  const { revision } = await section(manager, 'levels');
  expect((await manager.ask('DELETE', `/api/settings/levels?revision=${revision}`)).body).toMatchObject({
    source: 'default',
    value: { '1': { acknowledge: '1m', close: '2h' } },
  });
  const [changed, reset] = box.journal.read({ kinds: ['setting.changed'], limit: 9 });
  expect(changed).toMatchObject({
    actor: 'user:manager',
    subject: 'setting:levels',
    body: { what: 'changed', before: { '1': { acknowledge: '1m' } }, after: LEVELS },
  });
  expect(reset).toMatchObject({ body: { what: 'reset to the file', before: LEVELS } });
  const alarm = await box.say('sos-1', 'sos');
  expect(box.board.deadlines(alarm.id).acknowledge?.every).toBe(60_000);
});

test('a change and its entry are there together or not at all, whichever of the two the disk refuses', async () => {
  const box = await Box.start();
  const manager = await box.person('manager');
  await change(manager, 'escalation', { escalateTo: ['manager'], window: '4m' });
  const state = () => [
    box.journal.select('SELECT name, value, revision FROM settings ORDER BY name'),
    box.journal.read({ kinds: ['setting.changed'], limit: 99 }).map(({ subject, body }) => [subject, body]),
  ];
  const before = state();
  for (const table of [
    'INSERT ON settings',
    'UPDATE ON settings',
    "INSERT ON entries WHEN new.kind = 'setting.changed'",
  ]) {
    await box.journal.write([
      { sql: `CREATE TRIGGER refused BEFORE ${table} BEGIN SELECT RAISE(ABORT, 'refused'); END`, params: [] },
    ]);
    if (!table.startsWith('UPDATE')) expect((await change(manager, 'levels', LEVELS)).status).toBeGreaterThan(399);
    if (!table.startsWith('INSERT ON settings')) {
      const { revision } = await section(manager, 'escalation');
      const path = `/api/settings/escalation?revision=${revision}`;
      expect((await manager.ask('DELETE', path)).status).toBeGreaterThan(399);
    }
    await box.journal.write([{ sql: 'DROP TRIGGER refused', params: [] }]);
    expect(state()).toEqual(before);
  }
  // Nor is it in force.
  expect(await section(manager, 'levels')).toMatchObject({ source: 'default', revision: 0 });
  expect((await change(manager, 'levels', LEVELS)).status).toBe(200);
});

test('what is out of bounds is refused with the field and what is allowed, and nothing changes', async () => {
  const box = await Box.start();
  const admin = await box.signIn();
  const cases: [string, unknown, string, RegExp][] = [
    [
      'levels',
      { ...LEVELS, '1': { acknowledge: '6m', close: '2h' } },
      '1.acknowledge',
      /允许 10 秒 至 5 分钟 · from 10s to 5m/,
    ],
    ['levels', { ...LEVELS, '1': { close: '2h' } }, '1.acknowledge', /必须填写/],
    ['levels', { ...LEVELS, '2': { acknowledge: 'soon', close: '1h' } }, '2.acknowledge', /格式不对/],
    ['levels', { ...LEVELS, '5': {} }, '', /没有这些项：5/],
    ['retention', { alarms: '30d', audit: '1095d', access: '180d', messages: '30d', unknown: '30d' }, 'alarms', /180d/],
    ['escalation', { escalateTo: [], window: '5m' }, 'escalateTo', /不能少于 1/],
    ['site', { name: '', street: 'longquan', timezone: 'Asia/Shanghai' }, 'name', /不能少于 1/],
    ['site', { name: '泉水', street: 'longquan', timezone: 'Mars/Base' }, 'timezone', /Asia\/Shanghai/],
    ['quiet', { quiet: { between: ['22:00', '06:00'], levels: [1] } }, 'quiet.levels.0', /格式不对/],
    ['quiet', { quiet: { between: ['22:00', '22:00'], levels: [4] } }, 'quiet.between', /不能相同/],
    ['sessions', { sessionHours: 400 }, 'sessionHours', /允许 1 至 168/],
    ['upstream', { ...CENTRE, url: 'http://centre' }, 'url', /mqtt/],
    ['upstream', { ...CENTRE, url: 'mqtt://centre:0' }, 'url', /端口为 1 至 65535/],
    ['upstream', { ...CENTRE, url: 'mqtt://me:secret@centre:1883' }, 'url', /各自的栏/],
    ['rules', { rules: [{ name: '夜间', when: {}, level: 4 }] }, 'rules.0', /降低「手动火灾报警」的级别/],
    ['rules', { rules: [{ name: '厨房', when: { category: 'fire.*' }, level: 2 }] }, 'rules.0', /不允许/],
    ['rules', { rules: [{ name: '静音', when: { category: 'device.offline' }, record: true }] }, 'rules.0', /不允许/],
    ['rules', { rules: [{ name: '静音', when: { category: 'tamper', device: '*' }, level: 4 }] }, 'rules.0', /不允许/],
    ['rules', { rules: [{ name: '没有', when: { category: 'fire.x' }, level: 1 }] }, 'rules.0', /不成立/],
  ];
  for (const [key, value, where, message] of cases) {
    const answer = await change(admin, key, value);
    expect(answer, `${key} ${where}`).toMatchObject({ status: 400, body: { error: { code: 'BAD_REQUEST', where } } });
    expect(JSON.stringify(answer.body)).toMatch(message);
  }
  expect(box.journal.read({ kinds: ['setting.changed'], limit: 9 })).toEqual([]);
});

test('rules and quiet hours are in force at once; level 1 waits for no morning', async () => {
  // 23:30 in Shanghai.
  const clock = new SimulatedClock(Date.UTC(2026, 5, 1, 15, 30));
  const box = await Box.start({ clock });
  const manager = await box.person('manager');
  const rules = [{ name: '垃圾房', when: { category: 'intrusion.*', place: '1号楼' }, level: 4 }];
  expect((await change(manager, 'rules', { rules })).status).toBe(200);
  expect((await change(manager, 'quiet', { quiet: { between: ['22:00', '06:00'], levels: [3, 4] } })).status).toBe(200);
  const climb = await box.say('cam-1', 'intrusion.climb');
  expect(climb.level).toBe(4);
  const held = await box.say('door-1', 'door.held', { kind: 'level' });
  const forced = await box.say('door-1', 'door.forced');
  const fire = await box.say('sos-1', 'sos');
  const due = (id: string) => (box.board.deadlines(id).acknowledge?.due ?? 0) - clock.wall();
  expect(due(held.id)).toBe(6.5 * 3_600_000);
  expect(due(forced.id)).toBe(5 * 60_000);
  expect(due(fire.id)).toBe(60_000);
  // Missed in the morning: told again by day as ever.
  clock.advance(6.5 * 3_600_000 + 1_000);
  await box.board.elapse();
  expect(box.board.get(held.id)?.escalations).toBe(1);
  expect(due(held.id)).toBe(30 * 60_000);
});

test('what was put off to the morning is not, once it is grave: also where the grave level takes its time', async () => {
  const clock = new SimulatedClock(Date.UTC(2026, 5, 1, 15, 30));
  // Level 3 is asked for sooner than level 2.
  const levels = { ...LEVELS, '2': { acknowledge: '5m' }, '3': { acknowledge: '1m' } };
  const box = await Box.start({ clock, settings: { alarms: { levels } } });
  const manager = await box.person('manager');
  expect((await change(manager, 'quiet', { quiet: { between: ['22:00', '06:00'], levels: [3, 4] } })).status).toBe(200);
  const held = await box.say('door-1', 'door.held', { kind: 'level' });
  const due = () => (box.board.deadlines(held.id).acknowledge?.due ?? 0) - clock.wall();
  expect(due()).toBe(6.5 * 3_600_000);
  expect((await manager.post(`/api/alarms/${held.id}/regrade`, { level: 2, reason: '有人闯入' })).status).toBe(200);
  expect(due()).toBe(60_000);
});

test('a password that the file has inside the address is told to nobody and written nowhere', async () => {
  const box = await Box.start({ settings: { upstream: { url: 'mqtt://spring:hidden-one@127.0.0.1:1' } } });
  const admin = await box.signIn();
  const { body } = await admin.get('/api/settings');
  expect(JSON.stringify(body)).not.toContain('hidden-one');
  expect(JSON.stringify(body)).toContain('mqtt://127.0.0.1:1');
  // Nor does it go to another address than its own.
  expect(await change(admin, 'upstream', CENTRE)).toMatchObject({
    status: 400,
    body: { error: { where: 'password' } },
  });
  expect((await change(admin, 'upstream', { ...CENTRE, password: 'another' })).status).toBe(200);
  const entries = box.journal.read({ kinds: ['setting.changed'], limit: 9 });
  expect(entries.length).toBeGreaterThan(0);
  expect(JSON.stringify(entries)).not.toContain('hidden-one');
});

test('who changes something else of the centre on the page does not lose the login that the file has inside the address', async () => {
  const settings = { upstream: { url: 'mqtt://spring:p%40ss:w0rd@127.0.0.1:1' } };
  const login = { url: 'mqtt://127.0.0.1:1', username: 'spring:p@ss', password: 'w0rd' };
  const box = await Box.start({ settings });
  expect(box.settings.config.upstream).toMatchObject(login);
  const admin = await box.signIn();
  const { value, secret } = await section(admin, 'upstream');
  expect(secret).toBe(true);
  expect(value).not.toHaveProperty('password');
  const saved = await change(admin, 'upstream', { ...value, confirm: 'receipt' });
  expect(saved).toMatchObject({ status: 200, body: { secret: true, pending: true } });
  await box.stop();
  const again = await Box.start({ dir: box.dir, settings });
  expect(again.settings.config.upstream).toMatchObject({ ...login, confirm: 'receipt' });
  expect(JSON.stringify(again.journal.read({ limit: 99 }))).not.toContain('w0rd');
});

test('two who change the same thing: the second is told and shown how it is now', async () => {
  const box = await Box.start();
  const manager = await box.person('manager');
  const admin = await box.signIn();
  const first = await manager.ask('PUT', '/api/settings/levels', { value: LEVELS, revision: 0 });
  expect(first.status).toBe(200);
  const second = await admin.ask('PUT', '/api/settings/levels', { value: { ...LEVELS, '4': {} }, revision: 0 });
  expect(second).toMatchObject({
    status: 409,
    body: { error: { code: 'CONFLICT' }, current: { revision: 1, value: LEVELS, by: 'user:manager' } },
  });
});

test('a manager changes no address of the centre, a guard sees no settings', async () => {
  const box = await Box.start();
  const manager = await box.person('manager');
  expect(await change(manager, 'upstream', CENTRE)).toMatchObject({ status: 403 });
  expect(await (await box.person('operator')).get('/api/settings')).toMatchObject({ status: 403 });
});

test('the password of the centre is kept in a file of its own, told to nobody and sent nowhere else', async () => {
  const box = await Box.start();
  const admin = await box.signIn();
  const saved = await change(admin, 'upstream', { ...CENTRE, password: 'of-the-centre' });
  expect(saved).toMatchObject({ status: 200, body: { pending: true, secret: true, value: CENTRE } });
  expect((await all(admin)).restart).toEqual({ possible: false, pending: ['upstream'] });
  expect(JSON.stringify(await all(admin))).not.toContain('of-the-centre');
  expect(JSON.stringify(box.journal.read({ limit: 99 }))).not.toContain('of-the-centre');
  expect(JSON.stringify(box.journal.select('SELECT * FROM settings'))).not.toContain('of-the-centre');
  const keys = join(box.dir, 'keys');
  const [name = ''] = readdirSync(keys);
  expect(statSync(join(keys, name)).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(keys, name), 'utf8')).toBe('of-the-centre');

  const elsewhere = await change(admin, 'upstream', { ...CENTRE, url: 'mqtt://another.example:1883' });
  expect(elsewhere).toMatchObject({ status: 400, body: { error: { where: 'password' } } });
  expect((await change(admin, 'upstream', { ...CENTRE, confirm: 'receipt' })).body).toMatchObject({ secret: true });
  await box.stop();
  const again = await Box.start({ dir: box.dir });
  const chief = await again.signIn();
  expect(await section(chief, 'upstream')).toMatchObject({ pending: false, secret: true, problem: null });
  expect((await change(chief, 'upstream', null)).body).toMatchObject({ pending: true, value: null, secret: false });
  expect(readdirSync(keys)).toEqual([]);
});

test('what an upgrade no longer lets in is told, and the file holds meanwhile', async () => {
  const dir = dataDir();
  const box = await Box.start({ dir });
  await box.journal.append(
    [],
    [
      {
        sql: `INSERT INTO settings VALUES ('levels', ?, 3, 0, 'user:old')`,
        params: [JSON.stringify({ value: { '1': { acknowledge: '2h', close: '2h' } }, secret: null })],
      },
    ],
  );
  await box.stop();
  const again = await Box.start({ dir });
  const admin = await again.signIn();
  expect((await section(admin, 'levels')).problem).toContain('允许 10 秒 至 5 分钟');
  const alarm = await again.say('sos-1', 'sos');
  expect(again.board.deadlines(alarm.id).acknowledge?.every).toBe(60_000);
});

test('every field a person may change is explained in both languages', async () => {
  const when = { category: 'door.held', device: 'door-*', place: '1号楼', between: ['22:00', '06:00'] };
  const box = await Box.start({
    settings: {
      // Nothing left out: what has no value has no field to look at.
      upstream: { ...CENTRE, clientId: 'box-1', password: 'of-the-centre' },
      alarms: {
        quiet: { between: ['22:00', '06:00'], levels: [3, 4] },
        rules: [{ name: '夜里', when, level: 2 }],
      },
    },
  });
  const seen: string[] = [];
  for (const { key, value, meanings, bounds } of (await all(await box.signIn())).sections) {
    const names = [...fieldsOf(value), ...sectionOf(key as SectionKey).keys, ...Object.keys(bounds)];
    for (const name of names) {
      // A level is what its parts are.
      const parts = Object.keys(meanings).filter((path) => path.startsWith(`${name}.`) || path.startsWith(`${name}[`));
      for (const path of meanings[name] === undefined && parts.length > 0 ? parts : [name]) {
        expect(meanings[path]?.zh, `${key}.${path}`).toMatch(/\p{Script=Han}|\d/u);
        expect(meanings[path]?.en, `${key}.${path}`).toMatch(/[a-z]{2}|\d/i);
        seen.push(`${key}.${path}`);
      }
    }
  }
  expect(seen).toEqual(expect.arrayContaining(['upstream.url', 'upstream.password', 'quiet.quiet.between']));
  expect(seen).toEqual(expect.arrayContaining(['rules.rules[].when.between', 'levels.1.acknowledge', 'site.name']));
});

test('a restart is asked for where something starts the gateway again, and nowhere else', async () => {
  const asked: string[] = [];
  const service = await Box.start({ parts: { restart: async (actor) => void asked.push(actor) } });
  const admin = await service.signIn();
  expect((await admin.post('/api/system/restart', {})).status).toBe(400);
  expect((await admin.post('/api/system/restart', { confirm: true })).status).toBe(200);
  expect(service.journal.read({ kinds: ['setting.changed'], limit: 9 }).at(-1)).toMatchObject({
    actor: 'user:admin',
    body: { what: 'restart asked for' },
  });
  expect(asked).toEqual(['user:admin']);
  const terminal = await Box.start();
  expect((await (await terminal.signIn()).post('/api/system/restart', { confirm: true })).status).toBe(409);
});

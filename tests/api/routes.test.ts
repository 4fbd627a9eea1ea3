import { readFileSync } from 'node:fs';
import Fastify from 'fastify';
import { expect, test } from 'vitest';
import { guardRoutes } from '../../src/api/guard.ts';
import { type Access, atLeast, ROLES } from '../../src/api/roles.ts';
import { Box, type Person } from './box.ts';

const filled = (url: string): string =>
  url
    .replace('/api/accounts/:name', '/api/accounts/nobody')
    .replace('/api/alarms/:id', '/api/alarms/01a20a60-5f98-7bc2-af60-0da1b953da4f')
    .replace(':id', 'door-99');

/** Only whether one is let in matters: nothing is sent that could be done. */
async function asked(person: Person, method: string, url: string): Promise<number> {
  const stop = new AbortController();
  const answer = await fetch(person.base + filled(url), {
    method,
    headers: {
      cookie: person.cookie,
      ...(method === 'GET' || method === 'DELETE' ? {} : { 'content-type': 'application/json' }),
    },
    ...(method === 'GET' || method === 'DELETE' ? {} : { body: '{"nonsense":true}' }),
    signal: stop.signal,
  });
  const { status } = answer;
  stop.abort();
  return status;
}

/** What a request of nobody, or of somebody with too small a role, is answered. */
test('every route lets in exactly those it says', async () => {
  const box = await Box.start();
  const people = await Promise.all(ROLES.map(async (role) => [role, await box.person(role, `a-${role}`)] as const));
  const skip = new Set(['/api/logout', '/api/system/backup', '/api/journal/verification']);
  const wrong: string[] = [];
  const check = (what: string, got: number, refused: number | null) => {
    const ok = refused === null ? got !== 401 && got !== 403 : got === refused;
    if (!ok) wrong.push(`${what}: ${got}`);
  };
  for (const { method, url, access } of box.server.routes) {
    const name = `${method} ${url}`;
    const open: Access[] = ['public', 'local'];
    check(`${name} by nobody`, await asked(box.nobody(), method, url), open.includes(access) ? null : 401);
    for (const [role, person] of people) {
      const allowed = access === 'self' || access === 'public' || access === 'local' || atLeast(role, access);
      // Done for real they would change what the next ones see.
      if (allowed && skip.has(url)) continue;
      check(`${name} by ${role}`, await asked(person, method, url), allowed ? null : 403);
    }
  }
  expect(wrong).toEqual([]);
  expect(box.server.routes.length).toBeGreaterThan(40);
}, 120_000);

test('what nobody signed in may do is this and no more', async () => {
  const box = await Box.start();
  const open = box.server.routes.filter(({ access }) => access === 'public' || access === 'local');
  const paths = open.map(({ url }) => url).filter((url) => url.startsWith('/api/') || !url.includes('.'));
  expect(paths.sort()).toEqual(['/', '/api/login', '/api/openapi.json', '/api/session', '/healthz', '/metrics']);
});

test('a route that does not say who may use it stops the server from starting', async () => {
  const app = Fastify();
  guardRoutes(app, { find: () => null } as never, 'quanwei');
  expect(() => app.get('/api/forgotten', () => 'secret')).toThrow('does not say who may use it');
  await app.close();
});

interface OpenApi {
  paths: Record<string, Record<string, { responses: Record<string, unknown>; requestBody?: unknown }>>;
  components: { schemas: Record<string, unknown> };
}

test('the OpenAPI document covers every route, with the form of its request and of its answers', async () => {
  const box = await Box.start();
  const { body } = await box.nobody().get<OpenApi>('/api/openapi.json');
  const hidden = (url: string) => url === '/' || url === '/api/openapi.json' || !/^\/(api|healthz|metrics)/.test(url);
  const missing: string[] = [];
  for (const { method, url } of box.server.routes) {
    if (hidden(url)) continue;
    const operation = body.paths[url.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()];
    if (operation === undefined) missing.push(`${method} ${url}`);
    else if (url !== '/api/live' && operation.responses['200'] === undefined)
      missing.push(`${method} ${url}: no answer`);
    else if (method === 'PATCH' && operation.requestBody === undefined) missing.push(`${method} ${url}: no body`);
  }
  expect(missing).toEqual([]);
  expect(Object.keys(body.components.schemas)).toEqual(expect.arrayContaining(['Alarm', 'Entry', 'Problem']));
});

test('requests that do not have the expected form are refused with the field', async () => {
  const box = await Box.start();
  const admin = await box.signIn();
  const alarm = await box.say('sos-1', 'sos');
  const bad = [
    await admin.get('/api/alarms?limit=0'),
    await admin.get('/api/alarms?limit=1e3'),
    await admin.get('/api/alarms?level=5'),
    await admin.get('/api/alarms?nonsense=1'),
    await admin.get('/api/alarms/not-an-id'),
    await admin.get('/api/journal?kinds=alarm.raised,nothing'),
    await admin.post(`/api/alarms/${alarm.id}/note`, { note: '' }),
    await admin.post(`/api/alarms/${alarm.id}/note`, { note: 'x'.repeat(1_001) }),
    await admin.post(`/api/alarms/${alarm.id}/acknowledge`, { revision: 'one' }),
    await admin.post(`/api/alarms/${alarm.id}/acknowledge`, { __proto__: null, role: 'admin' }),
    await admin.ask('POST', `/api/alarms/${alarm.id}/note`, '{"note":"'),
    await admin.ask('POST', '/api/alarms/report', '[]'),
  ];
  for (const { status, body } of bad) {
    expect(status).toBe(400);
    expect(body).toMatchObject({ error: { code: 'BAD_REQUEST', message: expect.any(String) } });
  }
  const said = async (path: string, sent: unknown) => {
    const { error } = (await admin.post(path, sent)).body as unknown as { error: { message: string; where: string } };
    return [error.where, error.message];
  };
  const account = { name: 'li', display: '李', role: 'operator' };
  expect(await said('/api/accounts', { ...account, name: 'li si' })).toEqual([
    'body/name',
    '请求格式不对：name 应为汉字、字母、数字、点、短横和下划线，最多 32 个 · name: expected letters, digits, dot, dash and underscore, at most 32',
  ]);
  expect(await said('/api/accounts', { ...account, role: 'king' })).toEqual([
    'body/role',
    expect.stringMatching(/^请求格式不对：role 应为：.*operator.* · role: expected one of .*operator/),
  ]);
  expect(await said('/api/accounts', { ...account, colour: 'red' })).toEqual([
    'body',
    '请求格式不对：没有这些项：colour · not known here: colour',
  ]);
  // The body of a deed may also be none at all.
  expect(await said(`/api/alarms/${alarm.id}/note`, { note: '' })).toEqual([
    'body/note',
    '请求格式不对：note 至少 1 个字符 · note: at least 1 characters',
  ]);
  expect(await said(`/api/alarms/${alarm.id}/acknowledge`, { revision: 'one' })).toEqual([
    'body/revision',
    '请求格式不对：revision 应为数字 · revision: expected a number',
  ]);
  expect(await said(`/api/alarms/${alarm.id}/note`, {})).toEqual([
    'body/note',
    '请求格式不对：note 必须填写，应为文字 · note: is missing, expected text',
  ]);
  const trial = { settings: {}, footage: { upload: 'x' }, begins: null };
  expect(await said('/api/cameras/cam-1/trials', trial)).toEqual([
    'body/footage/upload',
    '请求格式不对：footage.upload 格式不对 · footage.upload: Invalid UUID',
  ]);
  expect(await said('/api/cameras/cam-1/trials', { ...trial, footage: { upload: alarm.id }, begins: 'now' })).toEqual([
    'body/begins',
    '请求格式不对：begins 应为数字 · begins: expected a number',
  ]);
  const large = await admin.post(`/api/alarms/${alarm.id}/note`, { note: 'x'.repeat(100_000) });
  expect(large.status).toBe(400);
  const unknown = await admin.get('/api/nothing/../here');
  expect(unknown).toMatchObject({ status: 404, body: { error: { code: 'NOT_FOUND' } } });
});

test('an address typed without its # is shown by the page; a program that asks is told that there is nothing', async () => {
  const { base } = await Box.start();
  const answered = async (path: string, accept = 'text/html,application/xhtml+xml,*/*;q=0.8', method = 'GET') => {
    const { status, headers } = await fetch(base + path, { method, headers: { accept }, redirect: 'manual' });
    return [status, headers.get('location')];
  };
  expect(await answered('/alarms/0192-a?x=1')).toEqual([302, '/#/alarms/0192-a']);
  expect(await answered('/devices/%E9%97%A8-1')).toEqual([302, '/#/devices/%E9%97%A8-1']);
  for (const path of ['/api', '/api/nothing', '//elsewhere.example/x', '/x//y', "/x'y"]) {
    expect(await answered(path), path).toEqual([404, null]);
  }
  expect(await answered('/alarms/0192-a', 'application/json')).toEqual([404, null]);
  expect(await answered('/alarms/0192-a', undefined, 'POST')).toEqual([404, null]);
});

interface Parameter {
  readonly in: string;
  readonly name: string;
  readonly schema: { readonly pattern?: string };
}

/** No number, no whole one, none that fits, or a moment that no calendar has. */
const ABSURD = ['', '-1', '1e3', '0x10', '1.5', 'NaN', ' 1', '٣', '9007199254740992', '99999999999999999999'];
const NO_MOMENT = ['253402300800000', '8640000000000000', '8640000000000001', '9007199254740991'];
/** The last that is allowed, and words where another form is wanted: these may find nothing, but never fail. */
const EXTREME = ['0', '1', '253402300799999', '%00', "'", '%F0%9F%94%A5'.repeat(20)];

test('whatever number or time a request asks for, it is answered or refused, and never fails', async () => {
  const box = await Box.start();
  const admin = await box.signIn();
  await box.registry.register({ id: 'door-99', profile: 'face-oem-mqtt' }, 'system');
  await box.say('door-99', 'door.forced');
  const { body } = await box
    .nobody()
    .get<{ paths: Record<string, { get?: { parameters?: Parameter[] } }> }>('/api/openapi.json');
  const ask = async (path: string): Promise<number> => {
    const stop = new AbortController();
    const answer = await fetch(admin.base + path, { headers: { cookie: admin.cookie }, signal: stop.signal });
    stop.abort();
    return answer.status;
  };
  const wrong: string[] = [];
  let numbers = 0;
  for (const [path, { get }] of Object.entries(body.paths)) {
    const parameters = (get?.parameters ?? []).filter((one) => one.in === 'query');
    const there = filled(path.replaceAll(/\{(\w+)\}/g, ':$1'));
    for (const { name, schema } of parameters) {
      const isNumber = schema.pattern === '^\\d{1,16}$';
      const isMoment = isNumber && (name === 'from' || name === 'to');
      if (isNumber) numbers += 1;
      const refused = isNumber ? [...ABSURD, ...(isMoment ? NO_MOMENT : [])] : [];
      for (const value of isNumber ? new Set([...refused, ...NO_MOMENT, ...EXTREME]) : EXTREME.slice(-3)) {
        const asked = `${there}?${name}=${encodeURIComponent(decodeURIComponent(value))}`;
        const status = await ask(asked);
        if (status >= 500 || (refused.includes(value) && status !== 400)) wrong.push(`${asked}: ${status}`);
      }
    }
    // Both ends of a span at once, where its length is looked at as well.
    if (parameters.some(({ name }) => name === 'from')) {
      for (const [from, to] of [
        [253_402_300_799_000, 253_402_300_799_999],
        [0, 1],
        [5, 5],
        [9, 1],
      ]) {
        for (const more of ['', '&by=month', '&format=csv']) {
          const status = await ask(`${there}?from=${from}&to=${to}${more}`);
          if (status >= 500) wrong.push(`${there} ${from} ${to}${more}: ${status}`);
        }
      }
    }
  }
  expect(wrong).toEqual([]);
  expect(numbers).toBeGreaterThan(15);
}, 120_000);

test('every route the guide to the API names is there, and its roles are the real ones', async () => {
  const box = await Box.start();
  const guide = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8');
  const known = new Map(box.server.routes.map(({ method, url, access }) => [`${method} ${url}`, access]));
  const named = [...guide.matchAll(/`(GET|POST) (\/[^`?]*)/g)].map(([, method, path]) => `${method} ${path}`);
  expect(named.length).toBeGreaterThan(12);
  expect(named.filter((one) => !known.has(one) && !one.endsWith('<deed>'))).toEqual([]);
  const deeds = {
    operator: [
      'acknowledge',
      'accept',
      'dispatch',
      'handle',
      'close',
      'false',
      'reset',
      'merge',
      'regrade',
      'unshelve',
      'note',
    ],
    manager: ['shelve', 'return'],
  };
  for (const [role, list] of Object.entries(deeds)) {
    for (const deed of list) expect(known.get(`POST /api/alarms/:id/${deed}`), deed).toBe(role);
  }
  expect([...known.keys()].filter((one) => one.startsWith('POST /api/alarms/:id/'))).toHaveLength(13);
});

test('a body that cannot be read is refused in both languages, whoever notices', async () => {
  const box = await Box.start();
  const admin = await box.signIn();
  const refusals: [string, string, Record<string, string>, RegExp][] = [
    ['half of it', '{"name":', {}, /不是有效的 JSON · /],
    ['nothing', '', { 'content-type': 'application/json' }, /不是有效的 JSON · /],
    ['a prototype', '{"__proto__":{"x":1}}', {}, /不是有效的 JSON · /],
    ['another type', '<a/>', { 'content-type': 'text/xml' }, /只接受 application\/json · /],
    ['far too much', JSON.stringify({ note: 'x'.repeat(8 * 1024 * 1024) }), {}, /太大 · /],
  ];
  for (const [what, body, headers, message] of refusals) {
    const answer = await admin.ask<{ error: { code: string; message: string } }>('POST', '/api/alarms', body, headers);
    expect(answer.status, what).toBe(400);
    expect(answer.body.error, what).toMatchObject({ code: 'BAD_REQUEST', message: expect.stringMatching(message) });
  }
});

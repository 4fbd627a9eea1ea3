import { execFileSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { Settings } from '../../src/api/settings.ts';
import { loadConfig } from '../../src/config/load.ts';
import { SystemClock } from '../../src/kernel/clock.ts';
import { open, quiet } from '../journal/support.ts';
import { quanwei, quanweiJson } from '../support/command.ts';
import { dataDir } from '../support/data-dir.ts';

const SECRETS = ['door-secret-77', 'centre-password-88', 'login-in-url-99', 'page-password-66'];
const PEOPLE = ['张三', 'li-si', '110101199001011234', 'data:image/jpeg'];

test('a support bundle tells what the machine did, and nothing that opens a door or names a person', async () => {
  const dir = dataDir();
  const data = join(dir, 'data');
  const config = join(dir, 'gateway.yaml');
  writeFileSync(
    config,
    [
      `site: {id: a, name: 甲, street: b}`,
      `data: ${data}`,
      `http: {listen: 'http://127.0.0.1:1'}`,
      `devices: [{id: door-1, profile: face-oem-mqtt, secret: ${SECRETS[0]}}]`,
      `cameras: [{id: c1, url: 'rtsp://admin:${SECRETS[2]}@10.0.0.9/1'}]`,
      `upstream: {url: 'mqtt://127.0.0.1:1', username: a, password: ${SECRETS[1]}}`,
    ].join('\n'),
  );
  const journal = await open(data);
  await journal.append([
    { kind: 'message', actor: 'device:door-1', subject: 'door-1', body: { raw: `${PEOPLE[0]} ${PEOPLE[2]}` } },
    { kind: 'unknown', actor: 'device:door-1', subject: 'door-1', body: { text: PEOPLE[3] } },
    { kind: 'alarm.acknowledged', actor: `user:${PEOPLE[1]}`, subject: 'a1', body: { note: PEOPLE[0] } },
    { kind: 'session.opened', actor: `user:${PEOPLE[1]}`, subject: PEOPLE[1] as string, body: { from: '10.0.0.7' } },
    { kind: 'account.changed', actor: `user:${PEOPLE[1]}`, subject: PEOPLE[0] as string, body: {} },
    { kind: 'system.storage', actor: 'system', subject: null, body: { what: 'low', freeBytes: 12345 } },
  ]);

  const clock = new SystemClock();
  const settings = Settings.load({ journal, clock, log: quiet, file: loadConfig(config).config });
  const centre = { url: 'mqtt://127.0.0.1:2', username: 'b', password: SECRETS[3], protocol: '3.1.1' };
  await settings.set('upstream', { ...centre, confirm: 'broker', orders: true }, 0, `user:${PEOPLE[1]}`);

  const log = join(dir, 'service.log');
  writeFileSync(log, '{"msg":"the gateway is ready"}\n');
  const out = join(dir, 'bundle.tar.gz');
  const { code, value } = await quanweiJson<{ file: string; files: string[] }>(
    'support-bundle',
    '--config',
    config,
    '--out',
    out,
    '--log',
    log,
  );
  expect(code).toBe(0);
  expect(value.file).toBe(out);
  expect(statSync(out).mode & 0o077, 'for its owner only').toBe(0);

  const unpacked = dataDir();
  execFileSync('tar', ['xzf', out, '-C', unpacked]);
  const text = (name: string) => execFileSync('cat', [join(unpacked, name)], { encoding: 'utf8' });
  const everything = value.files.map((name) => text(name)).join('\n');
  for (const word of [...SECRETS, ...PEOPLE]) expect(everything, word).not.toContain(word);

  expect(parse(text('gateway.yaml'))).toMatchObject({
    devices: [{ id: 'door-1', profile: 'face-oem-mqtt', secret: '[redacted]' }],
    cameras: [{ url: 'rtsp://[redacted]@10.0.0.9/1' }],
    upstream: { username: 'a', password: '[redacted]' },
  });
  expect(JSON.parse(text('settings.json'))).toMatchObject([
    { what: 'upstream', value: { url: 'mqtt://127.0.0.1:2', username: 'b' }, by: expect.stringMatching(/^user:#/) },
  ]);
  const entries = text('journal.ndjson')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(entries.map(({ kind }) => kind)).toEqual([
    'message',
    'unknown',
    'alarm.acknowledged',
    'session.opened',
    'account.changed',
    'system.storage',
    'setting.changed',
  ]);
  expect(entries.at(-2)).toMatchObject({ body: { what: 'low', freeBytes: 12345 } });
  const [acknowledged, signedIn] = entries.slice(2);
  expect(acknowledged?.['actor'], 'the same person has the same mark').toBe(signedIn?.['actor']);
  expect(JSON.parse(text('check.json'))).toContainEqual(expect.objectContaining({ name: 'upstream', verdict: 'bad' }));
  expect(text('log.ndjson')).toContain('the gateway is ready');
  expect(JSON.parse(text('about.json'))).toMatchObject({ node: process.versions.node });
});

test('a bundle can still be made when configuration and journal are broken: that is when it is needed', async () => {
  const dir = dataDir();
  const config = join(dir, 'gateway.yaml');
  writeFileSync(config, 'site: [nonsense\n');
  const out = join(dir, 'bundle.tar.gz');
  const { code } = await quanwei('support-bundle', '--config', config, '--data', join(dir, 'none'), '--out', out);
  expect(code).toBe(0);
  const names = execFileSync('tar', ['tzf', out], { encoding: 'utf8' }).trim().split('\n');
  expect(names).toEqual(expect.arrayContaining(['about.json', 'check.json', 'journal.ndjson.missing']));
});

test('a login that the file has inside the address of the centre is in no file of the bundle, and the check does not tell it', async () => {
  const dir = dataDir();
  const config = join(dir, 'gateway.yaml');
  const centre = `upstream: {url: 'mqtt://spring:hidden-in-the-address@127.0.0.1:1'}`;
  const http = `http: {listen: 'http://127.0.0.1:1'}`;
  writeFileSync(config, [`site: {id: a, name: 甲, street: b}`, `data: ${join(dir, 'data')}`, http, centre].join('\n'));
  const journal = await open(join(dir, 'data'));
  await journal.append([{ kind: 'system.storage', actor: 'system', subject: null, body: { what: 'low' } }]);
  const found = await quanwei('check', '--config', config);
  expect(found.stdout + found.stderr).toContain('mqtt://127.0.0.1:1');
  expect(found.stdout + found.stderr).not.toContain('hidden-in-the-address');

  const out = join(dir, 'bundle.tar.gz');
  const log = join(dir, 'service.log');
  writeFileSync(log, '{"msg":"the gateway is ready"}\n');
  expect((await quanwei('support-bundle', '--config', config, '--out', out, '--log', log)).code).toBe(0);
  const everything = execFileSync('tar', ['xzOf', out], { encoding: 'utf8' });
  expect(everything).toContain('mqtt://127.0.0.1:1');
  expect(everything).not.toContain('hidden-in-the-address');
});

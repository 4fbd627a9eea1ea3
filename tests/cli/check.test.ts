import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { basename, join } from 'node:path';
import { Aedes } from 'aedes';
import { expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { Settings } from '../../src/api/settings.ts';
import { loadConfig } from '../../src/config/load.ts';
import { SystemClock } from '../../src/kernel/clock.ts';
import type { Finding } from '../../src/main/checks/finding.ts';
import { draft, open, quiet } from '../journal/support.ts';
import { quanwei, quanweiJson, quanweiJsonIn } from '../support/command.ts';
import { dataDir } from '../support/data-dir.ts';
import { WALL } from '../support/fence.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { freePort } from '../support/ports.ts';
import { model } from '../support/vision-material.ts';
import { VisionProcess } from '../support/vision-process.ts';
import { made } from '../vision/capture/clips.ts';

interface Report {
  ok: boolean;
  good: number;
  doubtful: number;
  bad: number;
  findings: Finding[];
}

/** A configuration with free ports, merged over by what the test is about. */
async function configured(more: Record<string, unknown> = {}) {
  const dir = dataDir();
  const file = join(dir, 'gateway.yaml');
  const ports = { mqtt: await freePort(), http: await freePort() };
  const settings = {
    site: { id: 'a', name: '甲', street: 'b' },
    data: join(dir, 'data'),
    mqtt: { listen: [`mqtt://127.0.0.1:${ports.mqtt}`] },
    http: { listen: `http://127.0.0.1:${ports.http}` },
    ...more,
  };
  writeFileSync(file, stringify(settings), { mode: 0o600 });
  return { dir, file, ports, data: settings.data };
}

const check = (file: string, ...more: string[]) => checkIn({}, file, ...more);

async function checkIn(env: NodeJS.ProcessEnv, file: string, ...more: string[]) {
  const { code, value } = await quanweiJsonIn<Report>(env, 'check', '--config', file, ...more);
  expect(code, 'the exit code says whether anything is bad').toBe(value.bad > 0 ? 1 : 0);
  expect(value.ok).toBe(value.bad === 0);
  return (name: string) => value.findings.filter((one) => one.name === name);
}

test('a box that is in order passes, with a line in Chinese and one in English for each thing looked at', async () => {
  const { file, data } = await configured();
  const journal = await open(data);
  await journal.append([draft(), draft()]);
  await journal.close();
  const of = await check(file);
  const names = ['node', 'memory', 'disk.space', 'disk.filesystem', 'disk.speed', 'config', 'profiles', 'journal'];
  for (const name of [...names, 'port.mqtt', 'port.http', 'upstream']) {
    expect(of(name), name).toEqual([expect.objectContaining({ verdict: 'good' })]);
  }
  expect(of('journal')[0]?.figures).toMatchObject({ head: 2, verified: 2 });
  expect(of('clock.synced')).toHaveLength(1);
  for (const name of ['ffmpeg', 'models', 'process', 'cameras']) expect(of(`vision.${name}`), name).toEqual([]);

  const { code, stdout } = await quanwei('check', '--config', file);
  expect(code).toBe(0);
  expect(stdout).toContain('✓ 配置有效');
  expect(stdout).toContain('  Configuration is valid');
});

test('devices that the gateway would refuse to start with are bad, every one of them by name', async () => {
  const { file } = await configured();
  const devices = [
    { id: 'point-1', profile: 'tasmota-contact', secret: 'a-secret-of-1' },
    { id: 'sos-1', profile: 'zigbee-sos-button', hub: 'point-1' },
    { id: 'point-2', profile: 'tasmota-contact', secret: 'a-secret-of-2', params: { nope: 'x' } },
  ];
  const before = readFileSync(file, 'utf8');
  writeFileSync(file, `${before}\ndevices: ${JSON.stringify(devices)}\nalarms: { fireReleases: [point-1] }\n`);
  const [finding] = (await check(file))('profiles');
  expect(finding).toMatchObject({ verdict: 'bad', figures: { devicesWrong: 3 } });
  for (const said of ['sos-1', 'point-2', 'fireReleases']) expect(JSON.stringify(finding)).toContain(said);
  const line = before.split('\n').length + 1;
  const column = (key: string, from: string) => {
    const text = `devices: ${JSON.stringify(devices)}`;
    return text.indexOf(`"${key}"`, text.indexOf(from)) + 1;
  };
  for (const said of [
    `${file}:${line}:${column('hub', 'sos-1')}: devices[1] (sos-1): `,
    `${file}:${line}:${column('params', 'point-2')}: devices[2] (point-2): `,
    `${file}:${line + 1}:26: alarms.fireReleases[0]: `,
  ]) {
    for (const half of [finding?.text.zh, finding?.text.en]) expect(half).toContain(said);
  }
});

test('looking changes nothing: no data directory is made', async () => {
  const { file, data } = await configured();
  await check(file);
  expect(existsSync(data)).toBe(false);
});

test('an address that another program holds is bad, and the advice says how to find it', async () => {
  const { file, ports } = await configured();
  const other = createServer().listen(ports.mqtt, '127.0.0.1');
  await once(other, 'listening');
  onTestFinished(() => void other.close());
  const [finding] = (await check(file))('port.mqtt');
  expect(finding).toMatchObject({ verdict: 'bad', advice: { en: expect.stringContaining(`:${ports.mqtt}`) } });
});

test('an address that is none of this box is bad for that reason, and nobody is looked for who holds it', async () => {
  const port = await freePort();
  const { file } = await configured({
    mqtt: { listen: [`mqtt://no-such-host.invalid:${port}`] },
    http: { listen: `https://203.0.113.9:${port}` },
  });
  const of = await check(file);
  expect(of('port.mqtt')).toMatchObject([
    {
      verdict: 'bad',
      text: {
        zh: expect.stringContaining('主机名 no-such-host.invalid 无法解析'),
        en: expect.stringContaining('the name no-such-host.invalid cannot be resolved'),
      },
    },
  ]);
  expect(of('port.http')).toMatchObject([
    { verdict: 'bad', text: { en: expect.stringContaining('203.0.113.9 is no address of this machine') } },
  ]);
  for (const name of ['port.mqtt', 'port.http']) expect(of(name)[0]?.advice?.en).not.toContain('ss -ltnp');
});

test('a configuration that was changed under a running gateway is not taken for a fault', async () => {
  const gateway = await GatewayProcess.prepare(dataDir(), {});
  await gateway.start();
  onTestFinished(() => gateway.stop());
  chmodSync(gateway.config, 0o600);
  const before = await check(gateway.config);
  expect(before('gateway')).toMatchObject([{ verdict: 'good' }]);
  expect(before('port.mqtt')).toMatchObject([{ verdict: 'good', figures: { listening: true } }]);
  const moved = await freePort();
  writeFileSync(
    gateway.config,
    readFileSync(gateway.config, 'utf8').replace(`http://127.0.0.1:${gateway.ports.http}`, `http://127.0.0.1:${moved}`),
  );
  const after = await check(gateway.config);
  expect(after('gateway')).toMatchObject([{ verdict: 'doubtful', figures: { state: 'silent' } }]);
  expect(after('port.http')).toMatchObject([{ verdict: 'doubtful' }]);
  expect(after('port.mqtt')).toMatchObject([{ verdict: 'good' }]);
  await gateway.kill();
  expect((await check(gateway.config))('gateway')).toMatchObject([{ figures: { state: 'stopped' } }]);
});

test('plain MQTT on every network is doubtful', async () => {
  const port = await freePort();
  const { file } = await configured({ mqtt: { listen: [`mqtt://0.0.0.0:${port}`] } });
  expect((await check(file))('port.mqtt')).toMatchObject([{ verdict: 'doubtful' }]);
});

test('a journal whose newest entries were changed is bad', async () => {
  const { file, data } = await configured();
  const journal = await open(data);
  await journal.append([draft(), draft(), draft()]);
  await journal.close();
  const { default: Database } = await import('better-sqlite3');
  const db = new Database(join(data, 'quanwei.db'));
  db.prepare(`UPDATE entries SET actor = 'user:nobody' WHERE seq = 2`).run();
  db.close();
  expect((await check(file))('journal')).toMatchObject([{ verdict: 'bad', figures: { brokenAt: 2 } }]);
});

test('a database that was set aside is not forgotten', async () => {
  const { file, data } = await configured();
  await (await open(data)).close();
  writeFileSync(join(data, 'quanwei.db.damaged-20260601T040000Z'), '');
  expect((await check(file))('journal.aside')).toMatchObject([{ verdict: 'doubtful' }]);
});

test('a data directory that the power takes with it is bad', async () => {
  const data = mkdtempSync('/dev/shm/quanwei-check-');
  onTestFinished(() => rmSync(data, { recursive: true }));
  const { file } = await configured({ data });
  expect((await check(file))('disk.filesystem')).toMatchObject([{ verdict: 'bad', figures: { type: 'tmpfs' } }]);
});

test('less room than the configuration asks for is bad', async () => {
  const { file } = await configured({ retention: { minFree: '900000GB' } });
  expect((await check(file))('disk.space')).toMatchObject([{ verdict: 'bad' }]);
});

test('a device with a profile nobody has is bad, and so is a profile with a mistake', async () => {
  const { file } = await configured({ devices: [{ id: 'door-1', profile: 'no-such-door', secret: 'x'.repeat(12) }] });
  const unknown = await quanweiJson<Report>('check', '--config', file);
  expect(unknown.code).toBe(1);
  expect(JSON.stringify(unknown.value.findings)).toContain('no-such-door');

  const profiles = dataDir();
  writeFileSync(join(profiles, 'mine.yaml'), 'format: 1\nid: mine\nnonsense: yes\n');
  const broken = await configured({ profiles: [profiles] });
  const { code, value } = await quanweiJson<Report>('check', '--config', broken.file);
  expect(code).toBe(1);
  expect(JSON.stringify(value.findings)).toMatch(/mine\.yaml:\d+:\d+/);
});

test('a mistake in the configuration is one of the findings; the rest is still looked at', async () => {
  const { file, data } = await configured({ htttp: {} });
  const of = await check(file, '--data', data);
  expect(of('config')).toMatchObject([
    { verdict: 'bad', text: { en: expect.stringMatching(/gateway\.yaml:\d+:\d+/) } },
  ]);
  expect(of('disk.space')).toHaveLength(1);
});

test('secrets that an editor saved in GBK are told by their first wrong byte', async () => {
  const { dir, file } = await configured();
  // 门 in GBK; in a comment it harms nobody.
  const secrets = (text: string) =>
    writeFileSync(join(dir, 'secrets.env'), Buffer.from(text, 'latin1'), { mode: 0o600 });
  secrets('# \xc3\xc5\nDOOR=1\n');
  expect((await check(file))('config')[0]?.verdict).toBe('good');
  secrets('# doors\nDOOR=\xc3\xc5\n');
  const [finding] = (await check(file))('config');
  expect(finding?.verdict).toBe('bad');
  expect(JSON.stringify(finding)).toContain(`${join(dir, 'secrets.env')}:2:6`);
  expect(JSON.stringify(finding)).toContain('not UTF-8');
});

test('a configuration that everybody may read is doubtful', async () => {
  const { file } = await configured();
  chmodSync(file, 0o644);
  expect((await check(file))('config.mode')).toMatchObject([{ verdict: 'doubtful' }]);
});

test('certificates of the box’s own CA are looked at, and a key that belongs to another is found', async () => {
  const { file, data, dir } = await configured();
  const issued: string[] = [];
  for (const device of ['one', 'two']) {
    expect((await quanwei('ca', 'issue', device, '--data', data, '--out', dir)).code).toBe(0);
    issued.push(join(dir, device));
  }
  expect((await check(file))('certificate.own-ca')).toMatchObject([{ verdict: 'good' }]);

  const [one, two] = issued;
  const mixed = await configured({ http: { listen: 'https://127.0.0.1:1', cert: `${one}.crt`, key: `${two}.key` } });
  expect((await check(mixed.file))('certificate.http')).toMatchObject([
    { verdict: 'bad', text: { en: expect.stringContaining('does not belong') } },
  ]);

  const short = await quanwei('ca', 'issue', 'short', '--data', data, '--out', dir, '--days', '5');
  expect(short.code).toBe(0);
  const soon = await configured({
    http: { listen: 'https://127.0.0.1:1', cert: join(dir, 'short.crt'), key: join(dir, 'short.key') },
  });
  expect((await check(soon.file))('certificate.http')).toMatchObject([{ verdict: 'doubtful' }]);
});

test('the centre is logged in to for real: reached, refused, and not there at all', async () => {
  const dir = dataDir();
  const port = await freePort();
  const hashed = spawn('mosquitto_passwd', ['-b', '-c', join(dir, 'passwords'), 'site', 'right']);
  await once(hashed, 'exit');
  chmodSync(join(dir, 'passwords'), 0o644);
  chmodSync(dir, 0o755);
  writeFileSync(
    join(dir, 'mosquitto.conf'),
    `listener ${port} 127.0.0.1\nallow_anonymous false\npassword_file ${join(dir, 'passwords')}\n`,
  );
  const broker = spawn('mosquitto', ['-c', join(dir, 'mosquitto.conf')], { stdio: 'ignore' });
  onTestFinished(async () => {
    const gone = once(broker, 'exit');
    broker.kill();
    await gone;
  });
  const upstream = (password: string, at = port) => ({
    upstream: { url: `mqtt://127.0.0.1:${at}`, username: 'site', password },
  });
  const verdictOf = async (more: Record<string, unknown>) =>
    (await check((await configured(more)).file))('upstream')[0]?.verdict;
  await expect.poll(() => verdictOf(upstream('right')), { timeout: 15_000 }).toBe('good');
  const wrong = (await check((await configured(upstream('wrong'))).file))('upstream')[0];
  expect(wrong).toMatchObject({ verdict: 'bad', text: { en: expect.stringMatching(/not authorized/i) } });
  expect(await verdictOf(upstream('right', await freePort()))).toBe('bad');
}, 60_000);

test('with cameras, ffmpeg is looked for, and the models they ask for: missing, damaged and whole', async () => {
  const { file } = await configured({ cameras: [{ id: 'cam-1', url: 'rtsp://127.0.0.1/main', fences: [WALL] }] });
  const models = dataDir();
  const none = await checkIn({ QUANWEI_MODELS_DIR: models, PATH: models }, file);
  expect(none('vision.ffmpeg')).toMatchObject([
    { verdict: 'bad', text: { en: expect.stringContaining('is not installed') } },
  ]);
  const missing = { verdict: 'bad', text: { en: expect.stringMatching(/nanodet.*movenet-lightning/) } };
  expect(none('vision.models')).toMatchObject([{ ...missing, figures: { missing: 2 } }]);

  const kept: string[] = [];
  for (const id of ['nanodet', 'movenet-lightning']) {
    const { file: graph } = await model(id);
    for (const from of [graph, graph.replace(/onnx$/, 'json')]) {
      const to = join(models, basename(from));
      copyFileSync(from, to);
      kept.push(to);
    }
  }
  const whole = await checkIn({ QUANWEI_MODELS_DIR: models }, file);
  expect(whole('vision.ffmpeg')).toMatchObject([{ verdict: 'good' }]);
  expect(whole('vision.models')).toMatchObject([
    { verdict: 'good', figures: { models: 'nanodet movenet-lightning', missing: 0 } },
  ]);

  const [graph = ''] = kept;
  const bytes = readFileSync(graph);
  bytes[1_000] = (bytes[1_000] ?? 0) ^ 1;
  writeFileSync(graph, bytes);
  expect((await checkIn({ QUANWEI_MODELS_DIR: models }, file))('vision.models')).toMatchObject([
    { verdict: 'bad', text: { en: expect.stringContaining('nanodet is damaged') }, figures: { missing: 1 } },
  ]);

  // They are needed where the vision process is, and that is another box.
  const apart = await configured({
    cameras: [{ id: 'cam-1', url: '/a.mp4' }],
    vision: { broker: 'mqtt://10.0.0.2:1', secret: 'x'.repeat(12) },
  });
  const of = await checkIn({ QUANWEI_MODELS_DIR: dataDir(), PATH: models }, apart.file);
  expect([...of('vision.ffmpeg'), ...of('vision.models')]).toEqual([]);
  expect(of('vision.process')).toHaveLength(1);
}, 90_000);

test('the vision process is asked how its cameras are: not begun, answering with one that is blind, and gone', async () => {
  const film = made('check.mp4', '-f', 'lavfi', '-i', 'testsrc=size=320x180:rate=10', '-t', '4', '-pix_fmt', 'yuv420p');
  const gateway = await GatewayProcess.prepare(dataDir(), {
    cameras: [
      { id: 'cam-film', url: film },
      { id: 'cam-away', url: '/no/such/film.mp4' },
    ],
    vision: { listen: `http://127.0.0.1:${await freePort()}` },
  });
  chmodSync(gateway.config, 0o600);
  expect((await check(gateway.config))('vision.process'), 'no gateway has made a secret yet').toMatchObject([
    { verdict: 'doubtful', text: { en: expect.stringContaining('no secret') } },
  ]);
  await gateway.start();
  onTestFinished(() => gateway.kill());
  const vision = new VisionProcess(gateway);
  await vision.start();
  await expect
    .poll(async () => (await check(gateway.config))('vision.cameras'), { timeout: 40_000 })
    .toMatchObject([
      {
        verdict: 'doubtful',
        text: { en: expect.stringMatching(/: cam-away: .*no such file/) },
        figures: { without: 1 },
      },
    ]);
  expect((await check(gateway.config))('vision.process')).toMatchObject([{ verdict: 'good' }]);

  await vision.end('SIGKILL');
  const gone = await check(gateway.config);
  expect(gone('vision.process')).toMatchObject([{ verdict: 'bad', figures: { answers: false } }]);
  expect(gone('vision.cameras')).toEqual([]);
  await gateway.kill();
  expect((await check(gateway.config))('vision.process')).toMatchObject([{ verdict: 'doubtful' }]);
}, 120_000);

test('what was set on the page is what is looked at, and is named; the file counts where it does not hold', async () => {
  const { file, data, ports } = await configured({
    upstream: { url: 'mqtt://127.0.0.1:1', username: 'a', password: 'of-the-file' },
  });
  const journal = await open(data);
  const clock = new SystemClock();
  const settings = Settings.load({ journal, clock, log: quiet, file: loadConfig(file).config });
  const centre = { url: `mqtt://127.0.0.1:${ports.mqtt}`, username: 'b', password: 'of-the-page', protocol: '3.1.1' };
  await settings.set('upstream', { ...centre, confirm: 'broker', orders: true }, 0, 'user:boss');
  await settings.set('quiet', settings.get('quiet').value, 0, 'user:boss');
  await journal.write([
    { sql: `UPDATE settings SET value = '{"value":{"quiet":7}}' WHERE name = 'quiet'`, params: [] },
  ]);
  const aedes = await Aedes.createBroker({
    authenticate: (_client, name, password, done) => done(null, name === 'b' && String(password) === 'of-the-page'),
  });
  const server = createServer(aedes.handle).listen(ports.mqtt, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => new Promise<void>((resolve) => aedes.close(() => server.close(() => resolve()))));
  // A journal in use by somebody who answers on no page: what is set since the start waits for the next.
  const of = await check(file);
  expect(of('upstream')).toMatchObject([{ verdict: 'good', figures: { url: centre.url, source: 'page' } }]);
  expect(of('settings.upstream')).toMatchObject([{ verdict: 'doubtful', figures: { source: 'page' } }]);
  expect(of('settings.quiet')).toMatchObject([
    { verdict: 'doubtful', text: { zh: expect.stringContaining('不能用') } },
  ]);
  expect(of('settings.levels')).toEqual([]);
  await journal.close();
  expect((await check(file))('settings.upstream')).toMatchObject([{ verdict: 'good' }]);
});

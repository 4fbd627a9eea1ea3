import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { CLI, finished, quanwei, quanweiJson, start } from '../support/command.ts';
import { dataDir } from '../support/data-dir.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { freePort } from '../support/ports.ts';

interface Told {
  page: string;
  mqtt: string;
  devices: number;
  login: { name: string; password: string };
}

/** A temporary directory of its own, so that what a demo leaves behind can be seen. */
async function demo(ports: { http: number; mqtt: number }) {
  const temporary = dataDir();
  const args = [CLI, 'demo', '--json', '--port', String(ports.http), '--mqtt-port', String(ports.mqtt)];
  const child = start(process.execPath, args, { env: { ...process.env, TMPDIR: temporary } });
  const ended = finished(child);
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const [line] = (await once(lines, 'line')) as [string];
  return { told: JSON.parse(line) as Told, child, ended, temporary };
}

async function signIn({ page, login }: Told): Promise<string> {
  const answer = await fetch(`${page}/api/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: page },
    body: JSON.stringify(login),
  });
  expect(answer.status).toBe(200);
  return answer.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0])
    .join('; ');
}

const listens = (url: string): Promise<boolean> => {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
};

test('the demo serves the page, a login made for this run works, and the compound raises a fire alarm by itself', async () => {
  const { told, child, ended, temporary } = await demo({ http: await freePort(), mqtt: await freePort() });
  expect(told.devices).toBeGreaterThan(10);
  const page = await fetch(told.page);
  expect(page.status).toBe(200);
  expect(await page.text()).toContain('泉卫');
  const cookie = await signIn(told);
  await expect
    .poll(
      async () => {
        const answer = await fetch(`${told.page}/api/alarms`, { headers: { cookie } });
        return await answer.text();
      },
      { timeout: 25_000, interval: 500 },
    )
    .toContain('fire.button');

  child.kill('SIGINT');
  const { code, stderr } = await ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(await listens(told.page)).toBe(false);
  expect(await listens(told.mqtt)).toBe(false);
  expect(readdirSync(temporary), 'nothing is left behind').toEqual([]);
}, 60_000);

test('where the usual ports are taken the demo takes others; two can run side by side', async () => {
  const ports = { http: await freePort(), mqtt: await freePort() };
  const [first, second] = [await demo(ports), await demo(ports)];
  expect(first.told.page).toContain(`:${ports.http}`);
  expect(second.told.page).not.toBe(first.told.page);
  expect(second.told.mqtt).not.toBe(first.told.mqtt);
  await Promise.all([signIn(first.told), signIn(second.told)]);
  for (const { child } of [first, second]) child.kill('SIGTERM');
  expect((await Promise.all([first.ended, second.ended])).map(({ code }) => code)).toEqual([0, 0]);
}, 60_000);

test('devices a gateway does not know are not let in, and simulate does not say that all is well', async () => {
  const { told } = await demo({ http: await freePort(), mqtt: await freePort() });
  const args = ['simulate', '--url', told.mqtt, '--devices', '1', '--seconds', '1'];
  const refused = start(process.execPath, [CLI, ...args], { env: { ...process.env, QUANWEI_LOG: 'debug' } });
  const ended = finished(refused);
  await once(createInterface({ input: refused.stdout as NodeJS.ReadableStream }), 'line');
  refused.kill('SIGINT');
  const { code, stdout } = await ended;
  expect(code).toBe(1);
  expect(stdout).toMatch(/bad username or password/i);
}, 60_000);

test('made-up devices, put into the configuration of a gateway, are let in and acknowledged', async () => {
  const printed = await quanwei('simulate', '--devices', '12', '--print-devices');
  expect(printed.code).toBe(0);
  const { devices } = parse(printed.stdout) as { devices: unknown[] };
  expect(devices).toHaveLength(12);
  const gateway = await GatewayProcess.prepare(dataDir(), { devices });
  await gateway.start();
  onTestFinished(() => gateway.stop());
  const { code, value } = await quanweiJson<Record<string, number>>(
    'simulate',
    ...['--url', `mqtt://127.0.0.1:${gateway.ports.mqtt}`, '--devices', '12', '--rate', '50', '--seconds', '3'],
  );
  expect(code).toBe(0);
  expect(value).toMatchObject({ devices: 12, connected: 12, failed: 0 });
  expect(value['accepted']).toBeGreaterThan(100);
  expect((await gateway.journal('--kind', 'unknown')).length, 'the samples are what the profiles say').toBe(0);
}, 60_000);

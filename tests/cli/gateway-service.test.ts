import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { CLI, finished, start } from '../support/command.ts';
import { dataDir } from '../support/data-dir.ts';
import { GatewayProcess } from '../support/gateway-process.ts';
import { NotifyReceiver } from '../support/notify-receiver.ts';

/** `quanwei gateway` with the environment systemd gives to a unit of `Type=notify` and `WatchdogSec=`. */
async function service(watchdogMs: number) {
  const receiver = await NotifyReceiver.bind(dataDir());
  const gateway = await GatewayProcess.prepare(dataDir(), {});
  const child = start(process.execPath, [CLI, 'gateway', '--config', gateway.config], {
    env: {
      ...process.env,
      QUANWEI_LOG: 'info',
      NOTIFY_SOCKET: receiver.socket,
      WATCHDOG_USEC: String(watchdogMs * 1_000),
    },
  });
  const ended = finished(child);
  onTestFinished(() => void child.kill('SIGKILL'));
  return { receiver, gateway, child, ended };
}

test('systemd hears READY only when an alarm can be stored, is pinged, and hears STOPPING before an orderly end', async () => {
  const { receiver, gateway, child, ended } = await service(600);
  await receiver.hear('READY=1');
  expect(await gateway.healthy()).toBe(true);
  await receiver.hear('WATCHDOG=1', 3);
  child.kill('SIGTERM');
  const { code, stderr } = await ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  await receiver.hear('STOPPING=1');
  const entries = await gateway.journal('--kind', 'system');
  expect(entries.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['system.started', 'system.stopped']));
});

test('a certificate of mqtts that cannot be read is told, and the gateway ends: systemd would start it again', async () => {
  const gateway = await GatewayProcess.prepare(dataDir(), {
    mqtt: { listen: ['mqtts://127.0.0.1:0'], cert: 'nope.pem', key: 'nope.key' },
  });
  const child = start(process.execPath, [CLI, 'gateway', '--config', gateway.config], { env: process.env });
  onTestFinished(() => void child.kill('SIGKILL'));
  const { code, stderr } = await finished(child);
  expect(code).toBe(1);
  expect(stderr).toContain('nope.pem');
});

test('a device that does not fit keeps the gateway from starting, and is told with its line of the file', async () => {
  const gateway = await GatewayProcess.prepare(dataDir(), {
    devices: [{ id: 'door-1', profile: 'no-such-door', secret: 'a-secret-for-tests' }],
  });
  const text = readFileSync(gateway.config, 'utf8');
  const line = text.slice(0, text.indexOf('profile: no-such-door')).split('\n').length;
  const child = start(process.execPath, [CLI, 'gateway', '--config', gateway.config], { env: process.env });
  onTestFinished(() => void child.kill('SIGKILL'));
  const { code, stderr } = await finished(child);
  expect(code).toBe(1);
  expect(stderr).toMatch(new RegExp(`gateway\\.yaml:${line}:\\d+: devices\\[0\\] \\(door-1\\): 没有此型号`));
});

test('a gateway whose event loop stands still is not reported alive', async () => {
  const { receiver, child } = await service(600);
  await receiver.hear('WATCHDOG=1', 2);
  child.kill('SIGSTOP');
  // What was on its way when it was stopped may still arrive.
  await new Promise((resolve) => setTimeout(resolve, 300));
  const before = receiver.count('WATCHDOG=1');
  await new Promise((resolve) => setTimeout(resolve, 900));
  expect(receiver.count('WATCHDOG=1')).toBe(before);
  child.kill('SIGCONT');
  await receiver.hear('WATCHDOG=1', before + 1);
});

test('the first administrator’s password is in a file for the owner of the data, and in no log', async () => {
  const { receiver, gateway, child, ended } = await service(60_000);
  await receiver.hear('READY=1');
  const file = join(gateway.data, 'first-login.txt');
  expect(existsSync(file)).toBe(true);
  expect(statSync(file).mode & 0o077).toBe(0);
  const [name, password] = readFileSync(file, 'utf8').split('\n') as [string, string];
  expect(name).toBe('admin');
  const base = `http://127.0.0.1:${gateway.ports.http}`;
  const answer = await fetch(`${base}/api/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin: base },
    body: JSON.stringify({ name, password }),
  });
  expect(answer.status).toBe(200);
  child.kill('SIGTERM');
  const { stdout } = await ended;
  expect(stdout).toContain('first-login.txt');
  expect(stdout).not.toContain(password);
});

test('an address that is taken ends the start with a sentence, not a stack', async () => {
  const first = await service(60_000);
  await first.receiver.hear('READY=1');
  const second = await GatewayProcess.prepare(dataDir(), {
    mqtt: { listen: [`mqtt://127.0.0.1:${first.gateway.ports.mqtt}`] },
  });
  const { code, stderr } = await second.run('gateway', '--config', second.config);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^PORT_TAKEN: /);
  expect(stderr).not.toContain('    at ');
});

test('the vision service without cameras has nothing to do, and has not failed', async () => {
  const receiver = await NotifyReceiver.bind(dataDir());
  const { config } = await GatewayProcess.prepare(dataDir(), {});
  const child = start(process.execPath, [CLI, 'vision', '--config', config], {
    env: { ...process.env, NOTIFY_SOCKET: receiver.socket },
  });
  expect((await finished(child)).code).toBe(0);
  await receiver.hear('READY=1');
});

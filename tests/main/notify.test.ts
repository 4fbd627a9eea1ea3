import { pino } from 'pino';
import { expect, test } from 'vitest';
import { SimulatedClock } from '../../src/kernel/clock.ts';
import { ServiceManager } from '../../src/main/notify.ts';
import { dataDir } from '../support/data-dir.ts';
import { NotifyReceiver } from '../support/notify-receiver.ts';

function logged() {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => lines.push(JSON.parse(line)) });
  return { log, lines };
}

async function service(env: Record<string, string> = {}) {
  const receiver = await NotifyReceiver.bind(dataDir());
  const clock = new SimulatedClock();
  const { log, lines } = logged();
  const manager = new ServiceManager({
    clock,
    log,
    env: { PATH: process.env['PATH'], NOTIFY_SOCKET: receiver.socket, ...env },
  });
  return { receiver, clock, manager, lines };
}

test('systemd hears that the service is ready and what it does, and that it stops', async () => {
  const { receiver, manager } = await service();
  await manager.ready('3 devices, mqtt://0.0.0.0:1883');
  await receiver.hear('READY=1');
  expect(receiver.count('STATUS=3 devices, mqtt://0.0.0.0:1883')).toBe(1);
  await manager.stopping();
  await receiver.hear('STOPPING=1');
});

test('the watchdog is pinged three times within its limit while the gateway is alive, and not any more when it is not', async () => {
  const { receiver, clock, manager, lines } = await service({
    WATCHDOG_USEC: '30000000',
    WATCHDOG_PID: String(process.pid),
  });
  let answer: boolean | Error = true;
  manager.watch(() => {
    if (answer instanceof Error) throw answer;
    return answer;
  });
  const complaints = () => lines.filter((line) => line['level'] === 50).length;

  clock.advance(9_999);
  expect(receiver.messages).toEqual([]);
  clock.advance(1);
  await receiver.hear('WATCHDOG=1', 1);
  // A look is left out while the child that carries the ping before it has not ended.
  const later = (what: () => number) =>
    expect.poll(() => {
      clock.advance(10_000);
      return what();
    });
  await later(() => receiver.count('WATCHDOG=1')).toBeGreaterThan(1);

  answer = false;
  await later(complaints).toBeGreaterThan(1);
  const before = receiver.count('WATCHDOG=1');
  answer = new Error('the writer does not answer');
  const soFar = complaints();
  await later(complaints).toBeGreaterThan(soFar + 1);
  expect(receiver.count('WATCHDOG=1')).toBe(before);
});

test('a gateway that does not answer whether it is alive is asked once, and is not pinged for', async () => {
  const { receiver, clock, manager } = await service({ WATCHDOG_USEC: '3000000' });
  let asked = 0;
  manager.watch(() => {
    asked += 1;
    return new Promise<boolean>(() => undefined);
  });
  clock.advance(60_000);
  expect(asked).toBe(1);
  await manager.ready('a marker behind whatever would have been sent');
  await receiver.hear('READY=1');
  expect(receiver.count('WATCHDOG=1')).toBe(0);
});

test('a long work at the start is spoken of as long as it goes on, so that systemd does not give up on it', async () => {
  const { receiver, clock, manager } = await service();
  let done: (what: string) => void = () => undefined;
  const work = manager.patientFor(
    '恢复备份 restoring',
    new Promise<string>((resolve) => {
      done = resolve;
    }),
  );
  // Well within the 300 s of the unit, and each word holds until after the next but one.
  clock.advance(30_000);
  await receiver.hear('EXTEND_TIMEOUT_USEC=180000000', 1);
  clock.advance(30_000);
  await receiver.hear('EXTEND_TIMEOUT_USEC=180000000', 2);
  expect(receiver.count('STATUS=恢复备份 restoring')).toBe(2);
  done('whole');
  expect(await work).toBe('whole');
  clock.advance(600_000);
  // A disk that has hung for hours is not waited for any more.
  void manager.patientFor('for ever', new Promise(() => undefined), 90_000);
  clock.advance(600_000);
  await receiver.hear('STATUS=for ever', 3);
  await manager.ready('x');
  await receiver.hear('READY=1');
  expect(receiver.count('STATUS=for ever')).toBe(3);
  expect(receiver.count('STATUS=恢复备份 restoring')).toBe(2);
});

test('a watchdog meant for another process is left alone', async () => {
  const { clock, manager } = await service({ WATCHDOG_USEC: '3000000', WATCHDOG_PID: '1' });
  expect(manager.watchdogMs).toBeNull();
  let asked = 0;
  manager.watch(() => {
    asked += 1;
    return true;
  });
  clock.advance(60_000);
  expect(asked).toBe(0);
});

test('without systemd nothing is sent and nothing complains', async () => {
  const { log, lines } = logged();
  const manager = new ServiceManager({ clock: new SimulatedClock(), log, env: {}, program: '/nonexistent' });
  await manager.ready('x');
  await manager.stopping();
  expect(lines).toEqual([]);
});

test('a machine without systemd-notify runs on, and the log says once why systemd hears nothing', async () => {
  const { log, lines } = logged();
  const env = { NOTIFY_SOCKET: '/run/nowhere' };
  const manager = new ServiceManager({ clock: new SimulatedClock(), log, env, program: '/nonexistent/systemd-notify' });
  await manager.ready('x');
  await manager.stopping();
  expect(lines.map((line) => line['msg'])).toEqual(['systemd could not be told']);
});

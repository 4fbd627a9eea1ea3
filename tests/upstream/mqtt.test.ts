import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { Aedes } from 'aedes';
import { describe, expect, onTestFinished, test } from 'vitest';
import { dataDir } from '../support/data-dir.ts';
import { freePort } from '../support/ports.ts';
import { openBox, passage, raised, upstreamConfig } from './box.ts';
import { Centre, Reader, until } from './centre.ts';

const STATUS = 'quanwei/v1/longquan/spring-garden/status';
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Users of a Mosquitto, with their rights. */
function access(dir: string, users: Record<string, { password: string; rights: string[] }>): string[] {
  const passwords = join(dir, 'passwords');
  const acl = join(dir, 'acl');
  writeFileSync(
    passwords,
    Object.entries(users)
      .map(([name, { password }]) => `${name}:${password}\n`)
      .join(''),
  );
  execFileSync('mosquitto_passwd', ['-U', passwords]);
  writeFileSync(
    acl,
    Object.entries(users)
      .map(([name, { rights }]) => `user ${name}\n${rights.map((right) => `topic ${right}\n`).join('')}`)
      .join('\n'),
  );
  return ['allow_anonymous false', `password_file ${passwords}`, `acl_file ${acl}`];
}

describe.each(['3.1.1', '5'])('over MQTT %s', (protocol) => {
  test('an alarm reaches the centre as a CloudEvent, and records go after alarms', async () => {
    const centre = await Centre.start();
    const reader = await Reader.connect(centre.port);
    const box = await openBox();
    const entries = await box.journal.append([
      ...Array.from({ length: 1_000 }, (_, n) => passage(n)),
      raised(2).draft,
      raised(1).draft,
    ]);
    const bridge = box.bridge(upstreamConfig({ url: centre.url, protocol }));
    bridge.start();
    await until(() => reader.events().length === entries.length, 'all has arrived');
    const events = reader.events();
    expect(events[0]?.event).toMatchObject({ type: 'cn.quanwei.alarm.raised.v1', severitytext: 'FATAL' });
    expect(events[0]?.topic).toBe('quanwei/v1/longquan/spring-garden/event/fire.button');
    expect(events[1]?.event).toMatchObject({ type: 'cn.quanwei.alarm.raised.v1', severitytext: 'ERROR' });
    const passages = events.filter(({ event }) => event.type === 'cn.quanwei.access.v1');
    expect(
      passages.map(({ event }) => (event.data['events'] as { detail: { record: number } }[])[0]?.detail.record),
    ).toEqual(Array.from({ length: 1_000 }, (_, n) => n));
    await until(() => bridge.state().waiting === 0, 'all is confirmed');
  });

  test('the status says online, offline when stopped, and lost when the box dies', async () => {
    const centre = await Centre.start();
    const reader = await Reader.connect(centre.port, STATUS);
    const told = () => reader.arrivals.map(({ event }) => (event.data as { reason: string }).reason);
    const box = await openBox();
    const first = box.bridge(upstreamConfig({ url: centre.url, protocol }));
    first.start();
    await until(() => told().length === 1, 'online');
    await first.stop();
    await until(() => told().length === 2, 'offline');
    expect(told()).toEqual(['connected', 'stopped']);
    // The line is cut: the broker says what it was left as a will.
    const port = await freePort();
    const sockets: Socket[] = [];
    const cable = createServer((near) => {
      const far = new (near.constructor as typeof Socket)().connect(centre.port, '127.0.0.1');
      near
        .on('error', () => undefined)
        .pipe(far.on('error', () => undefined))
        .pipe(near);
      sockets.push(near, far);
    }).listen(port, '127.0.0.1');
    onTestFinished(() => void cable.close());
    const second = box.bridge(upstreamConfig({ url: `mqtt://127.0.0.1:${port}`, protocol }));
    second.start();
    await until(() => told().length === 3, 'online again');
    cable.close();
    for (const socket of sockets) socket.destroy();
    await until(() => told().length === 4, 'lost');
    expect(told().slice(2)).toEqual(['connected', 'lost']);
    const late = await Reader.connect(centre.port, STATUS);
    await until(() => late.arrivals.length === 1, 'the retained status');
    expect(late.arrivals[0]?.event.data).toMatchObject({ state: 'offline', reason: 'lost', session: box.clock.boot });
  });

  test('a wrong password is told in words, again and again, and the right one is taken up when it is there', async () => {
    const dir = dataDir();
    const rights = ['write quanwei/v1/longquan/spring-garden/#', 'read quanwei/v1/longquan/spring-garden/order'];
    const centre = await Centre.start({
      access: access(dir, { box: { password: 'right', rights }, reader: { password: 'reader', rights: ['read #'] } }),
    });
    const reader = await Reader.connect(centre.port, 'quanwei/#', { username: 'reader', password: 'reader' });
    const box = await openBox();
    const section = { url: centre.url, protocol, username: 'box', backoff: { min: '1ms', max: '5ms', stable: '1s' } };
    const wrong = box.bridge(upstreamConfig({ ...section, password: 'wrong' }));
    wrong.start();
    const [fire] = await box.journal.append([raised(1).draft]);
    await until(() => wrong.state().attempts > 200, 'it keeps trying');
    expect(wrong.state()).toMatchObject({ connected: false, waiting: 1, connections: 0 });
    expect(wrong.state().error).toMatch(/Bad|Not authorized|Connection refused/i);
    expect(wrong.state().error).toMatch(/upstream.password/);
    await wrong.stop();
    const right = box.bridge(upstreamConfig({ ...section, password: 'right' }));
    right.start();
    await until(() => reader.events().length === 1, 'the alarm');
    expect(reader.events()[0]?.event.id).toBe(fire?.id);
    await until(() => right.state().waiting === 0, 'confirmed');
    expect(right.state().error).toBeNull();
  });
});

describe('the centre’s broker', () => {
  test('restarted twenty times is connected to again each time, without a leak of sockets or timers', async () => {
    const centre = await Centre.start();
    const reader = await Reader.connect(centre.port);
    const box = await openBox();
    const bridge = box.bridge(
      upstreamConfig({ url: centre.url, backoff: { min: '10ms', max: '30ms', stable: '10s' } }),
    );
    bridge.start();
    for (let restart = 0; restart < 20; restart += 1) {
      await until(() => bridge.state().connected && reader.connected, 'connected');
      const { id } = (await box.journal.append([raised(1).draft]))[0] ?? { id: '' };
      await until(() => reader.events().some(({ event }) => event.id === id), `the alarm after restart ${restart}`);
      await centre.stop();
      await centre.start();
    }
    await until(() => bridge.state().connected, 'connected');
    expect(bridge.state().connections).toBe(21);
    const sockets = process.getActiveResourcesInfo().filter((what) => what === 'TCPSocketWrap');
    expect(sockets.length).toBeLessThanOrEqual(3);
  });

  test('one whose certificate nobody we trust has signed is not talked to', async () => {
    const dir = dataDir();
    const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'ignore' });
    for (const name of ['centre', 'other']) {
      openssl(
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-days',
        '2',
        '-keyout',
        `${name}.key`,
        '-out',
        `${name}.crt`,
        '-subj',
        '/CN=localhost',
        '-addext',
        'subjectAltName=DNS:localhost',
      );
    }
    const centre = await Centre.start({
      access: ['allow_anonymous true', `certfile ${join(dir, 'centre.crt')}`, `keyfile ${join(dir, 'centre.key')}`],
    });
    const box = await openBox();
    const url = `mqtts://localhost:${centre.port}`;
    await box.journal.append([raised(1).draft]);
    const wary = box.bridge(upstreamConfig({ url, ca: join(dir, 'other.crt') }));
    wary.start();
    await until(() => wary.state().attempts > 3, 'it keeps trying');
    expect(wary.state()).toMatchObject({ connected: false, waiting: 1 });
    expect(wary.state().error).toMatch(/certificate/i);
    await wary.stop();
    const trusting = box.bridge(upstreamConfig({ url, ca: join(dir, 'centre.crt') }));
    trusting.start();
    await until(() => trusting.state().waiting === 0, 'the alarm is taken');
    await trusting.stop();
    const mistaken = box.bridge(upstreamConfig({ url, ca: join(dir, 'missing.crt') }));
    mistaken.start();
    await pause(50);
    expect(mistaken.state().error).toMatch(/missing\.crt: cannot read a certificate/);
  });

  test('one that limits what may be unconfirmed (MQTT 5) is not sent more', async () => {
    const centre = await Centre.start({ access: ['allow_anonymous true', 'max_inflight_messages 3'] });
    const reader = await Reader.connect(centre.port);
    const box = await openBox();
    await box.journal.append(Array.from({ length: 2_000 }, (_, n) => (n % 3 === 0 ? raised(1).draft : passage(n))));
    const bridge = box.bridge(upstreamConfig({ url: centre.url, protocol: '5', inflight: 100 }));
    bridge.start();
    await until(() => reader.events().length === 2_000, 'all has arrived');
    expect(bridge.state()).toMatchObject({ connections: 1, counts: { resent: 0 } });
  });

  test('one that has nobody to give an event to says so (MQTT 5), and it is counted', async () => {
    const centre = await Centre.start();
    const box = await openBox();
    const bridge = box.bridge(upstreamConfig({ url: centre.url, protocol: '5' }));
    bridge.start();
    await until(() => bridge.state().connected, 'connected');
    await box.journal.append([raised(1).draft]);
    await until(() => bridge.state().counts.unheard === 1, 'nobody heard it');
    await Reader.connect(centre.port);
    await box.journal.append([raised(1).draft]);
    await until(() => bridge.state().counts.confirmed === 2, 'confirmed');
    expect(bridge.state().counts.unheard).toBe(1);
  });
});

describe('a broker that refuses us what we want to read', () => {
  test('is told in words, and sent to all the same', async () => {
    const broker = await Aedes.createBroker({
      authorizeSubscribe: (_client, subscription, callback) =>
        callback(null, subscription.topic.endsWith('/receipt') ? null : subscription),
    });
    const port = await freePort();
    const server = createServer(broker.handle).listen(port, '127.0.0.1');
    onTestFinished(() => {
      broker.close();
      server.close();
    });
    const taken: string[] = [];
    broker.on('publish', ({ topic }) => taken.push(topic));
    const box = await openBox();
    const bridge = box.bridge(upstreamConfig({ url: `mqtt://127.0.0.1:${port}`, confirm: 'receipt' }));
    bridge.start();
    await until(() => bridge.state().connected, 'connected');
    expect(bridge.state().error).toBe(
      'the centre’s broker does not let us read quanwei/v1/longquan/spring-garden/receipt',
    );
    await box.journal.append([raised(1).draft]);
    await until(() => taken.includes('quanwei/v1/longquan/spring-garden/event/fire.button'), 'the alarm');
  });
});

describe('a slow line', () => {
  /** A cable that lets so many bytes a second through towards the centre, and holds no more than it must. */
  async function slowCable(to: number, bytesPerSecond: number): Promise<number> {
    const port = await freePort();
    const server = createServer({ highWaterMark: 1_024 }, (near) => {
      const far = new (near.constructor as typeof Socket)().connect(to, '127.0.0.1');
      far.on('error', () => undefined).pipe(near.on('error', () => undefined));
      const timer = setInterval(() => {
        const chunk: Buffer | null = near.read(Math.floor(bytesPerSecond / 50)) ?? near.read();
        if (chunk !== null) far.write(chunk);
      }, 20);
      near.on('close', () => {
        clearInterval(timer);
        far.destroy();
      });
    }).listen(port, '127.0.0.1');
    onTestFinished(() => void server.close());
    return port;
  }

  test('a fire alarm overtakes the backlog on it within a second', async () => {
    const centre = await Centre.start();
    const reader = await Reader.connect(centre.port);
    const box = await openBox();
    await box.journal.append(Array.from({ length: 2_000 }, (_, n) => passage(n)));
    const port = await slowCable(centre.port, 30_000);
    const bridge = box.bridge(upstreamConfig({ url: `mqtt://127.0.0.1:${port}`, inflight: 100 }));
    bridge.start();
    await until(() => reader.events().length > 150, 'the line is full', 30_000);
    expect(bridge.state().window).toBeLessThan(50);
    const pressed = performance.now();
    const { id } = (await box.journal.append([raised(1).draft]))[0] ?? { id: '' };
    await until(() => reader.events().some(({ event }) => event.id === id), 'the fire alarm');
    const took = (reader.events().find(({ event }) => event.id === id)?.at ?? Infinity) - pressed;
    expect(took).toBeLessThan(1_000);
    expect(bridge.state().connections).toBe(1);
  }, 60_000);
});

import { expect, test } from 'vitest';
import { SimulatedClock } from '../../src/kernel/clock.ts';
import { device, SECRET, secretHash, startBox, until } from './box.ts';
import { enter, RawClient } from './client.ts';

const code = async (port: number, username: string | null, more: Parameters<RawClient['login']>[1] = {}) => {
  const client = await RawClient.open(port);
  const connack = await client.login(username, more);
  if (connack?.returnCode !== 0) await client.ended();
  return connack?.returnCode;
};

test('a device enters with its id and its secret', async () => {
  const box = await startBox();
  await enter(box.port, 'door-1');
  expect(box.broker.connected('door-1')).toBe(true);
  expect(box.broker.connections()).toMatchObject([{ device: 'door-1', clientId: 'door-1', address: '127.0.0.1' }]);
});

test('nobody enters without a login', async () => {
  const box = await startBox();
  expect(await code(box.port, null)).toBe(5);
  expect(box.broker.stats().refused['no-login']).toBe(1);
});

test('an unknown user and a wrong secret get the same answer', async () => {
  const box = await startBox();
  expect(await code(box.port, 'nobody')).toBe(4);
  expect(await code(box.port, 'door-1', { password: Buffer.from('wrong') })).toBe(4);
  expect(await code(box.port, 'door-1', { password: Buffer.alloc(10_000, 'x') })).toBe(4);
  expect(box.broker.stats().refused).toMatchObject({ unknown: 1, 'wrong-secret': 2 });
});

test('an unknown user is listed for a person to decide, under a name that can be a device id only', async () => {
  const box = await startBox();
  await code(box.port, 'new-door');
  await code(box.port, '<script>alert(1)</script>');
  await until(() => box.registry.candidates.length > 0);
  expect(box.registry.candidates).toMatchObject([{ via: null, key: 'new-door' }]);
});

test('a disabled device is refused even with its secret', async () => {
  const box = await startBox({ devices: [device('door-1', { secretHash: secretHash(), enabled: false })] });
  expect(await code(box.port, 'door-1')).toBe(5);
});

test('a device without a secret, or behind a hub, has no login', async () => {
  const hash = secretHash();
  const box = await startBox({ devices: [device('mute'), device('child', { secretHash: hash, hub: 'hub-1' })] });
  expect(await code(box.port, 'mute')).toBe(4);
  expect(await code(box.port, 'child')).toBe(5);
});

test('another MQTT than 3.1 and 3.1.1 is answered with return code 1', async () => {
  const box = await startBox();
  expect(await code(box.port, 'door-1', { protocolVersion: 5, properties: {} } as never)).toBe(1);
  expect(await code(box.port, 'door-1', { protocolVersion: 3, protocolId: 'MQIsdp' })).toBe(0);
});

test('a client without a name may enter, but not be remembered [MQTT-3.1.3-8]', async () => {
  const box = await startBox();
  expect(await code(box.port, 'door-1', { clientId: '', clean: true })).toBe(0);
  expect(await code(box.port, 'door-1', { clientId: '', clean: true })).toBe(0);
  expect(box.broker.connections()).toHaveLength(2);
  expect(await code(box.port, 'door-1', { clientId: '', clean: false })).toBe(2);
});

test('a client id of 300 characters is refused as such', async () => {
  const box = await startBox();
  expect(await code(box.port, 'door-1', { clientId: 'x'.repeat(300) })).toBe(2);
});

test('refused logins are recorded, but not a flood of them', async () => {
  const box = await startBox();
  for (let i = 0; i < 15; i++) await code(box.port, 'door-1', { password: Buffer.from(`guess ${i}`) });
  await until(() => box.journal.read({ after: 0, limit: 100, kinds: ['session.refused'] }).length >= 10);
  const entries = box.journal.read({ after: 0, limit: 100, kinds: ['session.refused'] });
  expect(entries).toHaveLength(10);
  expect(entries[0]).toMatchObject({ subject: 'door-1', body: { user: 'door-1', why: 'wrong-secret' } });
  expect(JSON.stringify(entries)).not.toContain('guess');
});

test('a second connection with the same client id takes over from the first [MQTT-3.1.4-2]', async () => {
  const box = await startBox();
  const first = await enter(box.port, 'door-1');
  const second = await enter(box.port, 'door-1');
  await first.ended();
  await second.published('dev/door-1/said', 'still here');
  expect(box.broker.connections()).toHaveLength(1);
});

test("another device's client id takes over nothing: neither its connection nor its session", async () => {
  const box = await startBox();
  const door = await enter(box.port, 'door-1', { clientId: 'esp32', clean: false });
  await door.subscribe(['dev/door-1/#']);
  await door.kill();
  await box.broker.send('door-1', { topic: 'dev/door-1/cmd', payload: 'for the door only', qos: 1, retain: false });

  const thief = await RawClient.open(box.port);
  const connack = await thief.login('button-1', { clientId: 'esp32', clean: false });
  expect(connack).toMatchObject({ returnCode: 0, sessionPresent: false });
  const back = await enter(box.port, 'door-1', { clientId: 'esp32', clean: false });
  await until(() => back.texts.length > 0);
  expect(back.texts).toEqual(['for the door only']);
  expect(thief.texts).toEqual([]);
  expect(thief.closed).toBe(false);
});

test('a thousand wrong passwords cost ten checks, and the device that was let in before still gets in', async () => {
  const clock = new SimulatedClock();
  let checks = 0;
  const box = await startBox({ clock });
  await (await enter(box.port, 'door-1')).disconnect();
  const { Identity } = await import('../../src/broker/identity.ts');
  const { checkSecret } = await import('../../src/devices/secret.ts');
  const identity = new Identity({
    registry: box.registry,
    ca: null,
    clock,
    loginAttempts: 10,
    checkSecret: (secret, hash) => {
      checks += 1;
      return checkSecret(secret, hash);
    },
    nobodysHash: secretHash(),
  });
  const claim = (password: string, address: string, username = 'door-1') => ({
    username,
    password: Buffer.from(password),
    address,
    certificate: null,
    gone: () => false,
  });
  expect(await identity.verify(claim(SECRET, '10.0.0.1'))).toMatchObject({ device: { id: 'door-1' } });
  checks = 0;
  const verdicts = await Promise.all(
    Array.from({ length: 1_000 }, (_, i) => identity.verify(claim(`wrong ${i}`, '10.0.0.9'))),
  );
  expect(checks).toBeLessThanOrEqual(11);
  const refused = verdicts.map((verdict) => ('refused' in verdict ? verdict.refused : 'let in'));
  expect(new Set(refused)).toEqual(new Set(['wrong-secret', 'too-many-attempts']));
  // The right secret, even from the attacker's address: it costs no check.
  const counted = checks;
  expect(await identity.verify(claim(SECRET, '10.0.0.9'))).toMatchObject({ device: { id: 'door-1' } });
  expect(checks).toBe(counted);
  // Another address may still try another device; and a minute later the first one may again.
  expect(await identity.verify(claim('wrong', '10.0.0.2', 'button-1'))).toMatchObject({ refused: 'wrong-secret' });
  expect(await identity.verify(claim(SECRET, '10.0.0.9', 'button-1'))).toMatchObject({ refused: 'too-many-attempts' });
  clock.advance(60_000);
  expect(await identity.verify(claim(SECRET, '10.0.0.9', 'button-1'))).toMatchObject({ device: { id: 'button-1' } });
});

test('the same over the network: a thousand wrong passwords, and everybody else goes on', async () => {
  const box = await startBox();
  const button = await enter(box.port, 'button-1');
  const codes = await Promise.all(
    Array.from({ length: 1_000 }, async (_, i) => {
      const client = await RawClient.open(box.port, '127.0.0.2');
      const connack = await client.login('door-1', { clientId: `c${i}`, password: Buffer.from(`wrong ${i}`) });
      await client.ended();
      return connack?.returnCode ?? null;
    }),
  );
  expect(codes.filter((returned) => returned === 0)).toEqual([]);
  expect(codes.filter((returned) => returned === 4).length).toBeLessThanOrEqual(11);
  await button.published('dev/button-1/said', 'fire');
  expect(box.intake.texts).toEqual(['fire']);
  expect(box.broker.stats().sockets).toBe(1);
});

test('a connection is closed when its device is removed, disabled or given another secret', async () => {
  const clock = new SimulatedClock();
  const hash = secretHash();
  const box = await startBox({ clock, devices: ['gone', 'off', 'changed', 'stays'] });
  const clients = new Map(
    await Promise.all(['gone', 'off', 'changed', 'stays'].map(async (id) => [id, await enter(box.port, id)] as const)),
  );
  box.registry.devices.delete('gone');
  box.registry.devices.set('off', device('off', { secretHash: hash, enabled: false }));
  box.registry.devices.set('changed', device('changed', { secretHash: 'scrypt$1$1$1$a$b' }));
  clock.advance(10_000);
  for (const id of ['gone', 'off', 'changed']) await clients.get(id)?.ended();
  expect(clients.get('stays')?.closed).toBe(false);
  expect(box.broker.stats().dropped.overruled).toBe(3);
});

test('a device disabled on the page is out at once', async () => {
  const box = await startBox();
  const door = await enter(box.port, 'door-1');
  box.registry.change(device('door-1', { secretHash: secretHash(), enabled: false }));
  await door.ended();
});

test('a fire button does not stand in line behind the doors', async () => {
  const box = await startBox({ devices: [...Array.from({ length: 50 }, (_, i) => `door-${i}`), 'button-1'] });
  box.registry.urgent.add('button-1');
  const order: string[] = [];
  const { Identity } = await import('../../src/broker/identity.ts');
  const identity = new Identity({
    registry: box.registry,
    ca: null,
    clock: new SimulatedClock(),
    loginAttempts: 10,
    checkSecret: async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return true;
    },
    nobodysHash: secretHash(),
  });
  await Promise.all(
    [...box.registry.devices.keys()].map(async (username) => {
      await identity.verify({
        username,
        password: Buffer.from(SECRET),
        address: '10.0.0.1',
        certificate: null,
        gone: () => false,
      });
      order.push(username);
    }),
  );
  expect(order).toHaveLength(51);
  expect(order.indexOf('button-1')).toBeLessThan(5);
});

test('two thousand devices connect, speak and are heard', { timeout: 120_000 }, async () => {
  const hash = secretHash();
  const ids = Array.from({ length: 2_000 }, (_, i) => `door-${i}`);
  const box = await startBox({
    devices: ids.map((id) => device(id, { secretHash: hash })),
  });
  const clients = [];
  for (let at = 0; at < ids.length; at += 200) {
    clients.push(...(await Promise.all(ids.slice(at, at + 200).map((id) => enter(box.port, id)))));
  }
  expect(box.broker.stats()).toMatchObject({ clients: 2_000, devices: 2_000, sockets: 2_000 });
  await Promise.all(clients.map((client, i) => client.published(`dev/door-${i}/said`, `hello ${i}`)));
  expect(box.intake.messages).toHaveLength(2_000);

  // They all come back at once; that no secret is checked again is shown above, where checks are counted.
  await Promise.all(clients.map((client) => client.kill()));
  await until(() => box.broker.stats().clients === 0);
  await Promise.all(ids.map((id) => enter(box.port, id)));
  expect(box.broker.stats().clients).toBe(2_000);
});

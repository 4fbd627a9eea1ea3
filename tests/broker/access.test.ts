import { expect, test } from 'vitest';
import { device, secretHash, startBox, until } from './box.ts';
import { enter } from './client.ts';

const unknowns = (journal: {
  read: (o: { after: number; limit: number; kinds: ['unknown'] }) => { body: unknown }[];
}) => journal.read({ after: 0, limit: 1_000, kinds: ['unknown'] });

test('a door cannot publish as a button: recorded, closed, and nobody hears of it', async () => {
  const box = await startBox();
  const button = await enter(box.port, 'button-1');
  await button.subscribe(['dev/button-1/#']);
  const door = await enter(box.port, 'door-1');
  await expect(door.published('dev/button-1/said', 'fire!')).rejects.toThrow('connection closed');
  expect(box.intake.messages).toEqual([]);
  expect(button.texts).toEqual([]);
  expect(unknowns(box.journal)).toMatchObject([
    { subject: 'door-1', actor: 'device:door-1', body: { topic: 'dev/button-1/said', bytes: 5 } },
  ]);
  expect(box.broker.stats().dropped['not-allowed']).toBe(1);
});

test('said again it is acknowledged, so that one wrong topic does not keep a button from being heard', async () => {
  const box = await startBox();
  const first = await enter(box.port, 'button-1', { clean: false });
  first.publish('tele/button-1/STATE', 'uptime', { messageId: 1 });
  first.publish('dev/button-1/said', 'fire!', { messageId: 2 });
  await first.ended();
  const back = await enter(box.port, 'button-1', { clean: false });
  back.publish('tele/button-1/STATE', 'uptime', { messageId: 1, dup: true });
  back.publish('dev/button-1/said', 'fire!', { messageId: 2, dup: true });
  await until(() => back.of('puback').length === 2);
  expect(box.intake.texts).toContain('fire!');
  expect(unknowns(box.journal)).toHaveLength(1);
});

test('QoS 0 outside its topics is dropped and the connection stays', async () => {
  const box = await startBox();
  const door = await enter(box.port, 'door-1');
  for (let i = 0; i < 100; i++) door.publish('dev/button-1/said', `no ${i}`, { qos: 0 });
  await door.published('dev/door-1/said', 'mine');
  expect(box.intake.texts).toEqual(['mine']);
  await until(() => box.broker.stats().dropped['not-allowed'] === 100);
  // A flood of them is counted, not kept.
  await until(() => unknowns(box.journal).length === 20);
});

test('a forbidden message is only acknowledged when it is on disk', async () => {
  const box = await startBox();
  const append = box.journal.append.bind(box.journal);
  box.journal.append = () => Promise.reject(new Error('the disk is full'));
  for (let i = 0; i < 2; i++) {
    const door = await enter(box.port, 'door-1');
    await expect(door.published('dev/button-1/said', 'same')).rejects.toThrow('connection closed');
  }
  box.journal.append = append;
  const door = await enter(box.port, 'door-1');
  await expect(door.published('dev/button-1/said', 'same')).rejects.toThrow('connection closed');
  const back = await enter(box.port, 'door-1');
  await back.published('dev/button-1/said', 'same');
  expect(unknowns(box.journal)).toHaveLength(1);
});

test('a subscription outside its topics is answered with 0x80, the others with what they asked for', async () => {
  const box = await startBox();
  const door = await enter(box.port, 'door-1');
  expect(await door.subscribe(['dev/door-1/#', 'dev/button-1/#', 'dev/+/cmd', '#', 'yard/+'])).toEqual([
    1, 128, 128, 128, 1,
  ]);
  expect(box.broker.stats().dropped.subscription).toBe(3);
});

test('$SYS and shared subscriptions are nobody’s', async () => {
  const box = await startBox();
  const door = await enter(box.port, 'door-1');
  expect(await door.subscribe(['$SYS/#', '$SYS/+/new/clients', '$share/g/yard/#', '+/+/new/clients'])).toEqual([
    128, 128, 128, 128,
  ]);
  await expect(door.published('$SYS/x/new/clients', 'x')).rejects.toThrow('connection closed');
});

test('a refused filter is not remembered with the rest of its packet', async () => {
  const box = await startBox();
  const door = await enter(box.port, 'door-1', { clean: false });
  expect(await door.subscribe(['dev/button-1/#', 'yard/#'])).toEqual([128, 1]);
  await door.kill();
  const button = await enter(box.port, 'button-1');
  await button.published('dev/button-1/said', 'secret');
  await button.published('yard/bell', 'for all');
  const back = await enter(box.port, 'door-1', { clean: false });
  await until(() => back.texts.length > 0);
  expect(back.texts).toEqual(['for all']);
});

test('a device that is given other topics hears and says nothing more on the old ones', async () => {
  const box = await startBox();
  const door = await enter(box.port, 'door-1', { clean: false });
  await door.subscribe(['dev/door-1/#']);
  await door.published('dev/door-1/said', 'before');
  box.registry.devices.set('door-1', device('door-1', { secretHash: secretHash(), params: { name: 'gate' } }));
  await box.broker.recheck();
  await door.published('dev/gate/said', 'after');
  await expect(door.published('dev/door-1/said', 'old')).rejects.toThrow('connection closed');
  expect(door.texts).toEqual(['before']);
  // Nor does it after a reconnect, although the old subscription was remembered.
  const back = await enter(box.port, 'door-1', { clean: false });
  expect(await back.subscribe(['dev/door-1/#'])).toEqual([128]);
});

test('a hub may publish its own topics only', async () => {
  const box = await startBox({
    devices: [
      device('hub-1', { profile: 'hub', secretHash: secretHash() }),
      device('door-1', { secretHash: secretHash() }),
    ],
  });
  const hub = await enter(box.port, 'hub-1');
  await hub.published('hub/hub-1/child', 'fine');
  await expect(hub.published('dev/door-1/said', 'not mine')).rejects.toThrow('connection closed');
  expect(box.intake.texts).toEqual(['fine']);
});

test('a device whose profile is gone may enter and do nothing', async () => {
  const box = await startBox({ devices: [device('odd', { profile: 'no-such-profile', secretHash: secretHash() })] });
  const odd = await enter(box.port, 'odd');
  expect(await odd.subscribe(['dev/odd/#'])).toEqual([128]);
  await expect(odd.published('dev/odd/said', 'x')).rejects.toThrow('connection closed');
});

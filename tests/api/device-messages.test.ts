import { expect, test } from 'vitest';
import { LoadClient } from '../support/mqtt-load.ts';
import { Box } from './box.ts';

interface Page {
  messages: {
    seq: number;
    understood: boolean;
    raw: string;
    reason: string | null;
    message: string | null;
    events: { category: string; detail: Record<string, unknown> }[];
    reading: { understood: boolean; why: string | null; message: string | null; same: boolean } | null;
  }[];
}

test('what a device said is shown raw, as read and as what came of it; pictures and numbers of people are not in it', async () => {
  const box = await Box.start();
  const [manager, guard] = [await box.person('manager'), await box.person('operator', 'guard')];
  const { secret } = await box.registry.register({ id: 'face-1', profile: 'face-oem-mqtt' }, 'system');
  const door = await LoadClient.connect({
    port: box.mqttPort,
    clientId: 'face-1',
    username: 'face-1',
    password: secret ?? '',
  });
  const info = {
    customId: '',
    personId: '3',
    RecordID: '2',
    VerifyStatus: '1',
    PersonType: '0',
    similarity1: '83.000000',
    Sendintime: 1,
    personName: '王小明',
    facesluiceId: 'face-1',
    idCard: '11010119900101',
    time: '2026-11-26 09:43:25',
    pic: `data:image/jpeg;base64,${'A'.repeat(9_000)}`,
  };
  const sent = new Promise<void>((resolve) => {
    let acked = 0;
    door.onAck = () => {
      acked += 1;
      if (acked === 2) resolve();
    };
  });
  door.publish('mqtt/face/face-1/Rec', JSON.stringify({ operator: 'RecPush', info }), 'record');
  door.publish('mqtt/face/face-1/Rec', '{"operator":"SomethingNew","info":{"idCard":"11010119900101"}}', 'unknown');
  await sent;
  door.end();

  const { status, body } = await manager.get<Page>('/api/devices/face-1/messages');
  expect(status).toBe(200);
  const record = body.messages.find(({ understood }) => understood);
  const unknown = body.messages.find(({ understood }) => !understood);
  expect(record).toMatchObject({
    understood: true,
    message: 'RecPush',
    events: [{ category: 'access.granted', detail: { person: '王小明' } }],
    reading: { understood: true, message: 'RecPush', same: true },
  });
  expect(unknown).toMatchObject({ understood: false, reading: { understood: false, same: true } });
  expect(unknown?.reason).toContain('face-oem-mqtt');
  expect(JSON.stringify(body)).not.toContain('11010119900101');
  expect(JSON.stringify(body)).not.toContain('AAAA');

  const [newest, oldest] = body.messages.map(({ seq }) => seq);
  const older = await manager.get<Page>(`/api/devices/face-1/messages?before=${newest}&limit=1`);
  expect(older.body.messages.map(({ seq }) => seq)).toEqual([oldest]);
  expect((await guard.get('/api/devices/face-1/messages')).status).toBe(403);
  expect((await manager.get('/api/devices/nobody/messages')).status).toBe(404);
});

test('a model is told with what it understands and with its samples', async () => {
  const box = await Box.start();
  const viewer = await box.person('viewer');
  const { body } = await viewer.get('/api/profiles/zigbee-sos-button');
  expect(body).toMatchObject({
    behindHub: true,
    silence: { silentAfter: 26 * 3_600_000 },
    messages: expect.arrayContaining([
      expect.objectContaining({ name: 'availability', topics: ['{topic}/availability'] }),
    ]),
    samples: expect.arrayContaining([
      expect.objectContaining({ events: [expect.objectContaining({ category: 'sos' })] }),
    ]),
  });
  expect((await viewer.get('/api/profiles/nobody-makes-it')).status).toBe(404);
});

import { Box, type Person } from '../api/box.ts';
import { LoadClient } from '../support/mqtt-load.ts';
import { addPlan, detectors, placeAll } from './plan.ts';
import { film, vision } from './vision.ts';

/** What a device may call itself. */
export const EVIL = '<img src=x onerror=alert(1)>';
export const LONG =
  '泉水花园三期东区地下二层人防工程北侧消防控制室旁第一百二十三号独立式光电感烟火灾探测报警器（含手动报警按钮）备用编号甲乙丙丁戊';
export const NINETEEN = '1234567890123456789';

export interface UglyBox {
  readonly box: Box;
  /** One alarm of level 1. */
  readonly alarm: string;
}

/** A box on which everything that can be awkward to show is there: names, numbers, every level and state of an alarm, doors, people, a plan, a camera. */
export async function uglyBox(): Promise<UglyBox> {
  const names = [EVIL, LONG, '烟感'];
  const { picture, settings, parts } = await vision(film());
  picture.put({ width: 1, height: 1, data: new Uint8Array(3) }, Date.now());
  const box = await Box.start({
    parts,
    settings: {
      cameras: settings.cameras.map((camera) => ({ ...camera, name: EVIL, place: LONG })),
      devices: [
        ...detectors(9, (n) => names[n % 3] as string),
        { id: NINETEEN, profile: 'esphome-lock', name: EVIL, place: LONG, secret: 'secret-of-the-lock' },
        { id: 'face-1', profile: 'face-oem-mqtt', name: LONG, place: EVIL, secret: 'secret-of-the-face' },
      ],
    },
  });
  const admin = await box.signIn();
  const alarm = await raiseAlarms(box, admin);
  await openDoors(box);
  await box.accounts.create({ name: '李队', display: EVIL, role: 'operator' }, 'system');
  box.registry.candidate({ via: null, key: LONG.slice(0, 40), hint: EVIL });
  box.registry.candidate({ via: 'hub', key: EVIL, hint: LONG });
  const plan = await addPlan(admin, LONG);
  await placeAll(admin, plan, 9);
  const points = [
    [0.1, 0.1],
    [0.4, 0.1],
    [0.4, 0.4],
  ];
  await admin.post(`/api/plans/${plan}/areas`, { name: EVIL, points, opens: null });
  return { box, alarm };
}

/** Of each level, in each state a person can bring it to. @returns the id of one of level 1 */
async function raiseAlarms(box: Box, admin: Person): Promise<string> {
  const fire = await box.say('smoke-0', 'fire.smoke', { kind: 'level', detail: { rule: EVIL } }, EVIL);
  await box.say('smoke-1', 'sos', {}, LONG);
  await box.say(NINETEEN, 'door.forced', {}, EVIL);
  await box.say(NINETEEN, 'door.held', { kind: 'level' }, EVIL);
  await box.say('smoke-2', 'battery.low', {}, LONG);
  await box.say('smoke-3', 'fire.smoke', { test: true }, EVIL);
  await box.say('smoke-4', 'intrusion.climb', { replayed: true, detail: { rule: EVIL, zone: LONG } }, LONG);
  const deeds = [
    ['acknowledge', {}],
    ['accept', {}],
    ['dispatch', { to: EVIL }],
    ['note', { note: LONG }],
    ['handle', { result: EVIL }],
    ['close', {}],
  ] as const;
  for (let upTo = 1; upTo <= deeds.length; upTo += 1) {
    const { id } = await box.say(`smoke-${2 + upTo}`, 'intrusion.line', { detail: { rule: EVIL } }, EVIL);
    for (const [deed, body] of deeds.slice(0, upTo)) await admin.post(`/api/alarms/${id}/${deed}`, body);
  }
  return fire.id;
}

/** Somebody passes a face door; a lock is asked to open and is not there. */
async function openDoors(box: Box): Promise<void> {
  const face = await LoadClient.connect({
    port: box.mqttPort,
    clientId: 'face-1',
    username: 'face-1',
    password: 'secret-of-the-face',
  });
  for (const [n, personName] of [EVIL, LONG, '王小明'].entries()) {
    const info = {
      ...{ customId: NINETEEN, personId: String(n), RecordID: String(n), VerifyStatus: '1', PersonType: '0' },
      ...{ similarity1: '83.0', Sendintime: 1, personName, facesluiceId: 'face-1', PushType: 0 },
      ...{ idCard: NINETEEN, telnum: ' ', time: new Date().toISOString().slice(0, 19).replace('T', ' ') },
    };
    await face.published('mqtt/face/face-1/Rec', JSON.stringify({ operator: 'RecPush', info }));
  }
  face.end();
  const admin = await box.signIn();
  await admin.post(`/api/doors/${NINETEEN}/open`, { reason: EVIL });
}

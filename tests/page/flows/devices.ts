import { expect } from 'vitest';
import { EVIL } from '../ugly.ts';
import { answer, go, shot, sound, type Visitor } from './visitor.ts';

/** The life of a device: added, heard, tried out, read, taken away; and one that nobody has registered. */

export async function added({ admin, look, compound }: Visitor): Promise<void> {
  const id = `new-${look.n}`;
  await go(admin, '#/devices');
  await admin.click('a[href="#/devices/-/add"]');
  await admin.waitForSelector('[data-model]');
  await admin.fill('input[type=search]', 'tasmota');
  await admin.click('[data-model=tasmota-contact]');
  await admin.fill('#add-id', id);
  await admin.fill('#add-name', EVIL);
  await admin.fill('#add-place', '5号楼/1层');
  await admin.click('form.details button.main');
  await admin.waitForSelector('[data-sign=waiting]');
  await shot(admin, look, 'device-credentials');
  const told = async (name: string) => (await admin.textContent(`[data-copy=${name}] code`)) ?? '';
  expect([await told('port'), await told('user')]).toEqual([String(compound.mqttPort), id]);
  await compound.login(id, await told('secret'));
  await admin.waitForSelector('[data-sign=connected]');
  await compound.say(id, `tele/${id}/LWT`, 'Online');
  await admin.waitForSelector('[data-sign=heard]');
  await go(admin, '#/devices');
  await admin.fill('input[type=search]', id);
  await admin.locator(`[data-device=${id}]`, { hasText: EVIL }).waitFor();
  expect(await admin.locator('[data-device]').count()).toBe(1);
  expect(await sound(admin)).toEqual([]);
  await shot(admin, look, 'devices');
}

/** A press while it is tried out is practice; what it said is read raw, decoded and as what came of it. */
export async function tried({ admin, look, compound }: Visitor): Promise<void> {
  const id = `new-${look.n}`;
  await admin.click(`[data-device=${id}]`);
  await admin.selectOption('#test-minutes', '2');
  await admin.click('[data-deed=begin-test]');
  await admin.waitForSelector('[data-test=waiting]');
  await compound.say(id, `stat/${id}/RESULT`, { Button1: { Action: 'SINGLE' }, Name: EVIL });
  await admin.waitForSelector('[data-test=heard]');
  expect(await admin.locator('.takeover, [data-banner=ringing]').count()).toBe(0);
  await admin.click('[data-deed=end-test]');
  await admin.waitForSelector('[data-test=passed]');
  const message = admin.locator('[data-message]').first();
  await message.locator('summary').click();
  await message.locator('[data-category="fire.button"]').waitFor();
  expect(await message.locator('pre').textContent()).toContain(EVIL);
  expect(await sound(admin)).toEqual([]);
  await shot(admin, look, 'device');
  const { entries } = (
    await compound.admin.get<{ entries: { body: { alarm: { drill: boolean } } }[] }>(
      `/api/journal?kinds=alarm.raised&order=newest&limit=1`,
    )
  ).body;
  expect(entries[0]?.body.alarm.drill).toBe(true);
  await admin.click('[data-deed=remove]');
  await admin.locator('dialog .quick button').first().click();
  await answer(admin);
  await admin.waitForURL(/#\/devices$/);
}

/** A detector that nobody registered speaks through the hub; it is registered as what it looks like. */
export async function found({ admin, look, compound }: Visitor): Promise<void> {
  const key = `厨房${look.n} 烟感`;
  await compound.say('hub-1', `zigbee2mqtt/${key}`, { smoke: false, battery: 90 });
  await go(admin, '#/devices/-/waiting');
  await admin.locator(`[data-candidate="${key}"]`).waitFor();
  await shot(admin, look, 'device-waiting');
  await admin.click(`[data-candidate="${key}"] a`);
  await admin.waitForSelector('#add-id');
  expect(await admin.inputValue('#param-key')).toBe(key);
  await admin.fill('#add-id', `kitchen-${look.n}`);
  await admin.click('form.details button.main');
  await admin.waitForSelector('[data-sign=waiting]');
  await compound.say('hub-1', `zigbee2mqtt/${key}`, { smoke: false, battery: 89 });
  await admin.waitForSelector('[data-sign=heard]');
  await go(admin, '#/devices/-/models/face-oem-mqtt');
  await admin.click('.sample summary >> nth=3');
  await admin.waitForSelector('.sample[open] [data-category="access.granted"]');
  await shot(admin, look, 'device-model');
}

import type { Page } from 'playwright-core';
import { afterAll, describe, expect, test } from 'vitest';
import { parseJson } from '../../src/devices/json.ts';
import { messageOf } from '../../src/kernel/errors.ts';
import { ADMIN, Box, PASSWORD } from '../api/box.ts';
import { LoadClient } from '../support/mqtt-load.ts';
import { canBrowse, closeBrowser, signIn, visit } from './browser.ts';

const EVIL = '<img src=x onerror=alert(1)>';
const LONG_ID = '1234567890123456789';
const PHONE = { width: 390, height: 844 };

async function enter(
  box: Box,
  size?: { width: number; height: number },
  who = 'admin',
  password = ADMIN,
  expected?: RegExp,
) {
  const { page } = await visit(box, size, expected);
  await signIn(page, who, password);
  await page.waitForSelector('[data-pill=live].good');
  return page;
}
const go = (page: Page, hash: string) => page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
const width = (page: Page) => page.evaluate<number>('document.documentElement.scrollWidth');
const soon = <T>(look: () => T) => expect.poll(look, { timeout: 10_000 });
const names = (page: Page) => page.locator('[data-device] b').allTextContents();

/** A hub and buttons behind it: those have no secret, and cost no hashing. */
async function compound(buttons: number): Promise<Box> {
  const box = await Box.start({
    settings: { devices: [{ id: 'manual-1', profile: 'tasmota-contact', name: '手报', secret: 'device-secret-1' }] },
  });
  const { registry } = box;
  await registry.register({ id: 'hub-1', profile: 'zigbee2mqtt-hub', name: '一期中心', place: '1号楼' }, 'system');
  for (let n = 1; n <= buttons; n += 1) {
    const device = {
      id: `sos-${n}`,
      profile: 'zigbee-sos-button',
      name: `${n} 号楼按钮`,
      place: `${n}号楼/1层`,
      hub: 'hub-1',
    };
    await registry.register(device, 'system');
  }
  const now = Date.now();
  for (const { id } of registry.all()) registry.note(id, now, { online: true });
  return box;
}

/** What the gateway itself says against such a message. */
function whyUnread(payload: string): string {
  try {
    parseJson(payload);
  } catch (thrown) {
    return messageOf(thrown);
  }
  return '';
}

describe.runIf(canBrowse())('the room of the devices', () => {
  afterAll(closeBrowser);

  test('who needs a person comes first; the list is searched, narrowed and paged, and follows what happens', async () => {
    const box = await compound(60);
    const { registry } = box;
    await registry.register({ id: LONG_ID, profile: 'esphome-lock', name: EVIL, place: '3号楼' }, 'system');
    registry.silent('sos-40', Date.now());
    registry.note('sos-50', Date.now(), { battery: 7 });
    const page = await enter(box);
    await go(page, '#/devices');
    await page.waitForSelector('[data-device]');
    expect((await names(page)).slice(0, 3)).toEqual(['40 号楼按钮', '50 号楼按钮', EVIL]);
    expect(await page.locator('[data-device]').count()).toBe(50);
    expect(await page.textContent('[data-device=sos-40]')).toContain('离线');
    expect(await page.textContent('[data-device=sos-50]')).toContain('电量低 7%');

    await page.click('[data-show=problems]');
    await soon(() => names(page)).toEqual(['40 号楼按钮', '50 号楼按钮', EVIL]);
    await page.fill('input[type=search]', '紧急 50号');
    await soon(() => names(page)).toEqual(['50 号楼按钮']);
    await page.click('[data-device=sos-50]');
    await page.waitForSelector('.facts');
    await page.goBack();
    await soon(() => names(page)).toEqual(['50 号楼按钮']);

    // Told by the gateway, not asked for.
    await page.fill('input[type=search]', '');
    await box.journal.append(registry.silent('sos-9', Date.now()));
    await soon(() => names(page)).toContain('9 号楼按钮');
    await page.setViewportSize(PHONE);
    expect(await width(page)).toBeLessThanOrEqual(PHONE.width);
    await go(page, `#/devices/${LONG_ID}`);
    await page.waitForSelector('.facts');
    expect(await page.textContent('h1:not(.outside-eye)')).toBe(EVIL);
    expect(await width(page)).toBeLessThanOrEqual(PHONE.width);
    expect(await page.locator('img[src=x]').count()).toBe(0);
  }, 120_000);

  test('a device is added by its model: told what to type, a wrong secret is noticed, its first word is seen', async () => {
    const box = await Box.start();
    const page = await enter(box, PHONE);
    await go(page, '#/devices');
    await page.click('text=添加第一台设备');
    await page.fill('input[type=search]', 'tasmota');
    await page.click('[data-model=tasmota-contact]');
    await page.fill('#add-id', 'btn-3');
    await page.fill('#add-name', EVIL);
    await page.fill('#add-place', '3号楼/1层');
    await page.click('form.details button.main');
    await page.waitForSelector('[data-sign=waiting]');
    const told = async (name: string) => (await page.textContent(`[data-copy=${name}] code`)) ?? '';
    expect([await told('port'), await told('user')]).toEqual([String(box.mqttPort), 'btn-3']);
    const secret = await told('secret');
    expect(await page.textContent('.steps:has(code)')).toContain(`Password 填密钥${secret}`);

    await page.click('[data-copy=secret] button');
    await soon(() => page.textContent('[data-copy=secret] button')).toContain('已复制');
    const login = (password: string) =>
      LoadClient.connect({ port: box.mqttPort, clientId: 'btn-3', username: 'btn-3', password });
    await expect(login('not-the-secret')).rejects.toThrow();
    await page.waitForSelector('.mistake');
    expect(await page.textContent('.mistake')).toContain('密钥不对');
    const button = await login(secret);
    await page.waitForSelector('[data-sign=connected]');
    button.publish('tele/btn-3/LWT', 'Online', 'birth');
    await page.waitForSelector('[data-sign=heard]');
    button.end();

    await page.click('text=打开设备页');
    await page.waitForSelector('.facts');
    expect(await page.content()).not.toContain(secret);
    await page.click('[data-deed=edit]');
    await page.fill('#edit-place', '4号楼/1层');
    await page.selectOption('#edit-silence', { label: '15 分钟' });
    await page.click('form.edit button.main');
    await soon(() => box.registry.get('btn-3')).toMatchObject({ place: '4号楼/1层', silentAfter: 900_000 });
    await page.click('[data-deed=secret]');
    await page.click('dialog button.main');
    const renewed = await told('secret');
    expect(renewed).not.toBe(secret);
    await expect(login(secret)).rejects.toThrow();
    (await login(renewed)).end();
    await page.click('[data-deed=remove]');
    await page.click('dialog .quick button');
    await page.click('dialog button.main');
    await soon(() => box.registry.get('btn-3')).toBe(null);
    const [entry] = box.journal.read({ kinds: ['device.removed'], limit: 1 });
    expect(entry).toMatchObject({ actor: 'user:admin', body: { reason: '已拆除' } });
  }, 120_000);

  test('who knocked unknown is registered as what it looks like, or dismissed', async () => {
    const box = await compound(1);
    box.registry.candidate({ via: 'hub-1', key: '厨房 烟感', hint: 'zigbee-smoke-gas' });
    box.registry.candidate({ via: null, key: 'stranger', hint: 'MQTT 10.0.0.9' });
    const page = await enter(box);
    await go(page, '#/devices/-/waiting');
    const marked = () => page.textContent('nav a.here[aria-current=page]');
    await soon(marked).toBe('设备');
    await page.click('[data-candidate=stranger] button');
    await soon(() => page.locator('[data-candidate]').count()).toBe(1);
    await page.click('[data-candidate="厨房 烟感"] a');
    await page.waitForSelector('#add-id');
    await soon(marked).toBe('设备');
    expect(await page.inputValue('#param-key')).toBe('厨房 烟感');
    expect(await page.inputValue('#add-hub')).toBe('hub-1');
    await page.fill('#add-id', 'smoke-1');
    await page.click('form.details button.main');
    await page.waitForSelector('[data-sign=waiting]');
    expect(box.registry.get('smoke-1')).toMatchObject({
      hub: 'hub-1',
      profile: 'zigbee-smoke-gas',
      params: { key: '厨房 烟感' },
    });
    expect(box.registry.candidates()).toEqual([]);
    await go(page, '#/devices/hub-1');
    await soon(() => names(page)).toEqual(expect.arrayContaining(['smoke-1', '1 号楼按钮']));
  }, 120_000);

  test('a device is tried out: the press is heard, nothing rings, and what it said is shown raw, as read and as what came of it', async () => {
    const box = await Box.start();
    const { secret } = await box.registry.register(
      { id: 'btn-1', profile: 'tasmota-contact', name: EVIL, place: '1号楼' },
      'system',
    );
    const button = await LoadClient.connect({
      port: box.mqttPort,
      clientId: 'btn-1',
      username: 'btn-1',
      password: secret ?? '',
    });
    const page = await enter(box);
    await go(page, '#/devices/btn-1');
    await page.selectOption('#test-minutes', '2');
    await page.click('[data-deed=begin-test]');
    await page.waitForSelector('[data-test=waiting]');
    button.publish('stat/btn-1/RESULT', '{"Button1":{"Action":"SINGLE"},"Id":1234567890123456789}', 'press');
    await page.waitForSelector('[data-test=heard]');
    expect(await page.textContent('[data-test=heard]')).toContain('手动火灾报警');
    expect(await page.title()).not.toContain('🔔');
    await page.click('[data-deed=end-test]');
    await page.waitForSelector('[data-test=passed]');
    expect(box.board.open()).toEqual([]);

    const message = page.locator('[data-message]').first();
    await message.locator('summary').click();
    await message.locator('[data-category="fire.button"]').waitFor();
    expect(await message.locator('[data-category="fire.button"] .detail').allInnerTexts()).toEqual(['动作 按一下']);
    expect(await message.locator('pre').textContent()).toContain('"Id": 1234567890123456789');
    for (const reason of [
      whyUnread(`{"${EVIL}":`),
      `the message names another sender: ${EVIL}`,
      'of a later version',
    ]) {
      const body = { topic: EVIL, reason, bytes: 9, sha256: '', text: `{"${EVIL}":` };
      await box.journal.append([{ kind: 'unknown', actor: 'device:btn-1', subject: 'btn-1', body }]);
    }
    const unread = page.locator('[data-message].unknown');
    await soon(() => unread.count()).toBe(3);
    // Why, in the words of whoever reads it; what has none is shown as it was told.
    await soon(() => unread.locator('p.bad').allTextContents()).toEqual([
      'of a later version',
      `报文自称来自另一台设备：${EVIL}`,
      '内容不是 JSON',
    ]);
    button.end();
    expect(await page.locator('img[src=x]').count()).toBe(0);
  }, 120_000);

  test('one of the file is shown as such; who may only look is offered nothing else', async () => {
    const box = await compound(1);
    await box.person('viewer');
    const page = await enter(box, undefined, 'viewer', PASSWORD);
    await go(page, '#/devices/manual-1');
    await page.waitForSelector('.file');
    expect(await page.textContent('.file')).toContain('gateway.yaml');
    expect(await page.locator('[data-deed]').count()).toBe(0);
    await go(page, '#/devices/-/add');
    await page.waitForSelector('.state-box.forbidden');
    await go(page, '#/devices/-/models/face-oem-mqtt');
    await page.click('.sample summary >> nth=3');
    await page.waitForSelector('.sample[open] [data-category="access.granted"]');
  }, 120_000);
});

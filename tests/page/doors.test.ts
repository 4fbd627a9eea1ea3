import mqtt from 'mqtt';
import type { Page } from 'playwright-core';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { ADMIN, Box, PASSWORD } from '../api/box.ts';
import { doorMessage } from '../api/door-message.ts';
import { canBrowse, closeBrowser, signIn, visit } from './browser.ts';

const EVIL = '<img src=x onerror=alert(1)>';
const LONG_ID = '1234567890123456789';
const PHONE = { width: 390, height: 844 };
const soon = <T>(look: () => T) => expect.poll(look, { timeout: 10_000 });

/** Somebody at the page; as on a phone with `PHONE`. */
async function enter(box: Box, role: 'operator' | 'viewer', size?: { width: number; height: number }): Promise<Page> {
  await box.person(role, role);
  const { page } = await visit(box, size);
  await signIn(page, role, PASSWORD);
  await page.waitForSelector('[data-pill=live].good');
  return page;
}

/** A lock that answers what it is told, as long as `answers` says so. */
async function lock(box: Box, id: string, answers: () => string | null): Promise<void> {
  const { secret } = await box.registry.register(
    { id, profile: 'esphome-lock', name: '车库门', place: '车库B1' },
    'system',
  );
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${box.mqttPort}`, {
    clientId: id,
    username: id,
    password: secret ?? '',
    reconnectPeriod: 0,
  });
  onTestFinished(async () => client.endAsync(true));
  client.on('message', () => {
    const answer = answers();
    if (answer !== null) client.publish(`${id}/lock/door/state`, answer);
  });
  await client.subscribeAsync(`${id}/lock/door/command`);
}

const open = async (page: Page, door: string, reason: string) => {
  await page.click(`[data-door="${door}"] .open`);
  await page.click(`dialog .quick button:has-text("${reason}")`);
  await page.click('dialog button.main');
};

describe.runIf(canBrowse())('the doors', () => {
  afterAll(closeBrowser);

  test('who goes back while a reason is asked for has given it up', async () => {
    const box = await Box.start();
    await lock(box, 'lock-1', () => null);
    const { page } = await visit(box);
    await signIn(page, 'admin', ADMIN);
    await page.waitForSelector('[data-pill=live].good');
    await page.goto(`${box.base}/#/doors`);
    await page.click('[data-door="lock-1"] .open');
    await page.waitForSelector('dialog.ask');
    await page.goBack();
    await page.waitForSelector('dialog.ask', { state: 'detached' });
    expect(await box.journal.readInTurns({ kinds: ['door.command'], limit: 1 })).toEqual([]);
  });

  test('a door is opened with a reason; what came of it is told as it is: opened, no answer, not connected', async () => {
    const box = await Box.start();
    let answer: string | null = 'UNLOCKED';
    await lock(box, 'lock-1', () => answer);
    await box.registry.register({ id: LONG_ID, profile: 'esphome-lock', name: EVIL, place: '3号楼' }, 'system');
    const page = await enter(box, 'operator', PHONE);
    await page.goto(`${box.base}/#/doors`);
    await page.waitForSelector('[data-door=lock-1]');
    await open(page, 'lock-1', '访客');
    await page.waitForSelector('[data-door=lock-1] [data-result=opened]');
    await soon(() => page.textContent('[data-record=opened]')).toContain('访客');
    expect(await page.textContent('[data-record=opened]')).toContain('门已打开');

    await open(page, LONG_ID, '送货');
    await page.waitForSelector(`[data-door="${LONG_ID}"] [data-result=offline]`);
    expect(await page.textContent(`[data-door="${LONG_ID}"]`)).toContain('门未连接，没有打开');
    answer = null;
    await open(page, 'lock-1', '维修');
    await page.waitForSelector('[data-door=lock-1] [data-result=timeout]');
    expect(await page.textContent('[data-door=lock-1]')).toContain('不知道门开了没有');
    expect(await page.textContent(`[data-door="${LONG_ID}"] b`)).toBe(EVIL);
    expect(await page.locator('img[src=x]').count()).toBe(0);
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBeLessThanOrEqual(PHONE.width);
    const reasons = box.journal
      .read({ kinds: ['door.command'], limit: 9 })
      .map(({ actor, body }) => [actor, (body as { reason: string }).reason]);
    expect(reasons).toEqual([
      ['user:operator', '访客'],
      ['user:operator', '送货'],
      ['user:operator', '维修'],
    ]);
  }, 120_000);

  test('a door held open says so on its card; who passed is found by name, kind, door and time', async () => {
    const box = await Box.start();
    await lock(box, 'lock-1', () => null);
    await doorMessage(box, 'lock-1', 'access.granted', { person: '王小明', customId: LONG_ID });
    await doorMessage(box, 'face-2', 'access.denied', { person: EVIL });
    for (let n = 0; n < 60; n += 1) await doorMessage(box, 'face-2', 'access.granted', { person: `住户${n}` });
    const page = await enter(box, 'operator');
    await page.goto(`${box.base}/#/doors`);
    const rows = page.locator('[data-record]');
    await soon(() => rows.count()).toBe(40);
    await page.click('.records > button');
    await soon(() => rows.count()).toBe(62);

    await box.say('lock-1', 'door.held', { kind: 'level' });
    await page.waitForSelector('[data-door=lock-1] .alarm');
    await page.click('[data-kind=refused]');
    await soon(() => rows.allTextContents()).toEqual([expect.stringContaining(EVIL)]);
    await page.click('.kinds button >> nth=0');
    await page.fill('#record-text', '小明');
    await soon(() => rows.count()).toBe(1);
    await rows.locator('summary').click();
    expect(await rows.textContent()).toContain(LONG_ID);
    await page.fill('#record-text', '');
    await page.selectOption('#record-door', 'lock-1');
    await soon(() => rows.count()).toBe(1);
    await page.selectOption('#record-period', 'yesterday');
    await soon(() => page.textContent('.records')).toContain('没有符合条件的记录');
    await page.selectOption('#record-period', 'today');
    await soon(() => rows.count()).toBe(1);

    // By itself, while somebody looks.
    await doorMessage(box, 'lock-1', 'access.granted', { person: '刚刚到' });
    await soon(() => rows.first().textContent()).toContain('刚刚到');
    expect(await page.locator('img[src=x]').count()).toBe(0);
  }, 120_000);

  test('a record says whether the door is open, and what the terminal told, in words', async () => {
    const box = await Box.start();
    await lock(box, 'lock-1', () => null);
    await doorMessage(box, 'lock-1', 'door.state', { lock: 'door', state: 'unlocked' });
    await doorMessage(box, 'lock-1', 'door.state', { contact: 'door_contact', state: 'closed' }, false);
    await doorMessage(box, 'lock-1', 'door.state', {});
    await doorMessage(box, 'face-2', 'access.stranger', {
      person: null,
      mask: 'missing but allowed',
      result: 'not registered',
      method: 'id card',
      temperature: 36.5,
      shown: 'a word of theirs',
    });
    const page = await enter(box, 'operator');
    await page.goto(`${box.base}/#/doors`);
    const states = page.locator('[data-record=door] .what');
    await soon(() => states.allInnerTexts()).toEqual(['门状态 · 门已打开', '门状态 · 门已关闭', '门状态 · 已开锁']);
    await page.click('[data-record=refused] summary');
    await soon(() => page.locator('[data-record=refused] dl div').allInnerTexts()).toEqual(
      expect.arrayContaining([
        '口罩\n未戴，允许',
        '结果\n未登记',
        '方式\n身份证',
        '温度\n36.5',
        'shown\na word of theirs',
      ]),
    );
    expect(await page.textContent('[data-record=refused] dl')).not.toContain('null');
    await page.click('.menu summary');
    await page.click('.menu button:has-text("English")');
    await soon(() => states.first().innerText()).toBe('Door state · Open');
    expect(await page.textContent('[data-record=refused] dl')).toContain('Missing, but allowed');
  }, 120_000);

  test('a time that ends before it begins is said to be one', async () => {
    const box = await Box.start();
    const page = await enter(box, 'operator', PHONE);
    await page.goto(`${box.base}/#/doors`);
    await page.selectOption('#record-period', 'own');
    await page.fill('#record-from', '2026-11-27T12:00');
    await page.fill('#record-to', '2026-11-27T11:00');
    await page.waitForSelector('.records .problem:has-text("结束须晚于开始")');
    await page.fill('#record-to', '2026-11-27T13:00');
    await page.waitForSelector('.records .problem', { state: 'detached' });
  });
});

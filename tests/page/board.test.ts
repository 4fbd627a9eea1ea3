import { afterAll, describe, expect, test } from 'vitest';
import { ADMIN, Box, PASSWORD } from '../api/box.ts';
import { canBrowse, closeBrowser, signIn, visit } from './browser.ts';

const EVIL = '<img src=x onerror=alert(1)>';
const PHONE = { width: 390, height: 844 };

describe.runIf(canBrowse())('the alarm board', () => {
  afterAll(closeBrowser);

  test('is calm when nothing is wrong; an alarm is named, counted down, acknowledged and closed with words', async () => {
    const box = await Box.start();
    await box.person('operator', '李队');
    const { page } = await visit(box);
    await signIn(page, '李队', PASSWORD);
    await page.waitForSelector('.quiet');
    expect(await page.textContent('.quiet h2')).toBe('目前没有警情');

    await box.say('evil-1', 'fire.heat', { kind: 'level', replayed: true, detail: { rule: EVIL } }, EVIL);
    await box.say('door-7', 'door.forced', {}, EVIL);
    const row = page.locator('[data-section=now] article');
    await row.waitFor();
    expect(await row.textContent()).toContain(EVIL);
    expect(await row.locator('h3 .open').textContent()).toBe('强行开门');
    expect(await row.locator('.badge').textContent()).toBe('2二级');
    expect(await row.locator('.due:has-text("确认剩余") b').textContent()).toMatch(/^(5:00|4:\d\d)$/);
    await page.waitForFunction("document.title.includes('(1)')");
    expect(await page.locator('img[src=x], script:not([src])').count()).toBe(0);

    await row.locator('[data-deed=acknowledge]').click();
    const inHand = page.locator('[data-section=hand] article');
    await inHand.waitFor();
    await inHand.locator('[data-control=more]').click();
    await page.click('.deed-menu [data-deed=close]');
    await page.fill('#ask-result', '门已关好，锁舌已修');
    await page.click('dialog button.main');
    await inHand.waitFor({ state: 'detached' });
    const [closed] = box.board.search({ limit: 5, category: 'door.forced' });
    expect(closed).toMatchObject({ handling: 'closed', closedBy: '李队', result: '门已关好，锁舌已修' });
  });

  test('a drill and what is told late ring nothing; the gravest is on top, the count (of what is no drill) and the shape are there', async () => {
    const box = await Box.start();
    for (let n = 0; n < 10; n += 1) await box.say('cam-1', 'intrusion.climb');
    await box.say('door-1', 'door.held', { kind: 'level' });
    await box.say('smoke-2', 'fire.smoke', { replayed: true });
    await box.say('smoke-3', 'fire.smoke', { test: true });
    const { page } = await visit(box);
    await signIn(page, 'admin', ADMIN);
    await page.waitForSelector('[data-section=aside] article');
    expect(await page.locator('[data-banner=ringing]').count()).toBe(0);
    expect(await page.locator('[data-section=now] article .badge').allTextContents()).toEqual(['2二级', '3三级']);
    expect(await page.locator('[data-section=now] article').first().locator('.repeats').textContent()).toBe('10次');
    expect(await page.locator('[data-section=aside] .tag').allTextContents()).toEqual(
      expect.arrayContaining(['补报', '演练']),
    );
    expect(await page.locator('.counts [data-level="1"]').textContent()).toBe('1一级1');
  });

  test('all but the gravest are acknowledged at one stroke', async () => {
    const box = await Box.start();
    // More than the gateway takes in one request.
    const doors = Array.from({ length: 203 }, (_, n) => `door-${n}`);
    for (const door of doors) await box.say(door, 'door.held', { kind: 'level' });
    const { page } = await visit(box);
    await signIn(page, 'admin', ADMIN);
    await page.waitForSelector('[data-section=now]:has-text("203")');
    await page.click('[data-all]');
    await page.waitForSelector('[data-section=now]', { state: 'detached' });
    expect(box.board.open().map(({ acknowledgedBy }) => acknowledgedBy)).toEqual(doors.map(() => 'admin'));
    expect(await page.locator('.toast').count()).toBe(0);
  });

  test('acknowledging all says how many of the gravest are left', async () => {
    const box = await Box.start();
    for (const n of [1, 2, 3]) await box.say(`door-${n}`, 'door.held', { kind: 'level' });
    for (const n of [1, 2]) await box.say(`sos-${n}`, 'sos');
    const { page } = await visit(box);
    await signIn(page, 'admin', ADMIN);
    await page.click('.takeover .fold');
    await page.click('[data-all]');
    await page.waitForSelector('.toast.bad:has-text("已确认 3 条；另有 2 条一级警情须逐条确认")');
    expect(
      box.board
        .open()
        .filter(({ acknowledgedBy }) => acknowledgedBy === null)
        .map(({ level }) => level),
    ).toEqual([1, 1]);
  });

  test('what somebody tells is written down and gets a number; a drill is begun by a manager', async () => {
    const box = await Box.start();
    const { page } = await visit(box);
    await signIn(page, 'admin', ADMIN);
    await page.click('[data-begin=report]');
    await page.selectOption('#ask-channel', 'phone');
    await page.fill('#ask-place', '3号楼/2单元');
    await page.fill('#ask-text', '楼道灯不亮');
    await page.click('dialog button.main');
    const row = page.locator('[data-section=now] article');
    await row.waitFor();
    expect(await row.textContent()).toContain('楼道灯不亮');
    expect(await page.textContent('.toast')).toContain('受理号');
    await page.click('[data-begin=drill]');
    await page.fill('#ask-place', '地下车库');
    await page.fill('#ask-text', '季度消防演练');
    await page.click('dialog button.main');
    await page.waitForSelector('[data-section=aside] .tag.drill');
    expect(await page.locator('[data-banner=ringing]').count()).toBe(0);
    expect((await box.say('smoke-1', 'fire.smoke')).drill).toBe(false);
    await page.waitForSelector('.takeover[open]');
    await page.click('.takeover .fold');
    await page.click('[data-begin=drill]');
    await page.fill('#ask-text', '全小区演练');
    await page.selectOption('#ask-minutes', '30');
    await page.click('dialog button.main');
    await page.waitForSelector('dialog.ask', { state: 'detached' });
    expect((await box.say('btn-1', 'fire.button')).drill).toBe(true);
  });

  test('a viewer sees all and can change nothing; English is one click away and stays', async () => {
    const box = await Box.start();
    await box.person('viewer', 'auditor');
    await box.say('door-1', 'door.forced');
    const { page } = await visit(box);
    await signIn(page, 'auditor', PASSWORD);
    await page.waitForSelector('article.alarm');
    expect(await page.locator('[data-deed], [data-control=more], [data-begin]').count()).toBe(0);
    await page.click('.menu summary');
    await page.click('.menu button:has-text("English")');
    await page.waitForSelector('article.alarm h3:has-text("Door forced")');
    await page.reload();
    await page.waitForSelector('article.alarm h3:has-text("Door forced")');
  });

  test('on a phone everything fits, and is big enough for a thumb', async () => {
    const box = await Box.start();
    await box.say('door-1', 'door.forced', {}, '很长的名字'.repeat(20));
    await box.say('door-2', 'door.held', { kind: 'level' }, '4301021988123456789');
    const { page } = await visit(box, PHONE);
    await signIn(page, 'admin', ADMIN);
    await page.waitForSelector('article.alarm >> nth=1');
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(PHONE.width);
    for (const button of await page.locator('article.alarm button, .board-head button:visible').all()) {
      expect((await button.boundingBox())?.height).toBeGreaterThanOrEqual(44);
    }
    const rows = await page.locator('article.alarm').all();
    const boxes = await Promise.all(rows.map((row) => row.boundingBox()));
    expect((boxes[0]?.y ?? 0) + (boxes[0]?.height ?? 0)).toBeLessThanOrEqual(boxes[1]?.y ?? 0);
  });

  test('a thousand alarms are as ten: drawn is what can be seen, and keys go to the end of them', async () => {
    const box = await Box.start();
    const { page } = await visit(box);
    await signIn(page, 'admin', ADMIN);
    await page.waitForSelector('.quiet');
    const flood = Array.from({ length: 1_000 }, (_, n) => box.say(`door-${n}`, 'door.held', { kind: 'level' }));
    await Promise.all(flood);
    await expect.poll(() => page.title(), { timeout: 15_000 }).toContain('(1000)');
    expect(await page.locator('article.alarm').count()).toBeLessThan(40);
    await expect.poll(() => page.textContent('[data-section=now] .count')).toBe('1000');
    await page.keyboard.press('n');
    await page.keyboard.press('End');
    await page.waitForSelector('[data-index="1000"]:focus-within');
    expect(await page.locator('article.alarm').count()).toBeLessThan(40);
    await page.keyboard.press('k');
    await page.waitForSelector('[data-index="999"]:focus-within');
    // Whoever comes later is told the first of them, and the others as room comes.
    await page.reload();
    await expect.poll(() => page.textContent('[data-section=now] .count')).toBe('500+');
    const by = { actor: 'user:wang', role: 'operator' } as const;
    const shut = (await Promise.all(flood)).slice(0, 800);
    await Promise.all(
      shut.map(({ id }) => box.board.transact((tx) => tx.act({ type: 'false', alarm: id, reason: '门已关好' }, by))),
    );
    const count = expect.poll(() => page.textContent('[data-section=now] .count'), { timeout: 15_000 });
    await count.toBe('200');
    await expect.poll(() => page.title()).toContain('(200)');
  }, 60_000);
});

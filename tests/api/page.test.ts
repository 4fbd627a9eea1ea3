import { afterAll, describe, expect, test } from 'vitest';
import { canMount, failingDisk } from '../journal/mount.ts';
import { ADMIN, Box, PASSWORD } from './box.ts';
import { canBrowse, closeBrowser, signIn, visit } from './browser.ts';

const EVIL = '<img src=x onerror=alert(1)>';
const PHONE = { width: 390, height: 844 };
/** What a browser says when the gateway is gone, which these tests make happen. */
const GONE = /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_NETWORK|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/;

describe.runIf(canBrowse())('the page', () => {
  afterAll(closeBrowser);

  test("a wrong password is said in the reader's language, and that nobody is watching meanwhile", async () => {
    const box = await Box.start();
    const { page } = await visit(box, undefined, /401/);
    expect(await page.textContent('form.card .notice')).toContain('未登录');
    await signIn(page, 'admin', 'wrong-password');
    await page.waitForSelector('form.card .problem:not(:empty)');
    expect(await page.textContent('form.card .problem')).toBe('用户名或密码错误');
  });

  test('a new person chooses a password and then has the board; what a device calls itself stays text', async () => {
    const box = await Box.start();
    const { password } = await box.accounts.create({ name: '李队', display: '李队', role: 'operator' }, 'system');
    const { page } = await visit(box);
    await signIn(page, '李队', password);
    await page.waitForSelector('dialog');
    expect(await page.textContent('dialog .explain')).toContain('首次登录');
    await page.fill('#ask-current', password);
    await page.fill('#ask-next', PASSWORD);
    await page.fill('#ask-again', `${PASSWORD}x`);
    await page.click('dialog button.main');
    await page.waitForSelector('dialog .problem:not(:empty)');
    await page.fill('#ask-again', PASSWORD);
    await page.click('dialog button.main');
    await page.waitForSelector('.quiet:not([hidden])');
    expect(await page.textContent('.quiet h2')).toBe('目前没有警情');

    const began = performance.now();
    await box.say('evil-1', 'fire.smoke', { kind: 'level', detail: { rule: EVIL } }, EVIL);
    await page.waitForSelector('article.alarm');
    expect(performance.now() - began).toBeLessThan(2_000);
    const row = page.locator('article.alarm');
    expect(await row.textContent()).toContain(EVIL);
    expect(await row.locator('h3').textContent()).toBe('烟雾报警');
    expect(await row.locator('.badge').textContent()).toBe('1一级');
    await row.locator('.due:has-text("确认剩余") b:has-text("0:5")').waitFor();
    expect(await page.title()).toContain('(1)');
    await row.locator('.what').click();
    await page.waitForSelector('.detail:not([hidden])');
    expect(await page.textContent('.detail')).toContain(EVIL);
    expect(await page.locator('img[src=x], script:not([src])').count()).toBe(0);

    await row.locator('[data-deed=acknowledge]').click();
    await page.waitForSelector('section.hand article.alarm:not(.rings)');
    await page.locator('.detail [data-deed=closeCase]').click();
    await page.fill('#ask-result', '厨房油烟，已确认无火情');
    await page.fill('#ask-reason', '烟感待清洁');
    await page.click('dialog button.main');
    await page.waitForSelector('article.alarm', { state: 'detached' });
    await page.waitForSelector('.timeline li:nth-child(4)');
    expect(await page.textContent('.timeline')).toContain('厨房油烟');
    expect(box.board.open()).toEqual([]);
    const [closed] = box.board.search({ limit: 1 });
    expect(closed).toMatchObject({ handling: 'closed', closedBy: '李队', result: '厨房油烟，已确认无火情' });
  });

  test('level 1 rings until it is acknowledged; that the sound is off cannot be overlooked', async () => {
    const box = await Box.start();
    const { page: first } = await visit(box);
    await signIn(first, 'admin', ADMIN);
    await first.waitForSelector('.quiet:not([hidden])');
    expect(await first.textContent('.pill.sound')).toBe('声音已开启');
    // The next morning: signed in, but nobody has touched it yet. The browser keeps it silent and the page says so.
    const page = await first.context().newPage();
    await page.goto(box.base);
    await page.waitForSelector('[data-banner=sound]');
    expect(await page.textContent('.pill.sound')).toBe('开启声音');
    await box.say('sos-1', 'sos', {}, '302紧急按钮');
    await page.waitForSelector('[data-banner=sound].bad');
    expect(await page.textContent('[data-banner=sound]')).toContain('有一级警情，但声音未开启');
    await page.click('[data-banner=sound] button');
    await page.waitForSelector('[data-banner=ringing]');
    await page.waitForSelector('[data-banner=sound]', { state: 'detached' });
    expect(await page.textContent('.pill.sound')).toBe('声音已开启');
    await page.click('article.alarm [data-deed=acknowledge]');
    await page.waitForSelector('[data-banner=ringing]', { state: 'detached' });
    await page.waitForSelector('article.alarm.rings', { state: 'detached' });
  });

  test('a drill and what is told late ring nothing; the gravest is on top, the count and the shape are there', async () => {
    const box = await Box.start();
    for (let n = 0; n < 10; n += 1) await box.say('cam-1', 'intrusion.climb');
    await box.say('door-1', 'door.held', { kind: 'level' });
    await box.say('smoke-2', 'fire.smoke', { replayed: true });
    await box.say('smoke-3', 'fire.smoke', { test: true });
    const { page } = await visit(box);
    await signIn(page, 'admin', ADMIN);
    await page.waitForSelector('section.aside article.alarm');
    expect(await page.locator('[data-banner=ringing]').count()).toBe(0);
    expect(await page.locator('section.now article .badge').allTextContents()).toEqual(['2二级', '3三级']);
    expect(await page.locator('section.now article').first().locator('.repeats').textContent()).toBe('10次');
    expect(await page.locator('section.aside .tag').allTextContents()).toEqual(
      expect.arrayContaining(['补报', '演练']),
    );
    await box.say('sos-9', 'sos');
    await page.waitForSelector('section.now article:first-child.l1');
  });

  test('a lost connection is said at once, and after it nothing is missing', async () => {
    const box = await Box.start();
    const { page } = await visit(box, undefined, GONE);
    await signIn(page, 'admin', ADMIN);
    await page.waitForSelector('.pill.good');
    await box.stop();
    await page.waitForSelector('[data-banner=lost]');
    expect(await page.textContent('[data-banner=lost]')).toContain('连接已中断');
    const again = await Box.start({ dir: box.dir, port: box.port });
    await again.say('sos-1', 'sos', {}, '来的时候没人看见');
    await page.waitForSelector('article.alarm');
    await page.waitForSelector('[data-banner=lost]', { state: 'detached' });
    expect(await page.textContent('article.alarm')).toContain('来的时候没人看见');
  }, 60_000);

  test('when the session ends the page says that nobody is watching', async () => {
    const box = await Box.start();
    const { page } = await visit(box, undefined, /401/);
    await signIn(page, 'admin', ADMIN);
    await page.waitForSelector('.pill.good');
    await box.accounts.create({ name: 'second', display: 'second', role: 'admin' }, 'system');
    await box.accounts.update('admin', { disabled: true }, 'system');
    await page.waitForSelector('form.card');
    expect(await page.textContent('form.card .notice')).toContain('本屏幕不会显示或响起警情');
  });

  test('who was slower is told, and sees what was done', async () => {
    const box = await Box.start();
    const alarm = await box.say('cam-1', 'intrusion.climb');
    const other = await box.person('operator', 'wang');
    const { page } = await visit(box, undefined, /409/);
    await signIn(page, 'admin', ADMIN);
    await page.click('article.alarm .what');
    await page.click('.detail [data-deed=false]');
    await page.fill('#ask-reason', '是猫');
    await other.post(`/api/alarms/${alarm.id}/accept`, {});
    await page.waitForSelector('section.hand article.alarm');
    await page.click('dialog button.main');
    await page.waitForSelector('.toast.bad');
    expect(await page.textContent('.toast.bad')).toContain('已被他人处理');
    expect(await page.textContent('article.alarm .state')).toContain('wang');
    expect(box.board.get(alarm.id)?.handling).toBe('accepted');
  });

  test('on a phone everything fits, and is big enough for a thumb', async () => {
    const box = await Box.start({
      settings: {
        devices: [{ id: 'lock-1', profile: 'esphome-lock', name: EVIL, place: '车库', secret: 'device-secret-1' }],
      },
    });
    await box.say('sos-1', 'sos', {}, '很长的名字'.repeat(20));
    const { page } = await visit(box, PHONE);
    await signIn(page, 'admin', ADMIN);
    await page.waitForSelector('article.alarm');
    const wide = () => page.evaluate('document.documentElement.scrollWidth');
    expect(await wide()).toBe(PHONE.width);
    for (const button of await page.locator('.deeds button:visible, .tab').all()) {
      expect((await button.boundingBox())?.height).toBeGreaterThanOrEqual(40);
    }
    await page.click('.tab[data-tab=doors]');
    await page.waitForSelector('.panel.doors .row');
    expect(await page.isVisible('article.alarm')).toBe(false);
    expect(await page.textContent('.panel.doors .row')).toContain(EVIL);
    await page.click('.panel.doors .row button');
    await page.click('dialog .chip');
    await page.click('dialog button.main');
    await page.waitForSelector('dialog .problem:not(:empty)');
    expect(await page.textContent('dialog .problem')).toContain('不在线');
    await page.click('dialog .buttons button:not(.main)');
    for (const tab of ['devices', 'system']) {
      await page.click(`.tab[data-tab=${tab}]`);
      await page.waitForSelector(`.panel.${tab} :is(.row, dd)`);
      expect(await wide()).toBe(PHONE.width);
    }
  });

  test('a viewer sees all and can change nothing; English is one click away and stays', async () => {
    const box = await Box.start();
    await box.person('viewer', 'auditor');
    await box.say('sos-1', 'sos');
    const { page } = await visit(box);
    await signIn(page, 'auditor', PASSWORD);
    await page.waitForSelector('article.alarm');
    expect(await page.locator('[data-deed], .wide').count()).toBe(0);
    await page.click('.menu summary');
    await page.click('.menu button:has-text("English")');
    await page.waitForSelector('article.alarm h3:has-text("Emergency call")');
    await page.reload();
    await page.waitForSelector('article.alarm h3:has-text("Emergency call")');
  });
});

describe.runIf(canBrowse() && canMount())('the page, when the disk fails', () => {
  afterAll(closeBrowser);

  test('says so across the whole width', async () => {
    const disk = failingDisk();
    const box = await Box.start({ dir: disk.dir });
    const { page } = await visit(box, undefined, /503/);
    await signIn(page, 'admin', ADMIN);
    await page.waitForSelector('.pill.good');
    disk.fail();
    await box.say('sos-1', 'sos').catch(() => undefined);
    await page.waitForSelector('[data-banner=storage].bad');
    expect(await page.textContent('[data-banner=storage]')).toContain('存储故障');
    await box.stop();
  });
});

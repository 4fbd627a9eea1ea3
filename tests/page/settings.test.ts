import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { ADMIN, Box, PASSWORD } from '../api/box.ts';
import { canBrowse, closeBrowser, GONE, open, signIn, visit } from './browser.ts';

const EVIL = '<img src=x onerror=alert(1)>';

describe.runIf(canBrowse())('settings', () => {
  afterAll(closeBrowser);

  test('a manager sets a deadline: what is wrong stands at its field, nothing typed is lost, the next alarm has it', async () => {
    const box = await Box.start();
    await box.person('manager');
    const { page } = await visit(box, undefined, /400/);
    await signIn(page, 'manager', PASSWORD);
    await page.waitForSelector('[data-pill=live].good');
    await page.goto(`${box.base}/#/settings/levels`);
    const field = page.locator('[data-section=levels] [data-field="1.acknowledge"]');
    const save = page.locator('[data-section=levels] button[type=submit]');
    await field.locator('input').fill('20');
    await field.locator('select').selectOption('m');
    await save.click();
    await field.locator('.problem').waitFor();
    expect(await field.locator('.problem').textContent()).toBe('允许 10 秒 至 5 分钟');
    expect(await field.locator('input').inputValue()).toBe('20');

    // Elsewhere and back: it is still there, and the list says so.
    await page.click('.entry[href="#/settings/quiet"]');
    await page.waitForSelector('[data-section=quiet]');
    expect(await page.textContent('.entry[href="#/settings/levels"]')).toContain('未保存');
    await page.click('.entry[href="#/settings/levels"]');
    await field.locator('input').fill('3');
    await save.click();
    await page.waitForSelector('[data-section=levels] [data-source=page]');
    expect(await page.textContent('[data-section=levels] [data-source]')).toContain('manager');
    const alarm = await box.say('sos-1', 'sos');
    expect(box.board.deadlines(alarm.id).acknowledge?.every).toBe(180_000);
    expect(await page.locator('.entry[href="#/settings/accounts"]').count()).toBe(0);
  });

  test('what somebody else saved meanwhile is shown, and either word can be kept', async () => {
    const box = await Box.start();
    const { page } = await visit(box, { width: 390, height: 844 }, /409/);
    await signIn(page, 'admin', ADMIN);
    await page.waitForSelector('[data-pill=live].good');
    await page.goto(`${box.base}/#/settings/quiet`);
    await page.check('[data-quiet]');
    const manager = await box.person('manager', '王主管');
    const theirs = { quiet: { between: ['23:00', '05:00'], levels: [3] } };
    await manager.ask('PUT', '/api/settings/quiet', { value: theirs, revision: 0 });
    await page.click('[data-section=quiet] button[type=submit]');
    await page.waitForSelector('.theirs');
    expect(await page.textContent('[data-section=quiet]')).toContain('王主管 刚刚改过');
    // In the words of the form, the one beside the other.
    expect(await page.locator('.theirs tbody tr').allInnerTexts()).toEqual([
      '时段\t23:00–05:00\t22:00–07:00',
      '适用级别\t三级\t四级',
    ]);
    await page.click('[data-section=quiet] button.grave');
    await page.waitForSelector('.theirs', { state: 'detached' });
    // The question is gone from the screen before the answer is on disk.
    await expect
      .poll(() => box.journal.read({ kinds: ['setting.changed'], limit: 1, newestFirst: true }))
      .toMatchObject([{ actor: 'user:admin', body: { before: theirs, after: { quiet: { levels: [4] } } } }]);
  });

  test('an account is made, its password shown once, disabled and deleted; its name stays text', async () => {
    const box = await Box.start();
    const { page } = await visit(box, undefined, /409/);
    await signIn(page, 'admin', ADMIN);
    await page.waitForSelector('[data-pill=live].good');
    await page.goto(`${box.base}/#/settings/accounts`);
    await page.click('header button.main:has-text("新建账号")');
    await page.fill('#ask-name', '李队');
    await page.fill('#ask-display', EVIL);
    await page.selectOption('#ask-role', 'operator');
    await page.click('dialog button[type=submit]');
    const password = (await page.locator('[data-once]').textContent()) ?? '';
    expect((await box.nobody().post('/api/login', { name: '李队', password })).status).toBe(200);
    await page.click('.once button.main');
    const row = page.locator('[data-account="李队"]');
    expect(await row.locator('b').textContent()).toBe(EVIL);
    expect(await page.locator('[data-once]').count()).toBe(0);
    await row.getByRole('button', { name: '停用' }).click();
    await page.click('dialog button[type=submit]');
    await row.locator('.tag.bad').waitFor();
    expect(box.accounts.get('李队')?.disabled).toBe(true);
    await row.getByRole('button', { name: '删除' }).click();
    await page.click('dialog button[type=submit]');
    await row.waitFor({ state: 'detached' });
    // The last administrator stays, and the dialog says why.
    await page.locator('[data-account=admin]').getByRole('button', { name: '删除' }).click();
    await page.click('dialog button[type=submit]');
    await page.waitForSelector('dialog .problem:not(:empty)');
    expect(await page.textContent('dialog .problem')).toContain('至少保留一名管理员');
  });

  test('a list is read again when the gateway is back; who is sent out meanwhile reads why', async () => {
    const box = await Box.start();
    const chief = await box.person('admin', '王主管');
    const { page, close } = await open(box.base, { keeps: true, expected: GONE });
    onTestFinished(close);
    await signIn(page, '王主管', PASSWORD);
    await page.waitForSelector('[data-pill=live].good');
    await page.goto(`${box.base}/#/settings/accounts`);
    await page.waitForSelector('[data-account=admin]');
    await box.person('viewer', '小陈');
    await box.stop();
    await page.waitForSelector('[data-pill=live]:not(.good)');
    expect(await page.locator('[data-account="小陈"]').count()).toBe(0);
    const again = await Box.start({ dir: box.dir, port: box.port });
    await page.waitForSelector('[data-account="小陈"]');

    const admin = await again.signIn();
    await admin.post(`/api/accounts/${encodeURIComponent('王主管')}/password`, {});
    await page.waitForSelector('.card .ended');
    expect(await page.textContent('.card .ended')).toContain('登录已失效');
    await signIn(page, 'admin', ADMIN);
    await page.waitForSelector('[data-pill=live].good');
    await page.click('.menu summary');
    await page.click('.menu button:has-text("退出登录")');
    await page.waitForSelector('#name');
    expect(await page.locator('.card .ended').count(), 'who leaves of their own accord knows why').toBe(0);
    expect((await chief.get('/api/devices')).status).toBe(401);
  });

  test('a rule is made; one that would lower fire is refused and stays on the screen', async () => {
    const box = await Box.start();
    const { page } = await visit(box, undefined, /400/);
    await signIn(page, 'admin', ADMIN);
    await page.waitForSelector('[data-pill=live].good');
    await page.goto(`${box.base}/#/settings/rules`);
    await page.click('button:has-text("增加规则")');
    await page.click('[data-section=rules] button[type=submit]');
    await page.waitForSelector('[data-rule] .problem:not(:empty)');
    expect(await page.textContent('[data-rule] .problem:not(:empty)')).toContain('手动火灾报警');
    await page.selectOption('[data-field="0.category"] select', 'door.*');
    await page.selectOption('[data-field="0.outcome"] select', '2');
    await page.click('[data-section=rules] button[type=submit]');
    await page.waitForSelector('[data-section=rules] [data-source=page]');
    expect((await box.say('door-1', 'door.held', { kind: 'level' })).level).toBe(2);
  });

  test('who did what is told in the words of whoever reads it', async () => {
    const box = await Box.start();
    const manager = await box.person('manager', '王主管');
    const put = (close: string) =>
      manager.ask('PUT', '/api/settings/quiet', {
        value: { quiet: { between: ['23:00', close], levels: [3] } },
        revision,
      });
    let revision = 0;
    await put('05:00');
    revision += 1;
    await put('06:00');
    await box.nobody().post('/api/login', { name: 'admin', password: 'wrong' });
    await box.registry.register({ id: 'lock-1', profile: 'esphome-lock', name: '车库门', place: '' }, 'user:王主管');
    await box.journal.append([
      {
        kind: 'door.result',
        actor: 'user:li',
        subject: 'lock-1',
        body: {
          ...{ command: '01a21d9e-a0cd-7e59-8b12-4c906ba91dca', alarm: '01a21d9e-a0cd-7e59-8b12-4c906ba91dcb' },
          ok: false,
          code: 'timeout',
          detail: '',
          ms: 5000,
        },
      },
    ]);
    const { page } = await visit(box);
    await signIn(page, 'admin', ADMIN);
    await page.waitForSelector('[data-pill=live].good');
    await page.goto(`${box.base}/#/settings/audit`);
    const first = (kind: string) => page.locator(`[data-kind="${kind}"]`).first();
    expect(await first('setting.changed').innerText()).toMatch(
      /王主管.*修改设置 · 免打扰\s+修改 · 时段：23:00–05:00 → 23:00–06:00$/s,
    );
    const made = page.locator('[data-kind="account.changed"]:has-text("新建")').first();
    expect(await made.innerText()).toContain('角色：主管');
    await page.click('.topics button:has-text("登录")');
    await first('session.refused').waitFor();
    expect(await first('session.refused').innerText()).toMatch(/系统.*账号：admin.*原因：用户名或密码不对/s);
    await page.click('.topics button:has-text("设备")');
    await first('device.registered').waitFor();
    expect(await first('device.registered').innerText()).toMatch(/名称：车库门.*登记于：页面.*有密钥：是/s);
    await page.click('.topics button:has-text("开门")');
    await first('door.result').waitFor();
    expect(await first('door.result').innerText()).toContain('车库门 (lock-1)');
    expect(await first('door.result').innerText()).toMatch(/成功：否 · 结果：设备未回应 · 用时：5000 毫秒$/);
    expect(await first('door.result').innerText()).not.toContain('01a21d9e');
    await page.click('.menu summary');
    await page.click('.menu button:has-text("English")');
    await expect.poll(() => first('door.result').innerText()).toContain('Result: No answer');
  });
});

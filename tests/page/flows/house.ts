import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { EVIL } from '../ugly.ts';
import { SECRET } from './compound.ts';
import { answer, go, shot, sound, type Visitor, word } from './visitor.ts';

/** What the administrator sets: the first start, every part of the settings, who may sign in. */

export async function welcomed({ admin, look, compound }: Visitor): Promise<void> {
  await compound.admin.ask('PUT', '/api/first-run', { state: 'due' });
  await go(admin, '#/');
  await admin.reload();
  await admin.waitForSelector('[data-step=password]');
  await shot(admin, look, 'welcome');
  for (const step of ['site', 'device', 'centre', 'sound']) {
    await admin.click('[data-next]');
    await admin.waitForSelector(`[data-step=${step}]`);
    expect(await sound(admin)).toEqual([]);
  }
  await admin.click('[data-sound]');
  await admin.waitForSelector('[data-pill=sound].good');
  await admin.click('[data-next]');
  await admin.click('[data-finish]');
  await admin.waitForURL(/#\/$/);
}

/** Saves a section as it stands, sees that it came from the page, and gives it back to the file. */
async function saved(page: Page, section: string, seen?: () => Promise<void>): Promise<void> {
  await page.click(`[data-section=${section}] footer button[type=submit]`);
  await page.waitForSelector(`[data-section=${section}] [data-source=page]`);
  await seen?.();
  await page.click(`[data-section=${section}] footer .plain`);
  await answer(page);
  await page.waitForSelector(`[data-section=${section}] [data-source=page]`, { state: 'detached' });
}

const part = async (page: Page, name: string, there: string): Promise<void> => {
  await go(page, `#/settings/${name}`);
  await page.waitForSelector(there);
  expect(await sound(page)).toEqual([]);
};

export async function set({ admin, look }: Visitor): Promise<void> {
  await part(admin, 'levels', '[data-section=levels] form');
  await admin.fill('[data-section=levels] [data-field="3.acknowledge"] input', '25');
  await saved(admin, 'levels', () => shot(admin, look, 'settings-levels'));
  await part(admin, 'rules', '[data-section=rules] form');
  await admin.click('[data-section=rules] form > fieldset > div > button');
  await admin.fill('[data-field="0.name"] input', EVIL);
  await admin.selectOption('[data-field="0.category"] select', 'door.*');
  await saved(admin, 'rules', () => shot(admin, look, 'settings-rules'));
  await part(admin, 'quiet', '[data-section=quiet] form');
  await admin.check('[data-quiet]');
  await saved(admin, 'quiet', () => shot(admin, look, 'settings-quiet'));
  await part(admin, 'retention', '[data-section=retention] form');
  await admin.fill('[data-section=retention] [data-field=messages] input', '40');
  await saved(admin, 'retention', () => shot(admin, look, 'settings-retention'));
  await part(admin, 'box', '[data-section=site] form');
  await admin.fill('[data-section=site] [data-field=name] input', '泉水花园二期');
  await saved(admin, 'site', () => shot(admin, look, 'settings-box'));
}

export async function kept({ admin, look }: Visitor): Promise<void> {
  await part(admin, 'backup', '.part header button.main');
  const before = await admin.locator('[data-backup]').count();
  await admin.click('.part header button.main');
  await admin.waitForSelector(`[data-backup] >> nth=${before}`);
  await shot(admin, look, 'settings-backup');
  await part(admin, 'certificates', 'a[href="/api/certificates/ca.crt"]');
  await shot(admin, look, 'settings-certificates');
  await part(admin, 'about', '[data-part=storage]');
  await admin.click('[data-verify]');
  await admin.waitForSelector('[data-verified=intact]');
  await shot(admin, look, 'settings-about');
  const [bundle] = await Promise.all([
    admin.waitForEvent('download', { timeout: 60_000 }),
    admin.click('[data-support]'),
  ]);
  expect(bundle.suggestedFilename()).toMatch(/^quanwei-support-.*\.tar\.gz$/);
  const files = gunzipSync(readFileSync(await bundle.path())).toString('latin1');
  for (const file of ['about.json', 'check.json', 'gateway.yaml', 'journal.ndjson']) expect(files).toContain(file);
  expect(files).not.toContain(SECRET);
  await part(admin, 'appearance', 'input[name=language]');
  await admin.check(`input[name=language][value=${word(look, 'en', 'zh')}]`);
  await admin.locator('h2', { hasText: word(look, 'Language and theme', '语言与外观') }).waitFor();
  await admin.check(`input[name=language][value=${look.language}]`);
  await shot(admin, look, 'settings-appearance');
}

export async function hired({ admin, look, compound }: Visitor): Promise<void> {
  const name = `wang-${look.n}`;
  await part(admin, 'accounts', '[data-account=admin]');
  await admin.click('.part header button.main');
  await answer(admin, { name, display: EVIL, role: 'viewer' });
  expect(((await admin.textContent('[data-once]')) ?? '').length).toBeGreaterThan(7);
  await admin.click('.once button.main');
  const row = admin.locator(`[data-account=${name}]`);
  expect(await row.locator('b').textContent()).toBe(EVIL);
  await shot(admin, look, 'settings-accounts');
  const deeds = row.locator('.buttons button');
  await deeds.nth(2).click();
  await answer(admin);
  await row.locator('.tag.bad').waitFor();
  await deeds.nth(3).click();
  await answer(admin);
  await row.waitFor({ state: 'detached' });
  // Every one of these changes is on record, with who made it.
  await part(admin, 'audit', '[data-kind="account.changed"]');
  await shot(admin, look, 'settings-audit');
  const page = '/api/journal?kinds=setting.changed,account.changed&order=newest&limit=100';
  const { entries } = (await compound.admin.get<{ entries: { kind: string; actor: string; subject: string }[] }>(page))
    .body;
  const told = new Set(
    entries.filter(({ actor }) => actor === 'user:admin').map(({ kind, subject }) => `${kind} ${subject}`),
  );
  for (const section of ['levels', 'rules', 'quiet', 'retention', 'site']) expect([...told].join()).toContain(section);
  expect([...told].join()).toContain(name);
}

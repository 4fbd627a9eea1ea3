import { expect } from 'vitest';
import { clickOn } from '../picture.ts';
import { planDrawing } from '../plan.ts';
import { EVIL } from '../ugly.ts';
import { answer, go, line, shot, sound, type Visitor, word } from './visitor.ts';

/** Where things are: the map, the cameras, the doors. */

/** A plan is put up, a door put on it; it is forced, flashes there, and leads to its alarm. */
export async function mapped({ admin, guard, look, compound }: Visitor): Promise<void> {
  const door = `face-${look.n}`;
  await go(admin, '#/map');
  await admin.waitForSelector('.plan-form');
  const picture = { name: '总平面图.png', mimeType: 'image/png', buffer: await planDrawing() };
  await admin.setInputFiles('.plan-form input[type=file]', picture);
  await admin.click('.plan-form button[type=submit]');
  await admin.waitForSelector('[data-stage] .picture');
  await admin.click('[data-edit]');
  await admin.focus(`[data-unplaced-device=${door}]`);
  await admin.keyboard.press('Enter');
  await admin.waitForSelector(`[data-pin=${door}]`);
  await shot(admin, look, 'map-edit');
  await admin.click('[data-edit]');
  await compound.face(look.n, 'Alarm', 'Alarm', { AlarmType: EVIL });
  await admin.locator(`[data-pin=${door}].alarm.l2`).click();
  await admin.waitForSelector('[data-card] a.alarm');
  expect(await sound(admin)).toEqual([]);
  await shot(admin, look, 'map-alarm');
  // The guard sees the same plan, and may change nothing on it.
  await go(guard, '#/map');
  await guard.waitForSelector(`[data-pin=${door}].alarm`);
  expect(await guard.locator('[data-edit]').count()).toBe(0);
  await admin.click('[data-card] a.alarm');
  await admin.waitForSelector('[data-case]');
  await admin.click('[data-deed=false]');
  await answer(admin, { reason: EVIL });
  await admin.waitForSelector('[data-handling=false]');
  await guard.locator(`[data-pin=${door}]:not(.alarm)`).waitFor();
  // The plan goes as it came, and the next one begins without any.
  await go(admin, '#/map');
  await admin.click('[data-edit]');
  await admin.getByRole('button', { name: word(look, '删除本图', 'Remove plan') }).click();
  await answer(admin, { reason: EVIL });
  await admin.waitForSelector('.plan-form');
}

/** The camera plays beside the others; in its room a fence is drawn, a point taken back, and saved. */
export async function fenced({ admin, look }: Visitor): Promise<void> {
  await go(admin, '#/video');
  await admin.waitForSelector('[data-tile=cam-1] [data-live=stream]');
  await shot(admin, look, 'video');
  await admin.click('[data-tile=cam-1] a[href="#/video/cam-1"]');
  await admin.waitForSelector('img.still');
  await admin.click('[data-add=fences]');
  await clickOn(admin, [0.2, 0.3], [0.5, 0.2]);
  await admin.click('[data-do=undo]');
  await clickOn(admin, [0.8, 0.3]);
  await admin.click('[data-do=finish]');
  await clickOn(admin, [0.2, 0.7], [0.8, 0.7]);
  await admin.click('[data-do=finish]');
  expect(await admin.locator('[data-point]').count()).toBe(4);
  await shot(admin, look, 'video-fence');
  await admin.click('[data-do=undo]');
  expect(await admin.locator('.shape.fences').count()).toBe(0);
  await admin.click('[data-do=redo]');
  // Back to all cameras is no other room: what was drawn is asked about all the same.
  await admin.click('a.back');
  await admin.waitForSelector('dialog.ask');
  await admin.keyboard.press('Escape');
  await admin.waitForSelector('dialog.ask', { state: 'detached' });
  expect(await admin.locator('.shape.fences').count()).toBe(1);
  await admin.click('[data-do=save]');
  await admin.waitForSelector('[data-source=page]');
  await admin.locator('.source button').click();
  await answer(admin);
  await admin.waitForSelector('[data-source=page]', { state: 'detached' });
  expect(await admin.locator('.shape.fences').count()).toBe(0);
}

/** Somebody passes, the guard opens for somebody else and says why, and both are on record. */
export async function opened({ guard, look, compound }: Visitor): Promise<void> {
  const door = `face-${look.n}`;
  const passing = {
    VerifyStatus: '1',
    PersonType: '0',
    similarity1: '83.0',
    personId: '3',
    customId: '1234567890123456789',
  };
  await go(guard, '#/doors');
  await guard.waitForSelector(`[data-door=${door}]`);
  await compound.face(look.n, 'Rec', 'RecPush', { ...passing, personName: `${EVIL}${look.n}` });
  await guard.click(`[data-door=${door}] .open`);
  await guard.locator('dialog .quick button').first().click();
  await shot(guard, look, 'doors-why');
  await guard.click('dialog button.main');
  await guard.waitForSelector(`[data-door=${door}] [data-result=opened]`);
  // The live stream may be faster than the answer: until that is there nothing can be typed behind the dialog.
  await guard.waitForSelector('dialog.ask', { state: 'detached' });
  await guard.waitForSelector('[data-record=opened]');
  await shot(guard, look, 'doors');
  await guard.fill('#record-text', `${EVIL}${look.n}`);
  const rows = guard.locator('[data-record]');
  await rows.locator('nth=1').waitFor({ state: 'detached' });
  await guard.selectOption('#record-door', door);
  await rows.locator('summary').click();
  expect(await rows.textContent()).toContain('1234567890123456789');
  await shot(guard, look, 'door-records');
  await guard.selectOption('#record-period', 'yesterday');
  await rows.first().waitFor({ state: 'detached' });
  expect(await sound(guard)).toEqual([]);
}

/** What a rule of a camera is called is text: on the board, on the wall and on the page of the alarm. */
export async function climbed({ guard, look, compound }: Visitor): Promise<void> {
  await go(guard, '#/');
  await compound.seen('climb', { stage: 'warn', track: 1, score: 0.8, zone: EVIL, rule: EVIL });
  const row = line(guard, 'now', '东墙摄像机');
  await row.waitFor();
  await go(guard, '#/wall');
  await guard.locator('.wall-screen li.alarm', { hasText: '东墙摄像机' }).waitFor();
  await shot(guard, look, 'wall');
  await go(guard, '#/');
  await row.locator('[data-control=open]').click();
  await guard.locator('.case dd', { hasText: EVIL }).first().waitFor();
  expect(await sound(guard)).toEqual([]);
  await shot(guard, look, 'rule');
  await guard.click('[data-deed=false]');
  await answer(guard, { reason: '是猫' });
  await guard.waitForSelector('[data-handling=false]');
}

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { PASSWORD } from '../../api/box.ts';
import { signIn } from '../browser.ts';
import { EVIL } from '../ugly.ts';
import { answer, choose, go, type Look, line, nameOf, SHOTS, shot, sound, type Visitor, word } from './visitor.ts';

/** What the guard does with alarms, from the device's message to the document in the file. */

export async function entering({ guard, look }: Visitor): Promise<void> {
  await shot(guard, look, 'sign-in');
  await signIn(guard, 'lidui', PASSWORD);
  await guard.waitForSelector('[data-pill=live].good');
  // Whoever has signed in by hand is heard from the first alarm on.
  await guard.waitForSelector('[data-pill=sound].good');
  await guard.waitForSelector('.quiet');
  await shot(guard, look, 'board-quiet');
}

/** Somebody rings up; it is written down, and it goes up when nobody takes it: `escalated` looks for that later. */
export async function reported({ guard, look }: Visitor): Promise<void> {
  await guard.click('[data-begin=report]');
  await answer(guard, { channel: 'phone', place: `${look.n + 1}号楼/电梯`, text: EVIL });
  await line(guard, 'now', '电梯').waitFor();
  expect(await guard.textContent('.toast')).toContain(word(look, '受理号', 'receipt'));
}

export async function escalated({ guard, look }: Visitor): Promise<void> {
  await go(guard, '#/');
  await line(guard, 'now', '电梯').locator('.tag.up').waitFor();
  await shot(guard, look, 'escalated');
  await line(guard, 'now', '电梯').locator('[data-deed=acknowledge]').click();
  await choose(guard, line(guard, 'hand', '电梯'), 'close');
  await answer(guard, { result: '已通知维保' });
  await line(guard, 'hand', '电梯').waitFor({ state: 'detached' });
}

/** In the words of this way of looking alone, so that the ledger can be asked for it. */
export const resultOf = (look: Look): string => `住户误按，现场已核实 ${nameOf(look)}`;

/** The button is pressed: the screen, the doors, the centre; then every step to the end of it, and the document. */
export async function fire({ guard, admin, look, compound }: Visitor): Promise<void> {
  await compound.press(look.n);
  await guard.waitForSelector('.takeover[open]');
  const screen = (await guard.textContent('.takeover')) ?? '';
  for (const said of [EVIL, `${look.n + 1}号楼`, word(look, '手动火灾报警', 'Fire button pressed')])
    expect(screen).toContain(said);
  await admin.waitForSelector('.takeover[open]');
  await shot(guard, look, 'takeover');
  const id = (await guard.getAttribute('.takeover .first', 'data-rings')) ?? '';
  await guard.click('.acknowledge:enabled');
  await guard.waitForSelector('.takeover', { state: 'detached' });
  // On every screen of the house.
  await admin.waitForSelector('.takeover', { state: 'detached' });
  const row = guard.locator(`[data-section=hand] [data-id="${id}"]`);
  await row.locator('[data-deed=accept]').click();
  await row.locator('[data-deed=handle]').waitFor();
  await shot(guard, look, 'board');
  await row.locator('[data-control=open]').click();
  await guard.waitForSelector(`[data-case="${id}"]`);
  await guard.locator('[aria-labelledby=case-linkage] .mark.good').nth(3).waitFor();
  await guard.waitForSelector('[data-sent=confirmed]');
  await guard.click('[data-deed=dispatch]');
  await answer(guard, { to: '王师傅', note: '带灭火器' });
  await guard.waitForSelector('[data-handling=dispatched]');
  await guard.click('[data-deed=note]');
  await answer(guard, { note: EVIL });
  await guard.locator('.steps').getByText(EVIL).first().waitFor();
  await guard.click('[data-deed=handle]');
  await answer(guard, { result: resultOf(look) });
  await guard.waitForSelector('[data-handling=handled]');
  await guard.click('[data-deed=close]');
  await answer(guard);
  await guard.waitForSelector('[data-handling=closed]');
  const kinds = await guard.locator('.steps li').evaluateAll((all) => all.map((one) => one.className));
  for (const kind of ['raised', 'acknowledged', 'accepted', 'dispatched', 'noted', 'handled', 'closed'])
    expect(kinds).toContain(`alarm-${kind}`);
  // The lock's own word for it (`ok`) is in nobody's language.
  await guard
    .locator('.case')
    .getByText(word(look, '开门结果 · 已打开', 'Result · Opened'))
    .first()
    .waitFor();
  expect(await guard.locator('.case').innerText()).not.toMatch(/· ok\b/);
  await shot(guard, look, 'case');
  expect(await sound(guard)).toEqual([]);
}

/** The document of the alarm that is open: seen when it is printed, on A4. */
export async function document({ guard, look }: Visitor): Promise<void> {
  expect(await guard.locator('.sheet').isVisible()).toBe(false);
  const file = join(SHOTS, `flow-sheet-${nameOf(look)}.pdf`);
  await guard.pdf({ path: file, preferCSSPageSize: true });
  expect(statSync(file).size).toBeGreaterThan(10_000);
  await guard.emulateMedia({ media: 'print' });
  const sheet = await guard.locator('.sheet').innerText();
  const onIt = [word(look, '警情处置单', 'Incident report'), EVIL, '王师傅', resultOf(look)];
  // What it set off, and what the centre said to it.
  const besides = [word(look, '联动', 'What it set off'), `${look.n + 1}号楼单元门`, word(look, '已确认', 'Confirmed')];
  for (const said of [...onIt, ...besides]) expect(sheet).toContain(said);
  expect(await guard.locator('.case').isVisible()).toBe(false);
  // What has just been said on the screen is no part of the document.
  expect(await guard.locator('.toasts').isVisible()).toBe(false);
  await guard.emulateMedia({ media: null });
  await go(guard, '#/');
}

/** A forced door that was none. */
export async function mistaken({ guard, look, compound }: Visitor): Promise<void> {
  await compound.face(look.n, 'Alarm', 'Alarm', { AlarmType: EVIL });
  const door = `${look.n + 1}号楼单元门`;
  await line(guard, 'now', door).waitFor();
  await choose(guard, line(guard, 'now', door), 'false');
  await answer(guard, { reason: '装修工人搬运' });
  await line(guard, 'now', door).waitFor({ state: 'detached' });
}

/** An e-bike is put on the shelf and taken down, an empty post becomes graver, and the one goes into the other. */
export async function sorted({ admin, look, compound }: Visitor): Promise<void> {
  await go(admin, '#/');
  const [bike, post] = [word(look, '电动车进楼', 'E-bike indoors'), word(look, '离岗', 'Post left unattended')];
  const here = (section: 'now' | 'hand' | 'aside', what: string) =>
    line(admin, section, what).filter({ hasText: `${look.n + 1}号楼单元门` });
  await compound.face(look.n, 'Snap', 'ElectricalBicycleSnapPush');
  await here('now', bike).waitFor();
  await choose(admin, here('now', bike), 'shelve');
  await shot(admin, look, 'shelve');
  await answer(admin, { minutes: '120', reason: '电梯维修' });
  await here('aside', bike).locator('.tag.shelf').waitFor();
  await choose(admin, here('aside', bike), 'unshelve');
  await here('now', bike).waitFor();

  await compound.face(look.n, 'Snap', 'LeaveSnapPush', { SnapID: `${Date.now()}1` });
  await here('now', post).waitFor();
  await choose(admin, here('now', post), 'regrade');
  await answer(admin, { level: '2', reason: '今夜无人在岗' });
  await here('now', post).and(admin.locator('.l2')).waitFor();
  const into = (await here('now', post).getAttribute('data-id')) ?? '';
  const id = (await here('now', bike).getAttribute('data-id')) ?? '';
  await choose(admin, here('now', bike), 'merge');
  await answer(admin, { into });
  await here('now', bike).waitFor({ state: 'detached' });
  await go(admin, `#/alarms/${id}`);
  await admin.locator(`a[href="#/alarms/${into}"]`).first().waitFor();
  await shot(admin, look, 'merged');
  await go(admin, '#/');
  await choose(admin, here('now', post), 'false');
  await answer(admin, { reason: '已有人接班' });
  await here('now', post).waitFor({ state: 'detached' });
}

/** All as in earnest, and nothing rings or opens. */
export async function drilled({ admin, guard, look }: Visitor): Promise<void> {
  await admin.click('[data-begin=drill]');
  await answer(admin, { place: '地下车库', text: '季度消防演练' });
  const row = line(guard, 'aside', '地下车库');
  await row.locator('.tag.drill').waitFor();
  expect(await guard.locator('.takeover, [data-banner=ringing]').count()).toBe(0);
  await shot(guard, look, 'drill');
  await row.locator('[data-deed=acknowledge]').click();
  await choose(guard, row, 'close');
  await answer(guard, { result: '演练结束' });
  await row.waitFor({ state: 'detached' });
}

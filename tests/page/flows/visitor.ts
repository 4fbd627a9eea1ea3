import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import type { Compound, Way } from './compound.ts';

/** Pictures of every step: artefacts of the run, for people to look at. */
export const SHOTS = process.env['QUANWEI_SHOTS'] ?? join(tmpdir(), 'quanwei-shots');

/** Of size, language and theme each pair is met, in half of the combinations. */
export const LOOKS = [
  { n: 0, size: { width: 1440, height: 900 }, language: 'zh', theme: 'dark' },
  { n: 1, size: { width: 1440, height: 900 }, language: 'en', theme: 'light' },
  { n: 2, size: { width: 390, height: 844 }, language: 'zh', theme: 'light' },
  { n: 3, size: { width: 390, height: 844 }, language: 'en', theme: 'dark' },
] as const satisfies readonly { n: Way; [key: string]: unknown }[];
export type Look = (typeof LOOKS)[number];

/** The guard and the administrator of one compound, each at a page of their own that looks like `look`. */
export interface Visitor {
  readonly compound: Compound;
  readonly look: Look;
  readonly guard: Page;
  readonly admin: Page;
}

export const nameOf = ({ size, language, theme }: Look): string => `${size.width}-${language}-${theme}`;
export const isPhone = ({ size }: Look): boolean => size.width < 768;
/** In the visitor's language. */
export const word = ({ language }: Look, zh: string, en: string): string => (language === 'zh' ? zh : en);

export async function shot(page: Page, look: Look, name: string): Promise<void> {
  mkdirSync(SHOTS, { recursive: true });
  const file = join(SHOTS, `flow-${name}-${nameOf(look)}.jpg`);
  await page.screenshot({ path: file, type: 'jpeg', quality: 80 });
}

/** To another view as a bookmark leads there: the page is not loaded again. */
export const go = (page: Page, hash: string): Promise<unknown> =>
  page.evaluate(`location.hash = ${JSON.stringify(hash)}`);

/** The dialog that asks for words, answered and sent. @param typed by the name of the field */
export async function answer(page: Page, typed: Record<string, string> = {}): Promise<void> {
  for (const [name, value] of Object.entries(typed)) {
    const field = page.locator(`#ask-${name}`);
    if ((await field.evaluate((one) => one.tagName)) === 'SELECT') await field.selectOption(value);
    else await field.fill(value);
  }
  await page.click('dialog.ask button[type=submit]');
  await page.waitForSelector('dialog.ask', { state: 'detached' });
}

/** A line of the board that names this place or device. */
export const line = (page: Page, section: 'now' | 'hand' | 'aside', words: string): Locator =>
  page.locator(`[data-section=${section}] article.alarm`, { hasText: words });

/** Does something that is not the next step. */
export async function choose(page: Page, row: Locator, deed: string): Promise<void> {
  await row.locator('[data-control=more]').click();
  await page.click(`.deed-menu [data-deed=${deed}]`);
}

/** Nothing is wider than the screen, and no name has become an element. */
export async function sound(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return [
      ...(scrollWidth > clientWidth ? ['is ' + (scrollWidth - clientWidth) + ' px wider than the screen'] : []),
      ...(document.querySelector('img[src=x]') === null ? [] : ['made a picture of a name']),
    ];
  })()`);
}

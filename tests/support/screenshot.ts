import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { chromiumFile } from './chromium.ts';
import { CLI, start } from './command.ts';

/**
 * The pictures of the README, taken from the demo as it is: `npx tsx tests/support/screenshot.ts`.
 * They are committed; run it again when the page has changed.
 */
const IMAGES = fileURLToPath(new URL('../../docs/images', import.meta.url));
/** By then a fire alarm, a climber and an SOS have come in. */
const WATCHED_MS = 60_000;
/** Time for a view to be read and drawn. */
const SETTLED_MS = 3_000;
const DESK = { width: 1440, height: 900 };
const PHONE = { width: 390, height: 844 };
const VIEWS = [
  ['board', '/'],
  ['wall', '/wall'],
  ['video', '/video'],
  ['devices', '/devices'],
  ['reports', '/reports'],
] as const;

const demo = start(process.execPath, [CLI, 'demo', '--json']);
demo.stderr?.pipe(process.stderr);
try {
  const lines = createInterface({ input: demo.stdout as NodeJS.ReadableStream });
  const [line] = (await once(lines, 'line')) as [string];
  const { page: address, login } = JSON.parse(line) as { page: string; login: { name: string; password: string } };
  const browser = await chromium.launch({ executablePath: chromiumFile('whole'), args: ['--no-sandbox'] });
  try {
    const context = await browser.newContext({
      viewport: DESK,
      locale: 'zh-CN',
      timezoneId: 'Asia/Shanghai',
    });
    const page = await context.newPage();
    await page.goto(address);
    await page.fill('#name', login.name);
    await page.fill('#password', login.password);
    await page.click('form.card button[type=submit]');
    await page.waitForTimeout(WATCHED_MS);
    mkdirSync(IMAGES, { recursive: true });
    // A level-1 alarm covers everything until somebody answers it: that picture first, then what is behind it.
    await page.screenshot({ path: `${IMAGES}/takeover.png` });
    await page.keyboard.press('Escape');
    for (const [name, path] of VIEWS) {
      await page.evaluate(`location.hash = ${JSON.stringify(path)}`);
      await page.waitForTimeout(SETTLED_MS);
      await page.screenshot({ path: `${IMAGES}/${name}.png` });
    }
    await page.setViewportSize(PHONE);
    await page.evaluate(`location.hash = '/'`);
    await page.waitForTimeout(SETTLED_MS);
    await page.screenshot({ path: `${IMAGES}/board-phone.png` });
  } finally {
    await browser.close();
  }
} finally {
  const gone = once(demo, 'exit');
  demo.kill('SIGINT');
  await gone;
}

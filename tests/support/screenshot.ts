import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { CLI, start } from './command.ts';

/**
 * The pictures of the README, taken from the demo as it is: `npx tsx tests/support/screenshot.ts`.
 * They are committed; run it again when the page has changed.
 */
const IMAGES = fileURLToPath(new URL('../../docs/images', import.meta.url));
/** By then a fire alarm, a climber and an SOS have come in. */
const WATCHED_MS = 50_000;

const demo = start(process.execPath, [CLI, 'demo', '--json']);
demo.stderr?.pipe(process.stderr);
try {
  const lines = createInterface({ input: demo.stdout as NodeJS.ReadableStream });
  const [line] = (await once(lines, 'line')) as [string];
  const { page: address, login } = JSON.parse(line) as { page: string; login: { name: string; password: string } };
  const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
  try {
    const context = await browser.newContext({
      viewport: { width: 1440, height: 900 },
      locale: 'zh-CN',
      timezoneId: 'Asia/Shanghai',
    });
    const page = await context.newPage();
    await page.goto(address);
    await page.fill('#name', login.name);
    await page.fill('#password', login.password);
    await page.click('button[type=submit]');
    await page.waitForTimeout(WATCHED_MS);
    mkdirSync(IMAGES, { recursive: true });
    await page.screenshot({ path: `${IMAGES}/board.png` });
    await page.setViewportSize({ width: 390, height: 844 });
    await page.screenshot({ path: `${IMAGES}/board-phone.png` });
  } finally {
    await browser.close();
  }
} finally {
  const gone = once(demo, 'exit');
  demo.kill('SIGINT');
  await gone;
}

import { existsSync } from 'node:fs';

/** Chromium with a window, as people have it. */
const WHOLE = '/usr/bin/chromium';
/** The same without all that a window needs: the tests of the page take half the time in it. */
const SHELL = '/usr/bin/chromium-headless-shell';

/** @param first which of the two, where both are there; `QUANWEI_CHROMIUM` names another */
export function chromiumFile(first: 'shell' | 'whole'): string {
  const order = first === 'shell' ? [SHELL, WHOLE] : [WHOLE, SHELL];
  return process.env['QUANWEI_CHROMIUM'] ?? order.find((file) => existsSync(file)) ?? WHOLE;
}

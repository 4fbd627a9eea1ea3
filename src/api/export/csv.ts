import { Readable } from 'node:stream';
import type { Cell } from './columns.ts';
import type { Sheet } from './sheet.ts';

/** Without it Excel takes UTF-8 for the code page of the computer, and Chinese for noise. */
const BOM = '\ufeff';
/** Begins a formula in one spreadsheet or another (OWASP, CSV injection); also after what Excel trims first. */
const FORMULA = /^\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/;
/** Taken for a number they lose leading noughts, or all digits after the fifteenth. */
const DIGITS = /^(0\d+|\d{12,})$/;

/** RFC 4180 with a byte order mark: one line of heads, then one line an alarm. */
export function csvOf(sheet: Sheet): Readable {
  return Readable.from(lines(sheet), { objectMode: false, highWaterMark: 64 * 1024 });
}

async function* lines({ columns, language, calendar, pages }: Sheet): AsyncGenerator<Buffer> {
  const shown = (cell: Cell): string => {
    if (cell === null) return '';
    if (typeof cell === 'object') return calendar.text(cell.time);
    return typeof cell === 'number' ? String(cell) : field(cell);
  };
  yield Buffer.from(`${BOM}${columns.map(({ head }) => field(head[language])).join(',')}\r\n`);
  for await (const alarms of pages) {
    let text = '';
    for (const alarm of alarms) text += `${columns.map((column) => shown(column.cell(alarm, language))).join(',')}\r\n`;
    if (text !== '') yield Buffer.from(text);
  }
}

/** Text that stays text: an apostrophe before whatever a spreadsheet would compute or shorten. */
export function field(text: string): string {
  const safe = FORMULA.test(text) || DIGITS.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

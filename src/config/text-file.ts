import { isUtf8 } from 'node:buffer';
import type { ConfigProblem } from './yaml-source.ts';

const BYTE_ORDER_MARK = '\uFEFF';

export type ReadText =
  | { readonly text: string; readonly problem: null }
  | { readonly text: null; readonly problem: ConfigProblem };

/**
 * The text of a hand-written file. Editors on Windows may save it in GBK: read as UTF-8 all Chinese in it would be
 * lost without a word, so it is refused. The byte order mark that others put before UTF-8 is no part of the text.
 */
export function readText(file: string, bytes: Buffer): ReadText {
  const text = bytes.toString('utf8');
  if (isUtf8(bytes)) return { text: text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text, problem: null };
  return {
    text: null,
    problem: {
      where: `${file}:${placeOf(firstWrongByte(bytes, text), bytes)}`,
      path: '',
      what: '不是 UTF-8 编码（可能是 GBK） · not UTF-8 (perhaps GBK)',
      hint: '用编辑器另存为 UTF-8 编码 · save it as UTF-8 in your editor',
    },
  };
}

/** What was wrong was read as U+FFFD, so that the text is other bytes from there on. */
function firstWrongByte(bytes: Buffer, text: string): number {
  const again = Buffer.from(text);
  const found = bytes.findIndex((byte, i) => byte !== again[i]);
  return found < 0 ? bytes.length : found;
}

/** `line:column`, in characters as everywhere. */
function placeOf(offset: number, bytes: Buffer): string {
  const lines = bytes.toString('utf8', 0, offset).split(/\r\n|\n/);
  return `${lines.length}:${(lines.at(-1) ?? '').length + 1}`;
}

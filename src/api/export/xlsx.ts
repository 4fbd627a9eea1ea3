import { Readable } from 'node:stream';
import { ZipFile } from 'yazl';
import type { Cell } from './columns.ts';
import type { Sheet } from './sheet.ts';

/** Rows a sheet of Excel holds; the first has the heads, the last says that there was more. */
const MOST_ROWS = 1_048_576;
/** Characters a cell of Excel holds. */
const MOST_TEXT = 32_767;
const MS_A_DAY = 86_400_000;
/** Excel counts days from the eve of 1900, which it takes for a leap year: 1970-01-01 is its day 25,569. */
const EPOCH_DAY = 25_569;
const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const OOXML = 'http://schemas.openxmlformats.org';
const MAIN = `${OOXML}/spreadsheetml/2006/main`;
const RELATIONS = `${OOXML}/package/2006/relationships`;
const OFFICE = `${OOXML}/officeDocument/2006/relationships`;
const CONTENT = 'application/vnd.openxmlformats-officedocument.spreadsheetml';
const STYLE = { head: 1, time: 2 } as const;
const MORE = {
  zh: '未完：超过一张表的行数，请缩小时间范围',
  en: 'There is more than a sheet holds: narrow the search',
};

/**
 * A workbook of one sheet (ECMA-376, 5th edition, part 1), written as it is read: nothing of it is ever whole in
 * memory, and zlib compresses it in threads of its own. Text is marked as text, so no cell is ever a formula.
 */
export function xlsxOf(sheet: Sheet): Readable {
  const zip = new ZipFile();
  const rows = Readable.from(sheetXml(sheet), { objectMode: false, highWaterMark: 64 * 1024 });
  for (const [name, text] of parts(sheet.title)) zip.addBuffer(Buffer.from(XML + text), name);
  zip.addReadStream(rows, 'xl/worksheets/sheet1.xml', { compressionLevel: 4 });
  zip.end();
  // yazl says it is a NodeJS.ReadableStream; it is a PassThrough.
  const out = zip.outputStream as Readable;
  zip.on('error', (thrown: Error) => out.destroy(thrown));
  // Whoever goes away is not written for any longer.
  out.once('close', () => rows.destroy());
  return out;
}

async function* sheetXml({ columns, language, calendar, pages }: Sheet): AsyncGenerator<Buffer> {
  const last = letters(columns.length - 1);
  const cols = columns.map(({ width }, i) => `<col min="${i + 1}" max="${i + 1}" width="${width}" customWidth="1"/>`);
  const heads = columns.map(({ head }) => text(head[language], ` s="${STYLE.head}"`)).join('');
  yield Buffer.from(
    `${XML}<worksheet xmlns="${MAIN}"><sheetViews><sheetView workbookViewId="0">` +
      '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>' +
      `<cols>${cols.join('')}</cols><sheetData><row>${heads}</row>`,
  );
  const written = (cell: Cell): string => {
    if (cell === null || cell === '') return '<c/>';
    if (typeof cell === 'string') return text(cell);
    if (typeof cell === 'number') return `<c><v>${cell}</v></c>`;
    return `<c s="${STYLE.time}"><v>${calendar.local(cell.time) / MS_A_DAY + EPOCH_DAY}</v></c>`;
  };
  let row = 1;
  for await (const alarms of pages) {
    let xml = '';
    for (const alarm of alarms.slice(0, MOST_ROWS - 1 - row)) {
      xml += `<row>${columns.map((column) => written(column.cell(alarm, language))).join('')}</row>`;
      row += 1;
    }
    const full = row === MOST_ROWS - 1;
    if (full) xml += `<row>${text(MORE[language])}</row>`;
    if (xml !== '') yield Buffer.from(xml);
    if (full) break;
  }
  yield Buffer.from(`</sheetData><autoFilter ref="A1:${last}${row}"/></worksheet>`);
}

const text = (value: string, attributes = ''): string =>
  `<c t="inlineStr"${attributes}><is><t xml:space="preserve">${escaped(value.slice(0, MOST_TEXT))}</t></is></c>`;

/** Without what XML 1.0 cannot say; half a surrogate pair becomes U+FFFD on its way into UTF-8. */
const escaped = (value: string): string =>
  value
    .replaceAll(/(?![\t\n\r])\p{Cc}|[\ufffe\uffff]/gu, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');

/** 0 → A, 26 → AA */
const letters = (n: number): string =>
  n < 26 ? String.fromCharCode(65 + n) : letters(Math.floor(n / 26) - 1) + letters(n % 26);

/** Everything but the sheet. */
function parts(title: string): [name: string, xml: string][] {
  const name = escaped(title.replaceAll(/[\\/?*[\]:]/g, ' ').slice(0, 31)).replaceAll('"', '&quot;');
  const part = (path: string, type: string) => `<Override PartName="/${path}" ContentType="${CONTENT}.${type}+xml"/>`;
  const relation = (id: string, type: string, target: string) =>
    `<Relationship Id="${id}" Type="${OFFICE}/${type}" Target="${target}"/>`;
  return [
    [
      '[Content_Types].xml',
      `<Types xmlns="${OOXML}/package/2006/content-types">` +
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>' +
        part('xl/workbook.xml', 'sheet.main') +
        part('xl/worksheets/sheet1.xml', 'worksheet') +
        `${part('xl/styles.xml', 'styles')}</Types>`,
    ],
    [
      '_rels/.rels',
      `<Relationships xmlns="${RELATIONS}">${relation('rId1', 'officeDocument', 'xl/workbook.xml')}</Relationships>`,
    ],
    [
      'xl/workbook.xml',
      `<workbook xmlns="${MAIN}" xmlns:r="${OFFICE}"><sheets><sheet name="${name}" sheetId="1" r:id="rId1"/></sheets></workbook>`,
    ],
    [
      'xl/_rels/workbook.xml.rels',
      `<Relationships xmlns="${RELATIONS}">${relation('rId1', 'worksheet', 'worksheets/sheet1.xml')}` +
        `${relation('rId2', 'styles', 'styles.xml')}</Relationships>`,
    ],
    [
      'xl/styles.xml',
      `<styleSheet xmlns="${MAIN}"><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>` +
        '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>' +
        '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>' +
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>' +
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>' +
        '<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>' +
        '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>' +
        '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs></styleSheet>',
    ],
  ];
}

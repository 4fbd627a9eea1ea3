import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { field } from '../../src/api/export/csv.ts';
import { dataDir } from '../support/data-dir.ts';
import { Box, type Person } from './box.ts';
import { seedYears } from './ledger-rows.ts';

const ROWS = 100_000;
const READER = fileURLToPath(new URL('read-xlsx.py', import.meta.url));
/** 2026-11-26 12:00 in Shanghai */
const NOON = Date.UTC(2026, 10, 26, 4);

interface Workbook {
  rows: number;
  first: (string | number | null)[][];
  last: (string | number | null)[];
  formulas: number;
}

async function download(
  person: Person,
  query: string,
  often = 8_000_000,
): Promise<{ head: Headers; bytes: Buffer; grown: number }> {
  const answer = await fetch(`${person.base}/api/alarms/export?${query}`, { headers: { cookie: person.cookie } });
  expect(answer.status).toBe(200);
  const parts: Uint8Array[] = [];
  const before = memory();
  let [most, received, looked] = [before, 0, 0];
  for await (const part of answer.body as AsyncIterable<Uint8Array>) {
    parts.push(part);
    received += part.length;
    if (received - looked < often) continue;
    looked = received;
    // What has been received is the test's own.
    most = Math.max(most, memory() - received);
  }
  return { head: answer.headers, bytes: Buffer.concat(parts), grown: most - before };
}
/** What is in use, in the heap and outside of it, once what is not has been swept. */
const memory = (): number => {
  sweep();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};
setFlagsFromString('--expose-gc');
const sweep = runInNewContext('gc') as () => void;

function opened(bytes: Buffer): Workbook {
  const file = join(dataDir(), 'ledger.xlsx');
  writeFileSync(file, bytes);
  return JSON.parse(execFileSync('python3', [READER, file], { encoding: 'utf8' })) as Workbook;
}

/** Fields of a line without quotes in it. */
const fields = (line: string | undefined): string[] => line?.split(',') ?? [];

describe('the ledger as a file', () => {
  test('a hundred thousand rows go out as CSV and as XLSX, exactly, without being held in memory', {
    timeout: 240_000,
  }, async () => {
    const box = await Box.start();
    await seedYears(box, ROWS, NOON);
    const manager = await box.person('manager');

    const csv = await download(manager, 'format=csv');
    const lines = csv.bytes.toString('utf8').split('\r\n');
    expect(lines.pop()).toBe('');
    expect(lines).toHaveLength(ROWS + 1);
    expect(lines[0]?.startsWith('\ufeff发生时间,级别,类别,位置')).toBe(true);
    expect(lines[1]).toContain('2026-11-26 12:00:00,三级,门未关,');
    expect(new Set(lines.map((line) => line.slice(-36))).size).toBe(ROWS + 1);
    expect(csv.grown).toBeLessThan(24 * 1024 * 1024);

    const xlsx = await download(manager, 'format=xlsx&lang=en', 800_000);
    const book = opened(xlsx.bytes);
    expect(book.rows).toBe(ROWS + 1);
    expect(book.formulas).toBe(0);
    expect(book.first[0]?.slice(0, 4)).toEqual(['Raised', 'Level', 'Category', 'Place']);
    expect(book.first[1]?.slice(0, 6)).toEqual([
      '2026-11-26 12:00:00',
      'L3',
      'Door held open',
      '0号楼/4单元',
      `=HYPERLINK("http://x","单元门${ROWS}")`,
      '8800000000000000000',
    ]);
    expect(book.first[1]).toContain('门已关好，<已告知> & 住户');
    expect(book.last.at(-1)).toBe('01900000-0001-7000-8000-000000000001');
    expect(xlsx.grown).toBeLessThan(24 * 1024 * 1024);
  });

  test('has what the search finds, under a name in Chinese', async () => {
    const box = await Box.start();
    await seedYears(box, 300, NOON);
    const operator = await box.person('operator');
    const { head, bytes } = await download(operator, 'format=csv&level=1&person=%E6%9D%8E%E5%BC%BA&state=closed');
    expect(bytes.toString('utf8').split('\r\n')).toHaveLength(1 + 0 + 1);
    const { bytes: all } = await download(operator, `format=csv&level=1&from=${NOON - 200 * 60_000}`);
    expect(all.toString('utf8').match(/烟雾报警/g)).toHaveLength(2);
    expect(head.get('content-type')).toBe('text/csv; charset=utf-8');
    const name = /filename\*=UTF-8''(\S+)$/.exec(head.get('content-disposition') ?? '')?.[1] ?? '';
    expect(decodeURIComponent(name)).toMatch(/^泉水花园-警情台账-\d{4}-\d\d-\d\d\.csv$/);
  });

  test('is recorded with who took what; names of residents are for managers, nothing is for viewers', async () => {
    const box = await Box.start();
    await seedYears(box, 3, NOON);
    const [viewer, operator, manager] = [
      await box.person('viewer'),
      await box.person('operator'),
      await box.person('manager'),
    ];
    expect((await viewer.get('/api/alarms/export?format=csv')).status).toBe(403);
    const plain = (await download(operator, 'format=csv&place=1')).bytes.toString('utf8');
    expect(plain).not.toContain('张三');
    expect(fields(plain.split('\r\n')[0])).not.toContain('反映人');
    const whole = (await download(manager, 'format=csv&text=%E9%97%A8')).bytes.toString('utf8');
    expect(whole).toContain("张三,'05128888");
    const entries = box.journal.read({ kinds: ['ledger.exported'], limit: 9 });
    expect(entries.map(({ actor, body }) => [actor, body])).toEqual([
      ['user:operator', { format: 'csv', personal: false, search: { state: 'all', place: '1' } }],
      ['user:manager', { format: 'csv', personal: true, search: { state: 'all', text: '门' } }],
    ]);
  });

  test('two at a time; whoever goes away makes room', { timeout: 60_000 }, async () => {
    const box = await Box.start();
    await seedYears(box, 60_000, NOON);
    const operator = await box.person('operator');
    const begin = async (): Promise<AbortController> => {
      const abort = new AbortController();
      const answer = await fetch(`${box.base}/api/alarms/export?format=csv`, {
        headers: { cookie: operator.cookie },
        signal: abort.signal,
      });
      expect(answer.status).toBe(200);
      return abort;
    };
    const [one, two] = [await begin(), await begin()];
    const third = await operator.get<{ error: { message: string } }>('/api/alarms/export?format=xlsx');
    expect(third.status).toBe(429);
    expect(third.body.error.message).toContain('正在导出');
    for (const begun of [one, two]) begun.abort();
    let status = 429;
    for (const end = performance.now() + 10_000; status === 429 && performance.now() < end; ) {
      ({ status } = await operator.get('/api/alarms/export?format=csv&from=1&to=2'));
    }
    expect(status).toBe(200);
  });

  test.each([
    ['=1+1', "'=1+1"],
    ['  =1+1', "'  =1+1"],
    ['+8613800138000', "'+8613800138000"],
    ['-2', "'-2"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', "'\t=1"],
    ['=HYPERLINK("http://x")', '"\'=HYPERLINK(""http://x"")"'],
    ['8800000000000000001', "'8800000000000000001"],
    ['05128888', "'05128888"],
    ['13800138000', '13800138000'],
    ['1号楼,大厅', '"1号楼,大厅"'],
    ['两\n行', '"两\n行"'],
    ['1号楼/2单元', '1号楼/2单元'],
  ])('%j is written so that a spreadsheet shows it and does nothing', (text, written) => {
    expect(field(text)).toBe(written);
  });
});

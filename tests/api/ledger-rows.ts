import type { Box } from './box.ts';

/** Rows as a compound has them after years, one a minute up to `last`, written straight into the table. */
export async function seedYears(box: Box, rows: number, last: number): Promise<void> {
  await box.journal.write([
    {
      sql: `WITH RECURSIVE given(rows, last) AS (SELECT ?, ?),
          i(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM i, given WHERE k < rows)
        INSERT INTO alarms (id, live, raised_at, device, category, place, level, handling, condition, drill, replayed,
          count, entered, last_at, asked_at, acknowledged_at, answered_ms, closed_at, escalations, revision, kind, channel,
          device_name, acknowledged_by, closed_by, handled_by, assignee, result, detail, evidence)
        SELECT unhex(printf('0190%08x70008000%012x', k, k)), 0, last - (rows - k) * 60000, '8800000000000000' || printf('%03d', k % 500),
          CASE WHEN k % 100 = 7 THEN 'fire.smoke' ELSE 'door.held' END, (k % 40) || '号楼/' || (k % 6) || '单元',
          CASE WHEN k % 100 = 7 THEN 1 ELSE 3 END, CASE WHEN k % 10 = 3 THEN 'false' ELSE 'closed' END, 'normal', 0, 0,
          1, 1, last - (rows - k) * 60000, last - (rows - k) * 60000, last - (rows - k) * 60000 + 30000, 30000,
          last - (rows - k) * 60000 + 90000, 0, 4, 'level', 'device', '=HYPERLINK("http://x","单元门' || k || '")',
          CASE WHEN k % 2 = 0 THEN '李强' ELSE '王芳' END, '王芳', '王芳', '王芳', '门已关好，<已告知> & 住户',
          '{"reporter":"张三","contact":"05128888"}', '[]' FROM i, given`,
      params: [rows, last],
    },
  ]);
}

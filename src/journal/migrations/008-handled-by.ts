import type { Migration } from './migration.ts';

export default {
  version: 8,
  name: 'handled-by',
  sql: `
-- Who handled an alarm, which need not be who had it or who closed it: the ledger is searched by person.
ALTER TABLE alarms ADD COLUMN handled_by TEXT;
UPDATE alarms SET handled_by = (
  SELECT CASE WHEN actor LIKE 'user:%' THEN substr(actor, 6) ELSE actor END FROM entries
  WHERE kind = 'alarm.handled' AND kind <> 'message' AND subject = substr(lower(hex(alarms.id)), 1, 8) || '-'
    || substr(lower(hex(alarms.id)), 9, 4) || '-' || substr(lower(hex(alarms.id)), 13, 4) || '-'
    || substr(lower(hex(alarms.id)), 17, 4) || '-' || substr(lower(hex(alarms.id)), 21)
  ORDER BY seq DESC LIMIT 1
) WHERE result IS NOT NULL;
`,
} satisfies Migration;

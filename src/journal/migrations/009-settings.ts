import type { Migration } from './migration.ts';

export default {
  version: 9,
  name: 'settings',
  sql: `
-- What people set on the page. A section of the configuration ('alarms.levels', as 'levels') overrides the file; 'value'
-- is JSON in the form the file has. No secret is in here. 'revision' rises with every change of that name, also through
-- a reset, whose value is null.
CREATE TABLE settings (
  name TEXT PRIMARY KEY,
  value TEXT,
  revision INTEGER NOT NULL,
  changed INTEGER NOT NULL,
  actor TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`,
} satisfies Migration;

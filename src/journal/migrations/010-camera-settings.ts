import type { Migration } from './migration.ts';

export default {
  version: 10,
  name: 'camera-settings',
  sql: `
-- Settings of cameras that were made on the page and stand in place of the file's: JSON as a person writes it, checked by
-- the schema of the configuration when it is read.
CREATE TABLE camera_settings (
  camera TEXT PRIMARY KEY,
  settings TEXT NOT NULL,
  changed INTEGER NOT NULL,
  actor TEXT NOT NULL
) STRICT, WITHOUT ROWID;
`,
} satisfies Migration;

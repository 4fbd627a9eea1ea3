import type { Migration } from './migration.ts';

export default {
  version: 5,
  name: 'upstream',
  sql: `
-- Orders from the centre, by the id the centre gave them: a second copy gets the same answer and is not carried out.
-- 'reply' is null while an order is being carried out, and after a power cut in the middle of it.
CREATE TABLE orders (
  id TEXT PRIMARY KEY,
  type TEXT NOT NULL,
  received INTEGER NOT NULL,
  reply TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX orders_received ON orders (received);
`,
} satisfies Migration;

import type { Migration } from './migration.ts';

export default {
  version: 11,
  name: 'answered',
  sql: `
-- The longest an alarm has asked for an acknowledgement before it got one, ms. It may ask again and again; of those before this
-- column only the last is known.
ALTER TABLE alarms ADD COLUMN answered_ms INTEGER;
UPDATE alarms SET answered_ms = acknowledged_at - asked_at WHERE acknowledged_at >= asked_at;
`,
} satisfies Migration;

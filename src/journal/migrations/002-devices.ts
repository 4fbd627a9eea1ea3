import type { Migration } from './migration.ts';

export default {
  version: 2,
  name: 'devices',
  sql: `
-- Every registered device. 'managed' says where it is changed: in the configuration file or on the page.
-- 'secret_digest' (keyed, of a secret that stands in the file) tells whether 'secret_hash' still belongs to it.
CREATE TABLE devices (
  id TEXT PRIMARY KEY,
  managed TEXT NOT NULL CHECK (managed IN ('file', 'page')),
  profile TEXT NOT NULL,
  name TEXT NOT NULL,
  place TEXT NOT NULL,
  hub TEXT,
  parent TEXT,
  params TEXT NOT NULL,
  silent_after INTEGER,
  enabled INTEGER NOT NULL,
  secret_hash TEXT,
  secret_digest BLOB
) STRICT, WITHOUT ROWID;

-- How each was when last written down; memory is ahead of this by up to some minutes of 'last_seen'.
-- 'told' is what the newest 'device.state' entry says.
CREATE TABLE device_states (
  id TEXT PRIMARY KEY,
  online INTEGER,
  since INTEGER,
  last_seen INTEGER,
  battery INTEGER,
  firmware TEXT,
  address TEXT,
  clock_offset INTEGER,
  told TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Who knocked and is not registered. 'via' is the hub it spoke through, or '' for a login.
CREATE TABLE device_candidates (
  via TEXT NOT NULL,
  key TEXT NOT NULL,
  hint TEXT NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (via, key)
) STRICT, WITHOUT ROWID;
`,
} satisfies Migration;

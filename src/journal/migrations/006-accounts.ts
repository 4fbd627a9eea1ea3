import type { Migration } from './migration.ts';

export default {
  version: 6,
  name: 'accounts',
  sql: `
-- People who sign in to the page. 'hash' is what devices/secret.ts makes of the password.
CREATE TABLE accounts (
  name TEXT PRIMARY KEY,
  display TEXT NOT NULL,
  role TEXT NOT NULL,
  hash TEXT NOT NULL,
  must_change INTEGER NOT NULL,
  disabled INTEGER NOT NULL,
  created INTEGER NOT NULL,
  changed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Who is signed in. 'key' is the sha256 of the token in the cookie: a copy of this table lets nobody in.
CREATE TABLE sessions (
  key BLOB PRIMARY KEY,
  account TEXT NOT NULL,
  opened INTEGER NOT NULL,
  used INTEGER NOT NULL,
  ends INTEGER NOT NULL,
  address TEXT NOT NULL,
  agent TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_account ON sessions (account);
`,
} satisfies Migration;

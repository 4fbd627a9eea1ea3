import type { Migration } from './migration.ts';

export default {
  version: 1,
  name: 'journal',
  sql: `
-- One row per process start. 'stopped' is set by an orderly end: without it the last one was cut short.
CREATE TABLE boots (
  n INTEGER PRIMARY KEY,
  boot TEXT NOT NULL UNIQUE,
  wall INTEGER NOT NULL,
  stopped INTEGER
) STRICT;

-- The journal. Columns a reader nearly always wants come before the body, which may run over into further pages.
-- 'body_hash' is filled when a body is erased; while the body is there it is computed from it.
CREATE TABLE entries (
  seq INTEGER PRIMARY KEY,
  id BLOB NOT NULL,
  kind TEXT NOT NULL,
  actor TEXT NOT NULL,
  subject TEXT,
  wall INTEGER NOT NULL,
  boot INTEGER NOT NULL,
  mono INTEGER NOT NULL,
  clock INTEGER NOT NULL,
  device_time INTEGER,
  lane INTEGER,
  key BLOB,
  hash BLOB NOT NULL,
  body_hash BLOB,
  body TEXT
) STRICT;

-- Alarms, which overtake everything else on the way to the centre: two places to append at. Lanes 2 and 3 are most of
-- what there is; an index would cost every commit a page more, and reading on from a cursor meets them anyway.
CREATE INDEX entries_urgent ON entries (lane) WHERE lane IN (0, 1);
-- Timelines, and the rarer kinds. What devices say ('message') is left out: it is nearly everything, and each would
-- touch a page of its own for every entry; 'segments' tells where to look for those instead.
CREATE INDEX entries_subject ON entries (subject) WHERE subject IS NOT NULL AND kind <> 'message';
CREATE INDEX entries_kind ON entries (kind) WHERE kind <> 'message';

-- Every 2,048 entries: how many lie in lanes 2 and 3, and which subjects their messages are about, as ',a,b,c,'.
CREATE TABLE segments (
  last INTEGER PRIMARY KEY,
  lane2 INTEGER NOT NULL,
  lane3 INTEGER NOT NULL,
  subjects TEXT NOT NULL
) STRICT;

-- Every 8,192 entries: their content keys, 16 bytes each, in order.
CREATE TABLE key_runs (
  last INTEGER PRIMARY KEY,
  keys BLOB NOT NULL
) STRICT;

-- Stretches removed by retention. 'hash' is that of the entry 'last', so that the chain goes on behind it.
CREATE TABLE anchors (
  first INTEGER PRIMARY KEY,
  last INTEGER NOT NULL,
  hash BLOB NOT NULL
) STRICT;

-- How far each follower has come.
CREATE TABLE cursors (
  name TEXT PRIMARY KEY,
  seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`,
} satisfies Migration;

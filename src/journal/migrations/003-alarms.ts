import type { Migration } from './migration.ts';

export default {
  version: 3,
  name: 'alarms',
  sql: `
-- Every alarm as its newest 'alarm.*' entry left it; what people search and KPIs are counted in. 'n' is the order in
-- which they were raised. 'live': the gateway holds it in memory: it is open, or closed while its device still reports
-- the condition. 'entered': the count its newest entry tells; a chattering device is counted here at once and entered
-- in the journal a moment later.
CREATE TABLE alarms (
  n INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  live INTEGER NOT NULL,
  raised_at INTEGER NOT NULL,
  device TEXT NOT NULL,
  category TEXT NOT NULL,
  place TEXT NOT NULL,
  level INTEGER NOT NULL,
  handling TEXT NOT NULL,
  condition TEXT NOT NULL,
  drill INTEGER NOT NULL,
  replayed INTEGER NOT NULL,
  count INTEGER NOT NULL,
  entered INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  asked_at INTEGER NOT NULL,
  cleared_at INTEGER,
  acknowledged_at INTEGER,
  closed_at INTEGER,
  shelved_until INTEGER,
  escalations INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  kind TEXT NOT NULL,
  channel TEXT NOT NULL,
  device_name TEXT NOT NULL,
  device_time INTEGER,
  acknowledged_by TEXT,
  closed_by TEXT,
  assignee TEXT,
  result TEXT,
  merged_into BLOB,
  previous BLOB,
  detail TEXT NOT NULL,
  evidence TEXT NOT NULL
) STRICT;

CREATE INDEX alarms_live ON alarms (live) WHERE live = 1;
CREATE INDEX alarms_raised ON alarms (raised_at);
CREATE INDEX alarms_device ON alarms (device, category);
CREATE INDEX alarms_category ON alarms (category);
CREATE INDEX alarms_place ON alarms (place);
CREATE INDEX alarms_level ON alarms (level);

-- Until when what must have been done, in the wall time of the row in 'deadline_clock'; 'due' is NULL once everybody
-- has been told. 'what': acknowledge, close, shelve.
CREATE TABLE deadlines (
  alarm BLOB NOT NULL,
  what TEXT NOT NULL,
  due INTEGER,
  every INTEGER NOT NULL,
  missed INTEGER NOT NULL,
  PRIMARY KEY (alarm, what)
) STRICT, WITHOUT ROWID;

-- One row: what the wall clock showed when the deadlines were last looked at; docs/decisions says what for.
CREATE TABLE deadline_clock (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  boot TEXT NOT NULL,
  wall INTEGER NOT NULL,
  mono INTEGER NOT NULL,
  synced INTEGER NOT NULL,
  seq INTEGER NOT NULL
) STRICT;
`,
} satisfies Migration;

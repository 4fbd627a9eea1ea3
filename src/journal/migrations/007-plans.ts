import type { Migration } from './migration.ts';

export default {
  version: 7,
  name: 'plans',
  sql: `
-- Plans of the compound that the page draws devices on. 'rank' is their order; 'sha256' that of the picture, hex.
CREATE TABLE plans (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  rank INTEGER NOT NULL,
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  changed INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The pictures (WebP), apart: whoever lists plans does not drag them along.
CREATE TABLE plan_pictures (
  plan TEXT PRIMARY KEY,
  picture BLOB NOT NULL
) STRICT;

-- Where a device is: one place on one plan. 'x' and 'y' are 0-1 of the plan's width and height, from its upper left.
CREATE TABLE plan_devices (
  device TEXT PRIMARY KEY,
  plan TEXT NOT NULL,
  x REAL NOT NULL,
  y REAL NOT NULL
) STRICT, WITHOUT ROWID;

-- Buildings, units and other areas: 'points' is JSON [[x,y],...], of one point for a mere label. 'opens' is the plan
-- that shows its inside.
CREATE TABLE plan_areas (
  id TEXT PRIMARY KEY,
  plan TEXT NOT NULL,
  name TEXT NOT NULL,
  points TEXT NOT NULL,
  opens TEXT
) STRICT, WITHOUT ROWID;
`,
} satisfies Migration;

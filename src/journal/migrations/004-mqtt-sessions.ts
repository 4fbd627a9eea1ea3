import type { Migration } from './migration.ts';

export default {
  version: 4,
  name: 'mqtt-sessions',
  sql: `
-- What MQTT keeps between connections. 'client' is DEVICE/CLIENT-ID: no device can name another's session.
CREATE TABLE mqtt_sessions (
  client TEXT PRIMARY KEY,
  seen INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE mqtt_subscriptions (
  client TEXT NOT NULL,
  topic TEXT NOT NULL,
  qos INTEGER NOT NULL,
  options TEXT,
  PRIMARY KEY (client, topic)
) STRICT, WITHOUT ROWID;

-- QoS 1 and 2 messages a client has not acknowledged, in the order of 'n'. 'cmd' is 'pubrel' once it has received a QoS 2 one.
CREATE TABLE mqtt_outgoing (
  n INTEGER PRIMARY KEY,
  client TEXT NOT NULL,
  cmd TEXT NOT NULL,
  topic TEXT,
  payload BLOB,
  qos INTEGER NOT NULL,
  retain INTEGER NOT NULL,
  message_id INTEGER
) STRICT;

-- Identifiers of QoS 2 messages accepted from a client and not yet released by it.
CREATE TABLE mqtt_incoming (
  client TEXT NOT NULL,
  message_id INTEGER NOT NULL,
  PRIMARY KEY (client, message_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE mqtt_retained (
  topic TEXT PRIMARY KEY,
  payload BLOB NOT NULL,
  qos INTEGER NOT NULL,
  owner TEXT
) STRICT;

CREATE TABLE mqtt_wills (
  client TEXT PRIMARY KEY,
  topic TEXT NOT NULL,
  payload BLOB NOT NULL,
  qos INTEGER NOT NULL,
  retain INTEGER NOT NULL
) STRICT;
`,
} satisfies Migration;

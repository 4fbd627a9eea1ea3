import journal from './001-journal.ts';
import devices from './002-devices.ts';
import alarms from './003-alarms.ts';
import mqttSessions from './004-mqtt-sessions.ts';
import upstream from './005-upstream.ts';
import accounts from './006-accounts.ts';
import plans from './007-plans.ts';
import handledBy from './008-handled-by.ts';
import settings from './009-settings.ts';
import cameraSettings from './010-camera-settings.ts';
import answered from './011-answered.ts';
import type { Migration } from './migration.ts';

/** All of them, in order. A room that needs tables writes its own file and adds its line. */
export const MIGRATIONS: readonly Migration[] = [
  journal,
  devices,
  alarms,
  mqttSessions,
  upstream,
  accounts,
  plans,
  handledBy,
  settings,
  cameraSettings,
  answered,
];

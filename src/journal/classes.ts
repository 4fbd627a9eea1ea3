import type { RetentionConfig } from '../config/schema.ts';
import type { EntryKind } from './entry.ts';

/** What kinds of records there are to keep or let go, the least missed first: the order in which a full disk is relieved. */
export const RECORD_CLASSES = ['unknown', 'messages', 'access', 'audit', 'alarms'] as const;
export type RecordClass = (typeof RECORD_CLASSES)[number] & keyof RetentionConfig;

/** Lane of a message that tells who passed a door. */
const ACCESS_LANE = 2;

/** The one table of which entry belongs where. A `message` belongs to `access` when it travels in lane 2. */
const CLASS_OF: Record<EntryKind, RecordClass> = {
  message: 'messages',
  unknown: 'unknown',
  'alarm.raised': 'alarms',
  'alarm.repeated': 'alarms',
  'alarm.regraded': 'alarms',
  'alarm.cleared': 'alarms',
  'alarm.acknowledged': 'alarms',
  'alarm.escalated': 'alarms',
  'alarm.accepted': 'alarms',
  'alarm.dispatched': 'alarms',
  'alarm.handled': 'alarms',
  'alarm.returned': 'alarms',
  'alarm.closed': 'alarms',
  'alarm.false': 'alarms',
  'alarm.merged': 'alarms',
  'alarm.shelved': 'alarms',
  'alarm.unshelved': 'alarms',
  'alarm.reset': 'alarms',
  'alarm.noted': 'alarms',
  'device.registered': 'audit',
  'device.updated': 'audit',
  'device.removed': 'audit',
  'device.state': 'messages',
  'device.candidate': 'messages',
  'door.command': 'audit',
  'door.result': 'audit',
  'door.decision': 'audit',
  'plan.changed': 'audit',
  'media.viewed': 'audit',
  'ledger.exported': 'audit',
  'order.received': 'audit',
  'order.replied': 'audit',
  'account.changed': 'audit',
  'session.opened': 'audit',
  'session.refused': 'audit',
  'setting.changed': 'audit',
  'system.started': 'audit',
  'system.stopped': 'audit',
  'system.clock': 'audit',
  'system.storage': 'audit',
  'system.dropped': 'audit',
  'system.backup': 'audit',
  'system.retention': 'audit',
  'upstream.rejected': 'audit',
};

export const classOf = (entry: { kind: EntryKind; lane: number | null }): RecordClass =>
  entry.kind === 'message' && entry.lane === ACCESS_LANE ? 'access' : CLASS_OF[entry.kind];

/** The same as a condition on `entries`, written so that the partial index on `kind` serves the rarer classes. */
export function conditionOf(record: RecordClass): string {
  if (record === 'access') return `kind = 'message' AND lane = ${ACCESS_LANE}`;
  const kinds = (Object.keys(CLASS_OF) as EntryKind[]).filter(
    (kind) => CLASS_OF[kind] === record && kind !== 'message',
  );
  const rare = `(kind <> 'message' AND kind IN (${kinds.map((kind) => `'${kind}'`).join(', ')}))`;
  return record === 'messages' ? `((kind = 'message' AND lane IS NOT ${ACCESS_LANE}) OR ${rare})` : rare;
}

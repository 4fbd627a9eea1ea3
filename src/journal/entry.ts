import type { ClockState } from '../kernel/clock.ts';

/**
 * Every kind of journal entry. The first word is the room that appends it. A kind is never renamed: old journals keep it.
 */
export const ENTRY_KINDS = [
  'message', // a device message, decoded: its events, and what it said (redacted, bounded)
  'unknown', // a device message that could not be decoded, raw
  'alarm.raised',
  'alarm.repeated', // the same condition again inside the flood window, or a latched one: count + 1
  'alarm.regraded', // the level rose; asks for acknowledgement again
  'alarm.cleared', // the condition went away by itself
  'alarm.acknowledged',
  'alarm.escalated', // a deadline passed: the next role and the centre are told
  'alarm.accepted',
  'alarm.dispatched',
  'alarm.handled',
  'alarm.returned', // the handling was sent back
  'alarm.closed', // 销号
  'alarm.false',
  'alarm.merged', // 并案 into another alarm
  'alarm.shelved',
  'alarm.unshelved',
  'alarm.reset', // a latched condition reset by a person
  'alarm.noted',
  'device.registered',
  'device.updated',
  'device.removed',
  'device.state', // online/offline, battery, firmware, clock: only when it changed
  'device.candidate', // somebody unknown knocked
  'door.command',
  'door.result',
  'door.decision', // whether a recognised face opens a door, and why or why not
  'plan.changed', // the plans of the compound: a picture, an area, where a device is
  'media.viewed', // somebody looked at a camera or at evidence, or took a copy
  'ledger.exported', // somebody took a copy of the ledger; the body says of what
  'order.received',
  'order.replied',
  'account.changed',
  'session.opened',
  'session.refused',
  'setting.changed',
  'system.started',
  'system.stopped',
  'system.clock', // the wall clock stepped, or was set for the first time
  'system.storage', // disk low, full, damaged, recovered
  'system.dropped', // something was deliberately discarded; the body counts it
  'system.backup',
  'system.retention',
  'upstream.rejected', // the centre refused an event for good
] as const;

export type EntryKind = (typeof ENTRY_KINDS)[number];

/**
 * Which queue to the centre an entry waits in, most urgent first; `null` stays in the box.
 * 0 level-1 alarms · 1 other alarms · 2 door, device and order records · 3 everything else that is forwarded.
 */
export type Lane = 0 | 1 | 2 | 3;

/** What an appender hands in. Everything else about an entry is stamped by the journal. */
export interface Draft {
  /** UUID v7, when the appender needs to know it beforehand (an alarm is named by the entry that raised it). */
  readonly id?: string;
  readonly kind: EntryKind;
  /** Who did it: `device:ID`, `user:NAME`, `centre`, `system`. */
  readonly actor: string;
  /** What it is about: an alarm id, a device id, a door id; `null` when nothing in particular. */
  readonly subject: string | null;
  /** When it happened by the device's own clock, ms since the epoch; `null` when the device gave no time. */
  readonly deviceTime?: number | null;
  readonly lane?: Lane | null;
  /**
   * Content key of a device message (design §2 promise 2): two messages with the same key are one. 16 bytes in hex.
   * Stored with the entry, so that the set of seen keys survives a restart.
   */
  readonly key?: string | null;
  /** Anything JSON can hold; at most 256 KiB as text. */
  readonly body: unknown;
}

/** A stored entry. `seq` is dense, starts at 1 and never repeats; order of `seq` is order of commit. */
export interface Entry {
  readonly seq: number;
  /** UUID v7 */
  readonly id: string;
  readonly kind: EntryKind;
  readonly actor: string;
  readonly subject: string | null;
  /** gateway wall clock, ms since the epoch */
  readonly wall: number;
  /** process start this entry was made in (uuid), and ms since it */
  readonly boot: string;
  readonly mono: number;
  readonly clock: ClockState;
  readonly deviceTime: number | null;
  readonly lane: Lane | null;
  /** `null` when the body has been erased by retention or on request; its hash stays and the chain still verifies. */
  readonly body: unknown;
}

/** One prepared statement run in the same transaction as the entries it belongs to. */
export interface Change {
  readonly sql: string;
  readonly params: readonly (string | number | bigint | Buffer | null)[];
}

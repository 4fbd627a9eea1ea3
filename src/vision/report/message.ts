import { z } from 'zod';
import type { EvidenceReference, VisionEvent } from '../event.ts';

/** Messages of docs/vision-protocol.md, version 1. */

export const VERSION = 1;

export const statusTopic = (box: string): string => `quanwei/vision/${box}/status`;
export const cameraTopic = (box: string, camera: string): string => `quanwei/vision/${box}/camera/${camera}/status`;
export const eventTopic = (box: string): string => `quanwei/vision/${box}/event`;
export const commandTopic = (box: string): string => `quanwei/vision/${box}/command`;
export const replyTopic = (box: string): string => `quanwei/vision/${box}/reply`;

/** How a camera is; told when it changes, and again and again. */
export interface CameraStatus {
  readonly state: 'online' | 'degraded' | 'offline';
  /** Frames a second that are analysed */
  readonly fps?: number;
  /** Its host, without any credentials */
  readonly address?: string;
  readonly reason?: string;
}

/** A clip, or whatever else became of an event later than the event itself. */
export interface LaterEvidence {
  readonly type: 'evidence';
  readonly camera: string;
  /** Id of the event it belongs to */
  readonly of: string;
}

export type Telling = (VisionEvent | LaterEvidence) & { readonly evidence?: readonly EvidenceReference[] };

/** An event as it waits to be told: everything but whether it is told late. */
export interface Message {
  readonly id: string;
  /** ISO 8601, UTC */
  readonly time: string;
  readonly telling: Telling;
}

/** @param late the gateway records it, and rings for nothing and opens nothing */
export const eventPayload = ({ id, time, telling }: Message, late: boolean): string =>
  JSON.stringify({ v: VERSION, id, time, ...telling, ...(late ? { replayed: true } : {}) });

/** What goes first when there is no room: the lowest, and of those the oldest. */
export function rankOf({ telling }: Message): number {
  switch (telling.type) {
    case 'cross':
      return 3;
    case 'evidence':
      return 1;
    case 'climb':
      return 0;
    case 'face':
      return telling.result === 'blocked' ? 2 : 0;
    default:
      return 2;
  }
}

const Id = z.string().min(1).max(128);
export const Command = z.discriminatedUnion('command', [
  z.object({ v: z.literal(VERSION), id: Id, command: z.literal('evidence'), ref: z.string().max(200) }),
  z.object({ v: z.literal(VERSION), id: Id, command: z.literal('snapshot'), camera: z.string().max(64) }),
  z.object({ v: z.literal(VERSION), id: Id, command: z.literal('reload') }),
]);
export type Command = z.output<typeof Command>;

export interface Reply {
  readonly result: 'ok' | 'error';
  readonly code: string;
  readonly detail: string;
}

export const replyPayload = (to: string, reply: Reply): string => JSON.stringify({ v: VERSION, to, ...reply });

/** Largest command, bytes; there is no reason for a longer one. */
const LARGEST = 4_096;

/** @returns `null` for what is none: it comes from our own gateway, and there is nobody to answer */
export function parseCommand(payload: Buffer): Command | null {
  if (payload.length > LARGEST) return null;
  let said: unknown;
  try {
    said = JSON.parse(payload.toString('utf8'));
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return null;
    throw thrown;
  }
  const parsed = Command.safeParse(said);
  return parsed.success ? parsed.data : null;
}

import { isDeepStrictEqual } from 'node:util';
import type { Catalogue } from '../devices/catalogue.ts';
import { type Decoded, decode } from '../devices/decode.ts';
import type { DeviceEvent } from '../devices/event.ts';
import { RAW_KEPT } from '../devices/redact.ts';
import type { Registry } from '../devices/registry.ts';
import type { Entry } from '../journal/entry.ts';
import type { Journal } from '../journal/journal.ts';
import { messageOf } from '../kernel/errors.ts';
import { turns } from '../kernel/turns.ts';

/** What a device said, as it was kept, what came of it, and what the profile of today makes of it. */
export interface KeptMessage {
  readonly seq: number;
  readonly at: number;
  readonly deviceTime: number | null;
  /** Who was logged in: the device, or its hub. */
  readonly from: string;
  readonly understood: boolean;
  /** `null` when retention has erased it. */
  readonly topic: string | null;
  /** Redacted, and cut at 8,192 characters. */
  readonly raw: string;
  readonly encoding: 'text' | 'base64';
  readonly cut: boolean;
  /** Why it was not understood. */
  readonly reason: string | null;
  /** As its profile names it. */
  readonly message: string | null;
  readonly events: readonly DeviceEvent[];
  readonly replayed: boolean;
  readonly retained: boolean;
  readonly will: boolean;
  readonly reading: Reading | null;
}

/** The same bytes read by the profile as it is now. */
export interface Reading {
  readonly understood: boolean;
  readonly why: string | null;
  readonly message: string | null;
  readonly events: readonly DeviceEvent[];
  readonly reports: readonly { readonly device: string; readonly report: object }[];
  readonly receipt: { readonly topic: string; readonly payload: string } | null;
  readonly reply: { readonly ok: boolean; readonly code: string; readonly detail: string } | null;
  /** Whether the same events come out as then. */
  readonly same: boolean;
}

interface Parts {
  readonly journal: Journal;
  readonly registry: Registry;
  readonly catalogue: Catalogue;
  readonly timezone: string;
}

interface Body {
  readonly topic: string;
  readonly message?: string;
  readonly events?: readonly DeviceEvent[];
  readonly replayed?: boolean;
  readonly retain?: boolean;
  readonly will?: boolean;
  readonly raw?: string;
  readonly reason?: string;
  readonly text?: string;
  readonly base64?: string;
}

/** What was kept of a device's messages, newest first. Heartbeats that brought no news were not kept. */
export async function keptMessages(
  parts: Parts,
  device: string,
  page: { limit: number; before?: number },
): Promise<KeptMessage[]> {
  const asked = { subject: device, kinds: ['message', 'unknown'], newestFirst: true, ...page } as const;
  const turn = turns();
  const messages: KeptMessage[] = [];
  for (const entry of await parts.journal.readInTurns(asked)) {
    messages.push(keptMessage(parts, entry));
    await turn();
  }
  return messages;
}

function keptMessage(parts: Parts, entry: Entry): KeptMessage {
  const body = entry.body as Body | null;
  const whole = body?.raw ?? body?.text ?? body?.base64 ?? '';
  const cut = whole.length > RAW_KEPT;
  return {
    seq: entry.seq,
    at: entry.wall,
    deviceTime: entry.deviceTime,
    from: entry.actor.replace(/^device:/, ''),
    understood: entry.kind === 'message',
    topic: body?.topic ?? null,
    raw: cut ? whole.slice(0, RAW_KEPT) : whole,
    encoding: body?.base64 === undefined ? 'text' : 'base64',
    cut,
    reason: body?.reason ?? null,
    message: body?.message ?? null,
    events: body?.events ?? [],
    replayed: body?.replayed === true,
    retained: body?.retain === true,
    will: body?.will === true,
    reading: body === null || cut ? null : reading(parts, entry, body, whole),
  };
}

/** `null` when whoever said it is no longer registered. */
function reading({ registry, catalogue, timezone }: Parts, entry: Entry, body: Body, whole: string): Reading | null {
  const device = registry.get(entry.actor.replace(/^device:/, ''));
  if (device === null || !catalogue.has(device.profile)) return null;
  try {
    const decoded = decode(catalogue.get(device.profile), {
      device,
      topic: body.topic,
      payload: body.base64 === undefined ? Buffer.from(whole) : Buffer.from(whole, 'base64'),
      retain: body.retain === true,
      now: entry.wall,
      timezone,
      childOf: (key) => {
        const child = registry.childOf(device.id, key);
        return child === null ? null : { device: child, profile: catalogue.get(child.profile) };
      },
    });
    return readingOf(decoded, body.events ?? []);
  } catch (thrown) {
    return {
      understood: false,
      why: messageOf(thrown),
      message: null,
      events: [],
      reports: [],
      receipt: null,
      reply: null,
      same: entry.kind === 'unknown',
    };
  }
}

function readingOf({ message, events, reports, receipt, reply }: Decoded, then: readonly DeviceEvent[]): Reading {
  return {
    understood: true,
    why: null,
    message,
    events,
    reports: reports.filter(({ report }) => Object.keys(report).length > 0),
    receipt: receipt === null ? null : { topic: receipt.topic, payload: receipt.payload },
    reply: reply === null ? null : { ok: reply.ok, code: reply.code, detail: reply.detail },
    same: isDeepStrictEqual(JSON.parse(JSON.stringify(events)), then),
  };
}

import type { z } from 'zod';
import type { Alarm, AlarmEntryBody, Level } from '../alarms/alarm.ts';
import type { DeviceEvent } from '../devices/event.ts';
import type { Entry, EntryKind } from '../journal/entry.ts';
import { iso } from '../kernel/clock.ts';
import type { StatusData } from './forms.ts';
import { presentable } from './redact.ts';
import type { SiteTopics } from './topics.ts';

/** An event ready for the wire. */
export interface Outbound {
  readonly topic: string;
  readonly payload: string;
  /** Age in ms from which it need not be sent any more; `null` for never. */
  readonly lifetime: number | null;
  /** What it is counted as when it expires. */
  readonly expiryClass: ExpiryClass | null;
}

export type ExpiryClass = 'access' | 'device';

export interface EnvelopeOptions {
  readonly topics: SiteTopics;
  /** How long records are worth sending, ms. */
  readonly expire: Readonly<Record<ExpiryClass, number>>;
  /** What people call a device and where it is; `null` when nobody knows it any more. */
  readonly about: (device: string) => { readonly name: string; readonly place: string } | null;
}

const SEVERITY: Record<Level, { text: 'FATAL' | 'ERROR' | 'WARN' | 'INFO'; number: number }> = {
  1: { text: 'FATAL', number: 21 },
  2: { text: 'ERROR', number: 17 },
  3: { text: 'WARN', number: 13 },
  4: { text: 'INFO', number: 9 },
};
/** A device's time further than this from our own is not told as the time of the event, ms. */
const BELIEVED = { behind: 30 * 86_400_000, ahead: 10 * 60_000 };
const MOST_EVENTS = 50;

/** Alarms never expire, nor does what the box says about itself; records do, each class by its own. */
export function expiryClassOf(kind: EntryKind): ExpiryClass | null {
  if (kind === 'message' || kind.startsWith('door.') || kind.startsWith('order.')) return 'access';
  if (kind.startsWith('device.')) return 'device';
  return null;
}

export const sequenceOf = (seq: number): string => String(seq).padStart(16, '0');

/** Journal entries to CloudEvents 1.0, structured JSON (cloudevents/spec: spec.md, formats/json-format.md). */
export class Envelopes {
  readonly #topics: SiteTopics;
  readonly #expire: EnvelopeOptions['expire'];
  readonly #about: EnvelopeOptions['about'];

  constructor(options: EnvelopeOptions) {
    this.#topics = options.topics;
    this.#expire = options.expire;
    this.#about = options.about;
  }

  /** `null` when there is nothing left to tell: the body was erased, or is none of a kind that goes up. */
  of(entry: Entry): Outbound | null {
    if (typeof entry.body !== 'object' || entry.body === null) return null;
    if (entry.kind.startsWith('alarm.')) return this.#alarm(entry, entry.body as AlarmEntryBody);
    if (entry.kind === 'message') return this.#passage(entry, (entry.body as { events?: unknown }).events);
    if (entry.kind.startsWith('device.')) return this.#device(entry, entry.body);
    if (entry.kind === 'order.replied') {
      return this.#seal(entry, this.#topics.reply, 'order.reply', SEVERITY[4], {}, presentable(entry.body));
    }
    const [room] = entry.kind.split('.') as [string];
    const data = { what: entry.kind, actor: entry.actor, detail: presentable(entry.body) };
    return this.#seal(
      entry,
      this.#topics.event(entry.kind),
      room === 'door' ? entry.kind : 'system',
      SEVERITY[4],
      {},
      data,
    );
  }

  /** @param id new for each connection; @param wall when it is said (for `lost`: when the connection was made) */
  status(id: string, wall: number, data: z.output<typeof StatusData>): string {
    return JSON.stringify({
      specversion: '1.0',
      id,
      source: this.#topics.source,
      type: 'cn.quanwei.status.v1',
      time: iso(wall),
      recordedtime: iso(wall),
      severitytext: data.reason === 'lost' ? 'WARN' : 'INFO',
      severitynumber: data.reason === 'lost' ? 13 : 9,
      datacontenttype: 'application/json',
      data,
    });
  }

  /** An event that is no journal entry, because what it carries must not be kept: evidence that was asked for. */
  evidence(id: string, wall: number, data: Record<string, unknown>): string {
    return JSON.stringify({
      specversion: '1.0',
      id,
      source: this.#topics.source,
      type: 'cn.quanwei.evidence.v1',
      subject: data['alarm'],
      time: iso(wall),
      recordedtime: iso(wall),
      severitytext: 'INFO',
      severitynumber: 9,
      datacontenttype: 'application/json',
      data,
    });
  }

  #alarm(entry: Entry, body: AlarmEntryBody): Outbound | null {
    const alarm: Partial<Alarm> | undefined = body.alarm;
    if (typeof alarm?.category !== 'string') return null;
    const data = {
      alarm: { ...alarm, detail: presentable(alarm.detail ?? {}), evidence: alarm.evidence ?? [] },
      change: presentable(body.change ?? {}),
      actor: entry.actor,
    };
    const type = `alarm.${entry.kind.slice('alarm.'.length)}`;
    const marks = {
      ...(alarm.replayed === true ? { replayed: true } : {}),
      ...(alarm.drill === true ? { drill: true } : {}),
    };
    const severity = SEVERITY[alarm.level ?? 4];
    return this.#seal(entry, this.#topics.event(alarm.category), type, severity, marks, data);
  }

  #passage(entry: Entry, events: unknown): Outbound | null {
    if (!Array.isArray(events)) return null;
    const told = (events as DeviceEvent[]).filter(({ category }) => /^(access|door)\./.test(category));
    // What a message tells first decides where it goes; an access event before a door that merely opened.
    const first = told.find(({ category }) => category.startsWith('access.')) ?? told[0];
    if (first === undefined) return null;
    const data = {
      ...this.#named(entry.subject ?? first.device),
      events: told.slice(0, MOST_EVENTS).map((event) => ({ ...event, detail: presentable(event.detail ?? {}) })),
    };
    const type = first.category.startsWith('access.') ? 'access' : 'door';
    const marks = first.replayed ? { replayed: true } : {};
    const time = believed(first.deviceTime, entry.wall);
    return this.#seal(entry, this.#topics.event(first.category), type, SEVERITY[4], marks, data, time);
  }

  #device(entry: Entry, body: object): Outbound {
    const data = {
      ...this.#named(entry.subject ?? ''),
      what: entry.kind.slice('device.'.length),
      state: presentable(body),
    };
    return this.#seal(entry, this.#topics.event(entry.kind), 'device', SEVERITY[4], {}, data);
  }

  #named(device: string): { device: string; deviceName?: string; place?: string } {
    const about = this.#about(device);
    return about === null ? { device } : { device, deviceName: about.name, place: about.place };
  }

  #seal(
    entry: Entry,
    topic: string,
    type: string,
    severity: (typeof SEVERITY)[Level],
    marks: Record<string, unknown>,
    data: unknown,
    time = entry.wall,
  ): Outbound {
    const expiryClass = expiryClassOf(entry.kind);
    // A box that did not know the time cannot tell how old this is.
    const expires = expiryClass !== null && entry.clock === 'synced';
    const lifetime = expires ? this.#expire[expiryClass] : null;
    const payload = JSON.stringify({
      specversion: '1.0',
      id: entry.id,
      source: this.#topics.source,
      type: `cn.quanwei.${type}.v1`,
      ...(entry.subject === null || entry.subject === '' ? {} : { subject: entry.subject }),
      time: iso(time),
      recordedtime: iso(entry.wall),
      ...(lifetime === null ? {} : { expirytime: iso(entry.wall + lifetime) }),
      sequence: sequenceOf(entry.seq),
      severitytext: severity.text,
      severitynumber: severity.number,
      ...marks,
      ...(entry.clock === 'unsynced' ? { clockstate: 'unsynced' } : {}),
      datacontenttype: 'application/json',
      data,
    });
    return { topic, payload, lifetime, expiryClass };
  }
}

const believed = (deviceTime: number | null | undefined, wall: number): number =>
  typeof deviceTime === 'number' && deviceTime > wall - BELIEVED.behind && deviceTime < wall + BELIEVED.ahead
    ? deviceTime
    : wall;

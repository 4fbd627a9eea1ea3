import { z } from 'zod';
import { CATEGORIES, type Category, type Detail } from '../devices/event.ts';
import { QuanweiError } from '../kernel/errors.ts';
import type { By } from './actions.ts';
import type { Level } from './alarm.ts';
import type { Gradable, Grade } from './grading.ts';
import type { Told } from './transition.ts';

/** Ways by which people tell something; all of them lead to the one ledger. */
export const REPORT_CHANNELS = {
  resident: { zh: '居民随手拍', en: "resident's snap" },
  phone: { zh: '电话', en: 'phone' },
  visit: { zh: '来访', en: 'visit' },
  letter: { zh: '来信', en: 'letter' },
  patrol: { zh: '巡查', en: 'patrol' },
  centre: { zh: '中心交办', en: 'centre' },
  drill: { zh: '演练', en: 'drill' },
} as const;
export type ReportChannel = keyof typeof REPORT_CHANNELS;

/** What somebody told. `GatewayConfig.alarms` grades it like anything else, unless whoever writes it down knows better. */
export const Report = z.strictObject({
  channel: z.enum(Object.keys(REPORT_CHANNELS) as [ReportChannel, ...ReportChannel[]]),
  category: z
    .enum(Object.keys(CATEGORIES) as [Category, ...Category[]])
    .optional()
    .describe('Default: report.resident, or order.centre from the centre'),
  level: z.literal([1, 2, 3, 4]).optional().describe('Graver than the rules say, never less grave for fire and SOS'),
  place: z.string().trim().max(200).default(''),
  device: z.string().max(64).default('').describe('The device it is about, when it is about one'),
  text: z.string().trim().min(1).max(1_000).describe('What was told'),
  reporter: z.string().trim().max(64).optional().describe('Who told it, as they want to be called'),
  contact: z.string().trim().max(64).optional().describe('How to reach them'),
  reference: z.string().trim().max(128).optional().describe('The sender’s own number: of a letter, of an order'),
  minutes: z
    .int()
    .min(1)
    .max(240)
    .optional()
    .describe('Drills: for so long, what devices at this place report in this family of categories is practice'),
  evidence: z
    .array(
      z.strictObject({
        kind: z.enum(['picture', 'clip']),
        ref: z.string().min(1).max(300),
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
      }),
    )
    .max(20)
    .default([]),
});
export type Report = z.input<typeof Report>;

/**
 * A drill: `category` says what is practised; nothing rings, opens or is escalated. With `minutes` it goes on for so
 * long, and what the devices at `place` (all of them, when it is empty) report of that kind meanwhile is practice too.
 */
export const drill = (what: {
  category: Category;
  place: string;
  device?: string;
  text: string;
  minutes?: number | undefined;
}): Report => ({
  channel: 'drill',
  ...what,
});

/** Letters and digits that are not mistaken for each other when read out on the phone. */
const LEGIBLE = '23456789ABCDEFGHJKMNPQRSTUVWXYZ';

/**
 * The number a person is given for what they told: eight characters out of the random part of the alarm's id. Also in
 * the alarm's `detail`, so that searching for it finds the alarm.
 */
export function receiptNumber(id: string): string {
  let rest = BigInt(`0x${id.replaceAll('-', '').slice(-14)}`);
  let number = '';
  for (let i = 0; i < 8; i += 1) {
    number += LEGIBLE[Number(rest % BigInt(LEGIBLE.length))];
    rest /= BigInt(LEGIBLE.length);
  }
  return `${number.slice(0, 4)}-${number.slice(4)}`;
}

/**
 * The report as something an alarm can be made of.
 * @param id of the alarm it will be
 * @throws QuanweiError BAD_REQUEST when the report does not have the form above
 */
export function toldBy(report: Report, by: By, id: string, grade: (what: Omit<Gradable, 'at'>) => Grade): Told {
  const parsed = Report.safeParse(report);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new QuanweiError('BAD_REQUEST', issue?.message ?? 'not a report', { where: issue?.path.join('.') ?? '' });
  }
  const { channel, text, reporter, contact, reference, device, place, minutes, evidence } = parsed.data;
  if (minutes !== undefined && channel !== 'drill') {
    throw new QuanweiError('BAD_REQUEST', '只有演练有时长 · only a drill goes on for minutes', { where: 'minutes' });
  }
  const category = parsed.data.category ?? (channel === 'centre' ? 'order.centre' : 'report.resident');
  const detail: Detail = {
    text,
    receipt: receiptNumber(id),
    ...(reporter === undefined ? {} : { reporter }),
    ...(contact === undefined ? {} : { contact }),
    ...(reference === undefined ? {} : { reference }),
    ...(minutes === undefined ? {} : { drillMinutes: minutes }),
  };
  return {
    channel,
    device,
    name: device,
    place,
    category,
    level: levelOf(parsed.data.level, grade({ category, device, place }), category),
    drill: channel === 'drill',
    detail,
    evidence,
    change: { role: by.role },
  };
}

/** Somebody took the trouble to tell it: it is an alarm even where a device's word would only be recorded. */
function levelOf(said: Level | undefined, graded: Grade, category: Category): Level {
  if (said === undefined) return graded ?? 4;
  return CATEGORIES[category].lifeSafety && graded !== null && graded < said ? graded : said;
}

/** People told it, no device. */
export const isTold = (alarm: { channel: string }): boolean => Object.hasOwn(REPORT_CHANNELS, alarm.channel);

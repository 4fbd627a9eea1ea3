import { z } from 'zod';
import type { Level } from '../alarms/alarm.ts';
import type { AlarmFilter } from '../alarms/search.ts';
import { DeviceId, queryTime, queryWords, text } from './forms.ts';

const HANDLINGS = ['open', 'accepted', 'dispatched', 'handled', 'closed', 'merged', 'false'] as const;
const OPEN = HANDLINGS.slice(0, 4);
const CLOSED = HANDLINGS.slice(4);

/** What alarms are searched by, in the list and in the export. */
export const ALARM_SEARCH = {
  state: z.enum(['open', 'closed', 'all']).default('open'),
  handling: queryWords(HANDLINGS).optional().describe('Comma-separated; narrower than `state`'),
  level: queryWords(['1', '2', '3', '4']).optional().describe('Comma-separated'),
  category: z
    .string()
    .regex(/^[a-z]+(\.[a-z]+|\.\*)?$/)
    .optional()
    .describe('A category, or a family such as `intrusion.*`'),
  channel: z
    .string()
    .regex(/^[a-z]{1,32}$/)
    .optional()
    .describe('How it came in: `device`, `camera`, `phone` …'),
  device: DeviceId.optional(),
  place: text(200).optional().describe('Beginning of the place'),
  person: text(64).optional().describe('Who acknowledged, handled or closed it, or has it'),
  text: text(100).optional().describe('Anywhere in names, place, what was told, result, who has it'),
  drill: z.enum(['0', '1']).optional().describe('Only drills, or none of them'),
  from: queryTime.optional().describe('Raised at or after, ms since the epoch'),
  to: queryTime.optional().describe('Raised before'),
};
const Search = z.strictObject(ALARM_SEARCH);
export type AlarmSearch = z.output<typeof Search>;

/** The search in the words of the board. */
export function filterOf(search: AlarmSearch): Omit<AlarmFilter, 'limit' | 'before'> {
  const { state, handling, level, drill, place, person, text: words, category, channel, device, from, to } = search;
  return {
    handling: handling ?? (state === 'all' ? undefined : state === 'open' ? OPEN : CLOSED),
    level: level?.map((one) => Number(one) as Level),
    drill: drill === undefined ? undefined : drill === '1',
    // Nothing written into a field asks for nothing.
    place: place === '' ? undefined : place,
    person: person === '' ? undefined : person,
    text: words === '' ? undefined : words,
    category,
    channel,
    device,
    from,
    to,
  };
}

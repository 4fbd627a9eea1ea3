import { z } from 'zod';

/** What people (and the centre) can do to an alarm. The one schema for the page, the API and orders from the centre. */

const Words = z.string().trim().min(1).max(1_000);
const Reason = Words.describe('Why; kept in the journal');
const Note = Words.optional().describe('Anything worth keeping');
const Person = z.string().trim().min(1).max(64);
const AlarmId = z.uuid();

const EvidenceReference = z.strictObject({
  kind: z.enum(['picture', 'clip']),
  ref: z.string().min(1).max(300),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

export const AlarmDeed = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('acknowledge'), note: Note }).describe('确认: somebody has seen it'),
  z.strictObject({ type: z.literal('accept'), note: Note }).describe('受理: I look after it'),
  z
    .strictObject({ type: z.literal('dispatch'), to: Person.describe('A user name or a role'), note: Note })
    .describe('派单: somebody is sent'),
  z
    .strictObject({
      type: z.literal('handle'),
      result: Words.describe('What was found and done'),
      evidence: z.array(EvidenceReference).max(20).optional(),
    })
    .describe('处置完成: done, with the result'),
  z
    .strictObject({ type: z.literal('return'), reason: Reason, to: Person.optional() })
    .describe('退回: not good enough'),
  z
    .strictObject({
      type: z.literal('close'),
      result: Words.optional().describe('Handles and closes in one; for alarms nobody has handled yet'),
      reason: Reason.optional().describe('Required while the device still reports the condition'),
    })
    .describe('销号: the case is closed'),
  z.strictObject({ type: z.literal('false'), reason: Reason }).describe('误报: there was nothing'),
  z
    .strictObject({
      type: z.literal('merge'),
      into: AlarmId.describe('The alarm that stands for both'),
      reason: Reason.optional(),
    })
    .describe('并案: it is the same case as another'),
  z
    .strictObject({
      type: z.literal('shelve'),
      until: z.int().describe('ms since the epoch; at most 30 days ahead'),
      reason: Reason,
    })
    .describe('搁置: known, quiet until then; never for level 1'),
  z.strictObject({ type: z.literal('unshelve'), reason: Reason.optional() }).describe('取消搁置'),
  z.strictObject({ type: z.literal('reset'), reason: Reason }).describe('复位: a latched fire or SOS is over'),
  z
    .strictObject({ type: z.literal('regrade'), level: z.literal([1, 2, 3]), reason: Reason })
    .describe('升级: graver than it was taken for; never the other way'),
  z.strictObject({ type: z.literal('note'), note: Words }).describe('备注'),
]);
export type AlarmDeed = z.output<typeof AlarmDeed>;
export type AlarmDeedType = AlarmDeed['type'];

/** A deed and the alarm it is done to. */
export type AlarmAction = AlarmDeed & {
  readonly alarm: string;
  /** The revision the person was looking at; when the alarm has moved on since, the deed is refused. */
  readonly revision?: number | undefined;
};

/** Who acts. */
export interface By {
  /** `user:NAME`, `centre`, `system` */
  readonly actor: string;
  readonly role: string;
}

/** Shelving longer than this is no shelving, ms. */
export const LONGEST_SHELVING_MS = 30 * 86_400_000;

import { z } from 'zod';
import { CATEGORIES, type Category } from './event.ts';
import { COERCIONS } from './field.ts';
import { Mistake, parsePath } from './path.ts';
import { slotsOf, type TemplateSpec } from './template.ts';
import { parseTopic } from './topics.ts';

/** The words and small languages a profile is written in: names, paths, topics, conditions, fields, templates. */

export const Name = z
  .string()
  .regex(/^[a-zA-Z][a-zA-Z0-9]{0,39}$/, 'a name: letters and digits, starting with a letter, at most 40');
export const Words = z.string().min(1).max(400);
/** Text for people, in both languages. */
export const Both = z.strictObject({ zh: Words, en: Words });
export const Scalar = z.union([z.string().max(256), z.number(), z.boolean()]);

/** A string that one of our small languages must be able to read. */
export const readBy = (parse: (text: string) => unknown) =>
  z
    .string()
    .min(1)
    .max(300)
    .superRefine((text, context) => {
      try {
        parse(text);
      } catch (thrown) {
        if (!(thrown instanceof Mistake)) throw thrown;
        context.addIssue({ code: 'custom', message: thrown.message });
      }
    });

export const PathText = readBy(parsePath).describe(
  'Where a value lies in the message: info.time, list[0].name, info["odd key"]; alternatives with |. ' +
    'Other sources: @ (item of each), $payload, $topic.NAME, $param.NAME, $device.id, $bytes.NAME',
);
export const TopicText = readBy(parseTopic).describe(
  'Topic with {parameter}, {+name} for any one level, {#name} for one or more levels',
);

export const Template: z.ZodType<TemplateSpec> = z
  .json()
  .superRefine((value, context) => {
    try {
      slotsOf(value);
    } catch (thrown) {
      if (!(thrown instanceof Mistake)) throw thrown;
      context.addIssue({ code: 'custom', message: thrown.message });
    }
  })
  .describe(
    'JSON, or plain text, with slots: {{ path }}, {{ path as integer }}, {{ path else "text" }}',
  ) as z.ZodType<TemplateSpec>;

export const TestObject = z.strictObject({
  equals: Scalar.optional(),
  in: z
    .union([
      z.array(Scalar).min(1).max(100),
      z.string().regex(/^\$param\.[a-zA-Z][a-zA-Z0-9]*$/, 'a list, or $param.NAME for a list kept in a parameter'),
    ])
    .optional(),
  from: z.number().optional().describe('At least this; text that reads as a number counts'),
  to: z.number().optional().describe('At most this'),
  exists: z.boolean().optional().describe('true: there is something (not null, not blank text)'),
  startsWith: z.string().min(1).max(100).optional(),
  get not() {
    return z.union([Scalar, TestObject]).optional();
  },
});
export const Test = z
  .union([Scalar, TestObject])
  .describe('A plain value means "equals", compared as text: 1 fits "1". $param.NAME compares with a parameter');

/** All lines must hold. The key is a path, the value a test; `any` and `none` take lists of conditions. */
export const Condition = z
  .object({
    get any() {
      return z.array(Condition).min(1).max(16).optional();
    },
    get none() {
      return z.array(Condition).min(1).max(16).optional();
    },
  })
  .catchall(Test)
  .superRefine((condition, context) => {
    for (const key of Object.keys(condition)) {
      if (key === 'any' || key === 'none') continue;
      const result = PathText.safeParse(key);
      if (!result.success) {
        context.addIssue({ code: 'custom', path: [key], message: result.error.issues[0]?.message ?? 'not a path' });
      }
    }
  });

export const Field = z
  .union([
    PathText,
    z.strictObject({
      from: PathText.optional(),
      value: Scalar.optional().describe('A fixed value instead of `from`'),
      as: z.enum(COERCIONS).optional().describe('Numbers often arrive as text: say what they are'),
      map: z.record(z.string(), Scalar).optional().describe('What the device says → what we say'),
      else: Scalar.optional().describe('When the path leads nowhere or the map has no such entry'),
    }),
  ])
  .superRefine((field, context) => {
    if (typeof field === 'object' && (field.from === undefined) === (field.value === undefined)) {
      context.addIssue({ code: 'custom', message: 'either `from` or `value` is required' });
    }
  });

export const CategoryName = z.enum(Object.keys(CATEGORIES) as [Category, ...Category[]]);

import type { ZodFastifySchemaValidationError } from 'fastify-type-provider-zod';
import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

/** What is wrong with a request: which field of it, and what is expected there. */
export interface RefusedField {
  readonly path: readonly PropertyKey[];
  readonly zh: string;
  readonly en: string;
}

export function refusedField({
  keyword,
  instancePath,
  message,
  params,
}: ZodFastifySchemaValidationError): RefusedField {
  const path = instancePath.split('/').filter((step) => step !== '');
  // Cast: the type provider takes an issue apart into these four, whatever its code.
  return refused({ ...params, code: keyword, message, path } as unknown as Issue, []);
}

function refused(issue: Issue, above: readonly PropertyKey[]): RefusedField {
  const path = [...above, ...issue.path];
  if (issue.code === 'invalid_union') {
    const meant = meantForm(issue.errors);
    if (meant !== undefined) return refused(meant, path);
  }
  return { path, ...expected(issue) };
}

/** Of several allowed forms, the one that was most likely meant is the one that fits deepest; `undefined` for none. */
function meantForm(forms: readonly (readonly Issue[])[]): Issue | undefined {
  return forms
    .filter((issues) => issues.length > 0 && !issues.some(isOtherForm))
    .sort((a, b) => depth(b) - depth(a) || a.length - b.length)[0]?.[0];
}

const isOtherForm = ({ path, code }: Issue): boolean =>
  path.length === 0 && (code === 'invalid_type' || code === 'invalid_value');

const depth = (issues: readonly Issue[]): number => Math.max(...issues.map(({ path }) => path.length));

type Words = Pick<RefusedField, 'zh' | 'en'>;

function expected(issue: Issue): Words {
  switch (issue.code) {
    case 'invalid_type':
      return typed(issue);
    case 'invalid_value':
      return oneOf(issue.values);
    case 'invalid_union': {
      const values = issue.errors.flat().flatMap(allowed);
      return values.length > 0 ? oneOf(values) : own(issue.message);
    }
    case 'unrecognized_keys':
      return { zh: `没有这些项：${issue.keys.join('、')}`, en: `not known here: ${issue.keys.join(', ')}` };
    case 'too_small':
      return bound('至少', 'at least', issue.minimum, issue.origin);
    case 'too_big':
      return bound('最多', 'at most', issue.maximum, issue.origin);
    default:
      return own(issue.message);
  }
}

/** A form with words of its own says them in both languages, or in English. */
function own(message: string): Words {
  const [zh = '', en] = message.split(' · ');
  if (en !== undefined) return { zh: `应为${zh}`, en: `expected ${en}` };
  return { zh: '格式不对', en: /^invalid /i.test(message) ? message : `expected ${message}` };
}

const TYPES: Readonly<Record<string, readonly [zh: string, en: string]>> = {
  object: ['一组项', 'a group of fields'],
  record: ['一组项', 'a group of fields'],
  array: ['列表', 'a list'],
  tuple: ['列表', 'a list'],
  string: ['文字', 'text'],
  number: ['数字', 'a number'],
  int: ['整数', 'a whole number'],
  boolean: ['true 或 false', 'true or false'],
};

function typed({ expected: type, message }: Extract<Issue, { code: 'invalid_type' }>): Words {
  const [zh, en] = TYPES[type] ?? [type, type];
  // The value itself does not come with the issue.
  return message.endsWith('received undefined')
    ? { zh: `必须填写，应为${zh}`, en: `is missing, expected ${en}` }
    : { zh: `应为${zh}`, en: `expected ${en}` };
}

const allowed = (issue: Issue): unknown[] =>
  issue.code === 'invalid_value'
    ? [...issue.values]
    : issue.code === 'invalid_type'
      ? [TYPES[issue.expected]?.[1] ?? issue.expected]
      : [];

const oneOf = (values: readonly unknown[]): Words => ({
  zh: `应为：${values.map(String).join('、')}`,
  en: `expected ${values.length === 1 ? '' : 'one of '}${values.map(String).join(', ')}`,
});

function bound(zh: string, en: string, limit: unknown, origin: string): Words {
  const [unitZh, unitEn] =
    origin === 'string' ? [' 个字符', ' characters'] : origin === 'array' ? [' 项', ' entries'] : ['', ''];
  return { zh: `${zh} ${limit}${unitZh}`, en: `${en} ${limit}${unitEn}` };
}

import { QuanweiError } from '../kernel/errors.ts';
import { Mistake } from './path.ts';

/**
 * Topic templates. Levels are separated by `/`; in a level stand plain text and parameters (`{prefix}`; a parameter of
 * type `topic` may itself hold several levels), or a capture alone: `{+name}` takes one level, `{#name}` one or more
 * (once per template). What was captured is read as `$topic.name`; on a hub, `child` names the end device.
 */
export interface TopicTemplate {
  readonly text: string;
  readonly params: readonly string[];
  readonly captures: readonly string[];
}

const CAPTURE = /^\{([+#])([a-z][a-zA-Z0-9]*)\}$/;
const PARAM = /\{([a-z][a-zA-Z0-9]*)\}/g;

/** @throws Mistake */
export function parseTopic(text: string): TopicTemplate {
  const params: string[] = [];
  const captures: string[] = [];
  let many = 0;
  for (const level of text.split('/')) {
    const capture = CAPTURE.exec(level);
    if (capture !== null) {
      captures.push(capture[2] ?? '');
      if (capture[1] === '#') many += 1;
      continue;
    }
    for (const param of level.matchAll(PARAM)) params.push(param[1] ?? '');
    if (/[{}+#]/.test(level.replace(PARAM, ''))) {
      throw new Mistake(
        `'${level}' is not a topic level; write text, {parameter}, {+name} for any level or {#name} for all that follow`,
      );
    }
  }
  if (many > 1) throw new Mistake('a topic can have only one {#name}');
  if (new Set(captures).size !== captures.length) throw new Mistake('a capture name stands twice in the topic');
  return { text, params, captures };
}

type Level = string | { readonly one: string } | { readonly many: string };

/** A template with a device's parameters filled in. */
export interface BoundTopic {
  /** The MQTT filter that lets exactly these topics through (wider only where `{#name}` is not last). */
  readonly filter: string;
  readonly levels: readonly Level[];
  /** `filter` when nothing is captured; then the topic is compared as a whole. */
  readonly exact: string | null;
}

/** @param params every parameter of the template must be there, already checked by `resolveParams` */
export function bindTopic(template: TopicTemplate, params: Readonly<Record<string, string>>): BoundTopic {
  const levels = template.text.split('/').flatMap((level): Level[] => {
    const capture = CAPTURE.exec(level);
    if (capture !== null) return [capture[1] === '+' ? { one: capture[2] ?? '' } : { many: capture[2] ?? '' }];
    return fillParams(level, params).split('/');
  });
  const filter: string[] = [];
  for (const level of levels) {
    if (typeof level === 'string') filter.push(level);
    else if ('one' in level) filter.push('+');
    else {
      filter.push('#');
      break;
    }
  }
  return { filter: filter.join('/'), levels, exact: template.captures.length === 0 ? filter.join('/') : null };
}

/** Topics that were asked for before; a device's parameters are one object as long as they do not change. */
const known = new WeakMap<Readonly<Record<string, string>>, Map<string, string>>();

/** `bindTopic(…).filter`, remembered: receipts are sent to the same topic thousands of times. */
export function boundFilter(template: TopicTemplate, params: Readonly<Record<string, string>>): string {
  let topics = known.get(params);
  if (topics === undefined) {
    topics = new Map();
    known.set(params, topics);
  }
  let filter = topics.get(template.text);
  if (filter === undefined) {
    filter = bindTopic(template, params).filter;
    topics.set(template.text, filter);
  }
  return filter;
}

export const fillParams = (text: string, params: Readonly<Record<string, string>>): string =>
  text.includes('{') ? text.replace(PARAM, (_, name: string) => params[name] ?? '') : text;

/** What the topic's captures are, or `null` when it does not fit. `levels` is the topic split at `/`. */
export function matchTopic(bound: BoundTopic, levels: readonly string[]): Record<string, string> | null {
  const captured: Record<string, string> = {};
  const wanted = bound.levels;
  const manyAt = wanted.findIndex((level) => typeof level === 'object' && 'many' in level);
  if (manyAt === -1 ? levels.length !== wanted.length : levels.length < wanted.length) return null;
  const spare = levels.length - wanted.length;
  for (let at = 0; at < wanted.length; at++) {
    const level = wanted[at];
    const from = manyAt !== -1 && at > manyAt ? at + spare : at;
    if (typeof level === 'string') {
      if (levels[from] !== level) return null;
    } else if (level !== undefined && 'one' in level) {
      captured[level.one] = levels[from] ?? '';
    } else if (level !== undefined) {
      captured[level.many] = levels.slice(at, at + spare + 1).join('/');
    }
  }
  return captured;
}

/**
 * Which of two bound topics says more: plain text before `{+name}` before `{#name}`, level by level; between two
 * `{#name}` at the same level, the one with more after it. Negative when `a` is the more exact.
 */
export function compareExactness(a: BoundTopic, b: BoundTopic): number {
  const rank = (level: Level | undefined): number =>
    level === undefined ? 3 : typeof level === 'string' ? 0 : 'one' in level ? 1 : 2;
  for (let at = 0; at < Math.max(a.levels.length, b.levels.length); at++) {
    const [left, right] = [rank(a.levels[at]), rank(b.levels[at])];
    if (left !== right) return left - right;
    if (left === 2) return b.levels.length - a.levels.length;
  }
  return 0;
}

/** A parameter value becomes part of topics and access rules: nothing in it may widen them. */
export function checkTopicValue(name: string, value: string, several: boolean): void {
  const bad = /[+#\p{Cc}]/u.test(value) || value === '' || /^[/$]|\/$|\/\//.test(value);
  if (bad || (!several && value.includes('/'))) {
    throw new QuanweiError('BAD_CONFIG', `parameter ${name} cannot be '${value}'`, {
      hint: several
        ? 'topic levels separated by /, without + # or a / at either end'
        : 'one topic level, without / + or #',
    });
  }
}

/** MQTT 3.1.1 §4.7: whether a filter lets a topic through. */
export function filterFits(filter: string, topic: string): boolean {
  const [wanted, levels] = [filter.split('/'), topic.split('/')];
  for (let at = 0; at < wanted.length; at++) {
    if (wanted[at] === '#') return true;
    if (levels[at] === undefined || (wanted[at] !== '+' && wanted[at] !== levels[at])) return false;
  }
  return wanted.length === levels.length;
}

/**
 * Where a value lies. A path is `info.CardInfo.CardNum`, `targets[0].score` or `Data["#text"]`; alternatives are
 * separated by `|` and the first that holds something wins (`info.personName|info.persionName`).
 *
 * A path starts in the payload, unless its first word says otherwise:
 * `@` the current item of `each` · `$payload` the whole payload (plain text, or a bare JSON value) ·
 * `$topic.NAME` a captured topic level · `$param.NAME` a parameter of the device · `$device.id|name|place` ·
 * `$bytes.NAME` a field of the decoded binary · `$arg.NAME` an argument of a command · `$messageId` of a command ·
 * `$now` the time a command is made · `$time` the device's own time (ms), when the message has one that can be believed.
 */

/** Everything a path can reach while one message is decoded or one command is made. */
export interface Scope {
  root: unknown;
  item: unknown;
  readonly topic: Readonly<Record<string, string>>;
  readonly params: Readonly<Record<string, string>>;
  readonly device: { readonly id: string; readonly name: string; readonly place: string };
  bytes: Readonly<Record<string, string | number>>;
  readonly args: Readonly<Record<string, string | number>>;
  readonly messageId: string;
  readonly now: number;
  readonly timezone: string;
  time: number | null;
}

export type Reader = (scope: Scope) => unknown;

/** What is wrong with a path, a topic or a template, in words for the profile's author. */
export class Mistake extends Error {
  override readonly name = 'Mistake';
}

type Step = string | number;

export interface Path {
  readonly root: string;
  readonly steps: readonly Step[];
}

const ROOTS = ['$payload', '$topic', '$param', '$device', '$bytes', '$arg', '$messageId', '$now', '$time', '@'];
const FORBIDDEN = new Set(['__proto__', 'prototype', 'constructor']);
const MAX_STEPS = 16;

/** @throws Mistake */
export function parsePath(text: string): readonly Path[] {
  return splitAlternatives(text).map(parseOne);
}

function splitAlternatives(text: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '"') quoted = !quoted;
    else if (text[at] === '|' && !quoted) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  parts.push(text.slice(start));
  return parts.map((part) => part.trim());
}

function parseOne(text: string): Path {
  if (text === '') throw new Mistake('a path is empty; write for example info.time');
  const steps: Step[] = [];
  let at = 0;
  while (at < text.length) {
    const bracket = /^\[(?:(\d{1,4})|"([^"]+)")\]/.exec(text.slice(at));
    if (bracket !== null) {
      steps.push(bracket[1] === undefined ? (bracket[2] ?? '') : Number(bracket[1]));
      at += bracket[0].length;
      continue;
    }
    if (text[at] === '.' && at > 0) at += 1;
    const word = /^[^.[\]|"\s]+/.exec(text.slice(at));
    if (word === null) throw new Mistake(`'${text}' is not a path; write info.time, list[0].name or info["odd key"]`);
    steps.push(word[0]);
    at += word[0].length;
  }
  for (const step of steps) {
    if (FORBIDDEN.has(String(step))) throw new Mistake(`'${step}' cannot be used in a path`);
  }
  if (steps.length > MAX_STEPS) throw new Mistake(`'${text}' has more than ${MAX_STEPS} steps`);
  const first = String(steps[0]);
  if (first.startsWith('$') || first === '@') {
    if (!ROOTS.includes(first)) throw new Mistake(`'${first}' is not known; a path may start with ${ROOTS.join(', ')}`);
    return { root: first, steps: steps.slice(1) };
  }
  return { root: '', steps };
}

/** Whether a value says nothing: absent, null, or text without a visible character (terminals send " " for "none"). */
export function isBlank(value: unknown): boolean {
  if (typeof value !== 'string') return value === undefined || value === null;
  const first = value.charCodeAt(0);
  // Nearly every string begins with a letter or a digit, and nothing has to be trimmed to see that.
  return !(first > 0x20 && first < 0x7f) && value.trim() === '';
}

/** Compiles a path once; reading never throws and never follows a prototype. */
export function compilePath(text: string): Reader {
  const paths = parsePath(text).map(readerOf);
  const only = paths[0];
  if (only === undefined) throw new Mistake('a path is empty');
  if (paths.length === 1) return only;
  return (scope) => {
    let last: unknown;
    for (const read of paths) {
      const value = read(scope);
      if (!isBlank(value)) return value;
      last ??= value;
    }
    return last;
  };
}

function readerOf(path: Path): Reader {
  const { steps } = path;
  const plain = steps.every((step) => typeof step === 'string' && !step.includes('{') && !isInherited(step));
  switch (path.root) {
    case '':
      return plain ? (scope) => walkPlain(scope.root, steps) : (scope) => walk(scope.root, steps, scope);
    case '@':
      return (scope) => walk(scope.item, steps, scope);
    case '$payload':
      return (scope) => walk(scope.root, steps, scope);
    case '$topic':
      return (scope) => walk(scope.topic, steps, scope);
    case '$param':
      return (scope) => walk(scope.params, steps, scope);
    case '$device':
      return (scope) => walk(scope.device, steps, scope);
    case '$bytes':
      return (scope) => walk(scope.bytes, steps, scope);
    case '$arg':
      return (scope) => walk(scope.args, steps, scope);
    case '$messageId':
      return (scope) => scope.messageId;
    case '$time':
      return (scope) => scope.time;
    default:
      return (scope) => scope.now;
  }
}

/** `params.input:{input}.state`: a step may contain parameters of the device. */
const filled = (step: string, scope: Scope): string =>
  step.includes('{')
    ? step.replace(/\{([a-zA-Z][a-zA-Z0-9]*)\}/g, (_, name: string) => scope.params[name] ?? '')
    : step;

/** Whether everything a parser makes has something of this name, its own or not. */
const isInherited = (step: Step): boolean => step in Object.prototype || step in Array.prototype;

/** `walk` for steps that are names, have no parameters and are not inherited, as in nearly all paths: what is there is its own. */
function walkPlain(from: unknown, steps: readonly Step[]): unknown {
  let value = from;
  for (let at = 0; at < steps.length; at += 1) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<Step, unknown>)[steps[at] as Step];
  }
  return value;
}

function walk(from: unknown, steps: readonly Step[], scope: Scope): unknown {
  let value = from;
  for (const step of steps) {
    if (typeof value !== 'object' || value === null) return undefined;
    if (typeof step === 'number') {
      if (!Array.isArray(value)) return undefined;
      value = (value as unknown[])[step];
    } else {
      const key = filled(step, scope);
      if (!Object.hasOwn(value, key)) return undefined;
      value = (value as Record<string, unknown>)[key];
    }
  }
  return value;
}

/** Names of the given root a path uses: `namesOf('$param.base|x', '$param')` → `['base']`. */
export function namesOf(text: string, root: string): string[] {
  return parsePath(text).flatMap((path) => {
    const own = path.root === root && path.steps[0] !== undefined ? [String(path.steps[0])] : [];
    if (root !== '$param') return own;
    const inside = path.steps.flatMap((step) => [...String(step).matchAll(/\{([a-zA-Z][a-zA-Z0-9]*)\}/g)]);
    return [...own, ...inside.map((match) => match[1] ?? '')];
  });
}

/** Puts `value` where a payload path points, making nothing that is not there; the first alternative that exists wins. */
export function replaceAt(root: unknown, text: string, value: (old: unknown) => unknown): boolean {
  for (const path of parsePath(text)) {
    if (path.root !== '' || path.steps.length === 0) continue;
    let holder: unknown = root;
    for (const step of path.steps.slice(0, -1)) {
      holder =
        typeof holder === 'object' && holder !== null && Object.hasOwn(holder, step)
          ? (holder as Record<Step, unknown>)[step]
          : undefined;
    }
    const last = path.steps.at(-1);
    if (last === undefined || typeof holder !== 'object' || holder === null || !Object.hasOwn(holder, last)) continue;
    (holder as Record<Step, unknown>)[last] = value((holder as Record<Step, unknown>)[last]);
    return true;
  }
  return false;
}

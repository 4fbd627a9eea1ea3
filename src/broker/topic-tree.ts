/** MQTT topic filters (3.1.1 §4.7) with a value on each; finds the values whose filter lets a topic through. */
export class TopicTree<T> {
  readonly #root: Node<T> = new Map();
  #size = 0;

  /** How many values are held. */
  get size(): number {
    return this.#size;
  }

  add(filter: string, value: T): void {
    let node = this.#root;
    const levels = filter.split('/');
    for (let at = 0; at < levels.length; at++) {
      const level = levels[at] as string;
      let branch = node.get(level);
      if (branch === undefined) {
        branch = { values: [], below: new Map() };
        node.set(level, branch);
      }
      if (at === levels.length - 1) branch.values.push(value);
      node = branch.below;
    }
    this.#size += 1;
  }

  /** @returns whether the value was there under exactly this filter */
  remove(filter: string, value: T): boolean {
    const removed = removeFrom(this.#root, filter.split('/'), 0, value);
    if (removed) this.#size -= 1;
    return removed;
  }

  match(topic: string): T[] {
    const found: T[] = [];
    if (this.#size > 0) walk(this.#root, topic.split('/'), 0, topic.startsWith('$'), (values) => found.push(...values));
    return found;
  }

  /** Whether `match` would find anything; cheaper. */
  matches(topic: string): boolean {
    if (this.#size === 0) return false;
    let any = false;
    walk(this.#root, topic.split('/'), 0, topic.startsWith('$'), (values) => {
      any ||= values.length > 0;
    });
    return any;
  }
}

type Node<T> = Map<string, Branch<T>>;
interface Branch<T> {
  readonly values: T[];
  readonly below: Node<T>;
}

function walk<T>(
  node: Node<T>,
  levels: readonly string[],
  at: number,
  hidden: boolean,
  found: (values: T[]) => void,
): void {
  const level = levels[at];
  // Topics that begin with $ are not for filters that begin with a wildcard [MQTT-4.7.2-1].
  const wild = at > 0 || !hidden;
  if (wild) {
    const rest = node.get('#');
    if (rest !== undefined) found(rest.values);
  }
  if (level === undefined) return;
  for (const name of wild ? [level, '+'] : [level]) {
    const branch = node.get(name);
    if (branch === undefined) continue;
    // Also past the end: `a/#` lets `a` itself through.
    walk(branch.below, levels, at + 1, hidden, found);
    if (at === levels.length - 1) found(branch.values);
  }
}

function removeFrom<T>(node: Node<T>, levels: readonly string[], at: number, value: T): boolean {
  const level = levels[at];
  const branch = level === undefined ? undefined : node.get(level);
  if (level === undefined || branch === undefined) return false;
  let removed = false;
  if (at === levels.length - 1) {
    const index = branch.values.indexOf(value);
    if (index !== -1) branch.values.splice(index, 1);
    removed = index !== -1;
  } else {
    removed = removeFrom(branch.below, levels, at + 1, value);
  }
  if (branch.values.length === 0 && branch.below.size === 0) node.delete(level);
  return removed;
}

/** Whether a filter lets a topic through. */
export function lets(filter: string, topic: string): boolean {
  const wanted = filter.split('/');
  const levels = topic.split('/');
  if (topic.startsWith('$') && (wanted[0] === '#' || wanted[0] === '+')) return false;
  for (let at = 0; at < wanted.length; at++) {
    if (wanted[at] === '#') return true;
    if (levels[at] === undefined || (wanted[at] !== '+' && wanted[at] !== levels[at])) return false;
  }
  return wanted.length === levels.length;
}

/** Whether every topic that `asked` lets through, `allowed` lets through too. */
export function covers(allowed: string, asked: string): boolean {
  const wide = allowed.split('/');
  const narrow = asked.split('/');
  if (asked.startsWith('$') && (wide[0] === '#' || wide[0] === '+')) return false;
  for (let at = 0; at < wide.length; at++) {
    if (wide[at] === '#') return true;
    const level = narrow[at];
    if (level === undefined || level === '#' || (wide[at] !== '+' && wide[at] !== level)) return false;
  }
  return wide.length === narrow.length;
}

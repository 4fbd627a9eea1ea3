import { LIMITS } from './limits.ts';
import { covers, lets } from './topic-tree.ts';

/** What a device may do, as MQTT filters; from its profile. */
export interface Topics {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

const REMEMBERED = 256;

/** What one login may publish and read: its own topics and nothing besides. */
export class Rights {
  readonly #topics: Topics;
  readonly #maxLevels: number;
  /** Topics already found to be allowed: a device has few and says them often. */
  readonly #publishable = new Set<string>();

  constructor(topics: Topics, maxLevels: number) {
    this.#topics = topics;
    this.#maxLevels = maxLevels;
  }

  mayPublish(topic: string): boolean {
    if (this.#publishable.has(topic)) return true;
    if (!this.#sane(topic) || !this.#topics.publish.some((filter) => lets(filter, topic))) return false;
    if (this.#publishable.size >= REMEMBERED) this.#publishable.clear();
    this.#publishable.add(topic);
    return true;
  }

  /** Whether a filter asks for no more than is allowed. */
  maySubscribe(filter: string): boolean {
    return this.#sane(filter) && this.#topics.subscribe.some((allowed) => covers(allowed, filter));
  }

  mayRead(topic: string): boolean {
    return this.#topics.subscribe.some((allowed) => lets(allowed, topic));
  }

  /** `$SYS` and `$share` are nobody's. */
  #sane(topic: string): boolean {
    if (topic.startsWith('$') || Buffer.byteLength(topic) > LIMITS.topic) return false;
    let levels = 1;
    for (let at = topic.indexOf('/'); at !== -1; at = topic.indexOf('/', at + 1)) levels += 1;
    return levels <= this.#maxLevels;
  }
}

/** Not text as MQTT has it: [MQTT-1.5.3-1], [MQTT-1.5.3-2]. The parser has put U+FFFD for what was not UTF-8. */
export const malformed = (text: string): boolean => text.includes('\uFFFD') || text.includes('\u0000');

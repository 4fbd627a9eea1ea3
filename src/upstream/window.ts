import type { Lane } from '../journal/entry.ts';
import type { Item } from './item.ts';

/** Time a message may be under way before the window shrinks, and below which it grows again, ms. */
const SLOW_MS = 400;
const QUICK_MS = 200;

/** Lanes share windows by class: level-1 alarms, other alarms, records. */
const CLASS = [0, 1, 2, 2] as const;

/**
 * What may be on its way and unconfirmed. Each class has a window of its own, so that records nobody confirms cannot
 * shut an alarm out. The windows of the lower classes shrink while the line is slow: what is already in the line
 * cannot be overtaken, and a fire alarm must not queue behind more than about half a second of it.
 */
export class Window {
  readonly #most: number;
  #paced: number;
  #shrunkAt = Number.NEGATIVE_INFINITY;
  readonly #items = new Set<Item>();
  readonly #byClass: [number, number, number] = [0, 0, 0];

  /** @param most unconfirmed items of one class */
  constructor(most: number) {
    this.#most = most;
    this.#paced = most;
  }

  /** Items under way, oldest first. */
  get items(): ReadonlySet<Item> {
    return this.#items;
  }

  get size(): number {
    return this.#items.size;
  }

  /** Items of each lower class that may be under way at present. */
  get paced(): number {
    return this.#paced;
  }

  open(lane: Lane): boolean {
    return this.#byClass[CLASS[lane]] < (lane === 0 ? this.#most : this.#paced);
  }

  add(item: Item): void {
    if (this.#items.has(item)) return;
    this.#items.add(item);
    this.#byClass[CLASS[item.lane]] += 1;
  }

  delete(item: Item): void {
    if (this.#items.delete(item)) this.#byClass[CLASS[item.lane]] -= 1;
  }

  clear(): Item[] {
    const items = [...this.#items];
    this.#items.clear();
    this.#byClass.fill(0);
    return items;
  }

  /** The broker took a message. @param ms it was under way @param now monotonic ms */
  took(ms: number, now: number): void {
    if (ms <= QUICK_MS) this.#paced = Math.min(this.#most, this.#paced + 1);
    else if (ms > SLOW_MS && now - this.#shrunkAt > ms) {
      this.#paced = Math.max(1, Math.floor(this.#paced / 2));
      this.#shrunkAt = now;
    }
  }
}

import type { ExpiryClass } from './envelope.ts';
import type { Item } from './item.ts';

/** What was deliberately not sent, by class. */
export interface Dropped {
  readonly class: ExpiryClass;
  count: number;
  readonly from: number;
  to: number;
}

/** Counts what expired until somebody tells it. */
export class DroppedSoFar {
  readonly #classes = new Map<ExpiryClass, Dropped>();

  get any(): boolean {
    return this.#classes.size > 0;
  }

  add({ seq, message }: Item): void {
    const kind = message.expiryClass ?? 'device';
    const dropped = this.#classes.get(kind);
    if (dropped === undefined) this.#classes.set(kind, { class: kind, count: 1, from: seq, to: seq });
    else {
      dropped.count += 1;
      dropped.to = Math.max(dropped.to, seq);
    }
  }

  /** Those since this was last asked. */
  take(): Dropped[] {
    const all = [...this.#classes.values()];
    this.#classes.clear();
    return all;
  }
}

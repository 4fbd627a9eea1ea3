/** Ids with the moment each falls due; at most one moment each. A binary heap, so that thousands cost one timer. */
export class DueQueue {
  readonly #heap: { readonly id: string; readonly due: number }[] = [];
  /** What is meant; an entry of the heap that says otherwise is passed over. */
  readonly #due = new Map<string, number>();

  get size(): number {
    return this.#due.size;
  }

  /** In the place of whatever was set for `id` before. */
  set(id: string, due: number): void {
    if (this.#due.get(id) === due) return;
    this.#due.set(id, due);
    this.#heap.push({ id, due });
    this.#up(this.#heap.length - 1);
    if (this.#heap.length > 64 && this.#heap.length > 4 * this.#due.size) this.#rebuild();
  }

  delete(id: string): void {
    this.#due.delete(id);
  }

  /** Takes out everything due at `now` or before, the earliest first. */
  take(now: number): string[] {
    const taken: string[] = [];
    for (let first = this.#heap[0]; first !== undefined && first.due <= now; first = this.#heap[0]) {
      this.#pop();
      if (this.#due.get(first.id) !== first.due) continue;
      this.#due.delete(first.id);
      taken.push(first.id);
    }
    return taken;
  }

  #pop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#down(0);
  }

  #rebuild(): void {
    this.#heap.length = 0;
    for (const [id, due] of this.#due) this.#heap.push({ id, due });
    for (let at = (this.#heap.length >> 1) - 1; at >= 0; at--) this.#down(at);
  }

  #up(from: number): void {
    for (let at = from; at > 0; ) {
      const above = (at - 1) >> 1;
      if (this.#dueAt(above) <= this.#dueAt(at)) return;
      this.#swap(at, above);
      at = above;
    }
  }

  #down(from: number): void {
    for (let at = from; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let least = at;
      if (this.#dueAt(left) < this.#dueAt(least)) least = left;
      if (this.#dueAt(right) < this.#dueAt(least)) least = right;
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #dueAt(at: number): number {
    return this.#heap[at]?.due ?? Number.POSITIVE_INFINITY;
  }

  #swap(a: number, b: number): void {
    const [one, other] = [this.#heap[a], this.#heap[b]];
    if (one === undefined || other === undefined) return;
    this.#heap[a] = other;
    this.#heap[b] = one;
  }
}

/** Where the commits of the next moments are best made. */
export type Place = 'here' | 'there';

/** Newest commits that are looked at. */
const RECENT = 16;
/** Median of the newest commits from which the disk counts as slow, and below which it counts as fast again, ms. */
const SLOW_MS = 4;
const FAST_MS = 2;
/** One such commit is enough: the event loop stood still for as long, ms. Any disk has some of a third of that. */
const STALL_MS = 50;
/** At a start one commit is all that is known of the disk, and nobody waits yet: less is enough, ms. */
const FIRST_MS = 15;
/** What it takes to start the writer's thread: after a longer commit it is waited for instead of risking another, ms. */
const STUCK_MS = 250;
/** How long a disk that was slow is not trusted; doubled each time it was trusted too early, ms. */
const DISTRUST_MS = { first: 10_000, longest: 3_600_000 };
/** Entries in one commit (on average) that show that they come faster than the event loop deals with them. */
const CROWD = 12;
const FEW = 4;
/**
 * A larger commit counts as this many, and tells nothing of the disk: what it takes is mostly its own work. One of thousands, as when
 * a compound is first registered, is neither a crowd nor a slow disk.
 */
const MANY = 4 * CROWD;
/** Share of the time that commits may take from the event loop, and the share from which they may come back to it. */
const BUSY = 0.6;
const CALM = 0.3;
/** How long it must have been calm before the commits come back, ms. */
const CALM_MS = 3_000;
/** Time over which the shares are averaged, ms. */
const SPAN_MS = 500;

/**
 * Decides where to commit. In the event loop's own thread (`here`) a commit costs its fsync and nothing more, and the
 * event loop stands still for it; in the writer's thread (`there`) it costs two wake-ups, and the loop runs on. So:
 * here while the disk is fast and little comes, there as soon as one of the two changes.
 */
export class Pace {
  readonly #recent: number[] = [];
  #place: Place = 'here';
  #stuck = false;
  #everSlow = false;
  #distrust = DISTRUST_MS.first;
  /** Not before this the disk is trusted again. */
  #trustAt = Number.NEGATIVE_INFINITY;
  #calmSince: number | null = null;
  #share = 0;
  #entries = 0;
  #at = Number.NEGATIVE_INFINITY;

  get place(): Place {
    return this.#place;
  }

  /** Whether another commit here would hold the event loop up for longer than it takes to start a thread. */
  get stuck(): boolean {
    return this.#place === 'there' && this.#stuck;
  }

  /** The one commit of a start took `ms`. @returns where to begin */
  begin(at: number, ms: number): Place {
    if (ms >= FIRST_MS) this.#distrusted(at);
    return this.note(at, ms, 1);
  }

  /** A commit of `entries` entries took `ms` and ended `at` (monotonic, ms). @returns where to go from here */
  note(at: number, ms: number, entries: number): Place {
    const disk = entries > MANY ? 0 : ms;
    if (entries <= MANY) this.#recent.push(ms);
    if (this.#recent.length > RECENT) this.#recent.shift();
    const kept = Math.exp(-Math.max(0, at - this.#at) / SPAN_MS);
    this.#share = this.#share * kept + ms / SPAN_MS;
    this.#entries += (Math.min(entries, MANY) - this.#entries) / 8;
    this.#at = at;
    this.#stuck = disk >= STUCK_MS;
    return this.#place === 'here' ? this.#leave(at, disk) : this.#comeBack(at, disk);
  }

  #leave(at: number, disk: number): Place {
    if (disk >= STALL_MS || (this.#recent.length >= RECENT / 2 && this.#median() >= SLOW_MS)) this.#distrusted(at);
    else if (this.#entries >= CROWD || this.#share >= BUSY) this.#left();
    return this.#place;
  }

  #distrusted(at: number): void {
    // Trusted, and slow again soon after: it is not trusted for longer.
    const soon = this.#everSlow && at < this.#trustAt + this.#distrust * 4;
    this.#distrust = soon ? Math.min(this.#distrust * 2, DISTRUST_MS.longest) : DISTRUST_MS.first;
    this.#everSlow = true;
    this.#trustAt = at + this.#distrust;
    this.#left();
  }

  #left(): void {
    this.#place = 'there';
    this.#calmSince = null;
  }

  #comeBack(at: number, disk: number): Place {
    if (disk >= STALL_MS) this.#trustAt = Math.max(this.#trustAt, at + this.#distrust);
    const calm =
      at >= this.#trustAt && this.#median() < FAST_MS && this.#entries < FEW && this.#share < CALM && disk < STALL_MS;
    if (!calm) this.#calmSince = null;
    else this.#calmSince ??= at;
    if (this.#calmSince !== null && at - this.#calmSince >= CALM_MS) this.#place = 'here';
    return this.#place;
  }

  #median(): number {
    const sorted = [...this.#recent].sort((a, b) => a - b);
    return sorted[sorted.length >> 1] ?? 0;
  }
}

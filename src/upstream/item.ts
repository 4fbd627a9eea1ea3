import type { Entry, Lane } from '../journal/entry.ts';
import type { Outbound } from './envelope.ts';

/** When an entry was made, by the clocks it was stamped with. */
export type Moment = Pick<Entry, 'wall' | 'boot' | 'mono'>;

/** A place in a lane that is finished when everything it waits for is. */
export interface Slot {
  readonly seq: number;
  readonly at: Moment;
  pending: number;
}

/** An entry on its way: in memory, and not yet confirmed. */
export interface Item {
  readonly seq: number;
  readonly id: string;
  readonly at: Moment;
  readonly message: Outbound;
  /** Lane of its entry. */
  readonly home: Lane;
  /** Lane whose urgency it travels with: its home, or a more urgent one when a later entry of its alarm is there. */
  lane: Lane;
  /** Its alarm; `null` for records, which have no order among themselves. */
  readonly alarm: string | null;
  readonly repeated: boolean;
  /** Place in the order in which items came into memory. */
  readonly order: number;
  readonly slots: Slot[];
  state: 'waiting' | 'sent' | 'done';
  /** The item of the same alarm before it, until that one is done. */
  previous: Item | null;
  /** How often it has been handed to a connection. */
  attempts: number;
  /** Monotonic time of the last attempt, ms. */
  sentAt: number;
  /** The broker has taken it; what is missing is the centre's receipt. */
  taken: boolean;
}

/** One of the four queues: a stretch of the journal in memory, the rest of it on disk. */
export class LaneQueue {
  readonly lane: Lane;
  /** Everything of this lane up to here is finished. */
  cursor: number;
  /** Everything of this lane up to here is in memory or finished. */
  read: number;
  /** Whether more of this lane lies on disk than is in memory. */
  behind = true;
  /** Entries of this lane that are only on disk. */
  unread: number;
  waiting: Item[] = [];
  /** In order of `seq`. */
  readonly slots: Slot[] = [];

  constructor(lane: Lane, cursor: number, unread: number) {
    this.lane = lane;
    this.cursor = cursor;
    this.read = cursor;
    this.unread = unread;
  }

  /** Moves the cursor over every finished slot at the front; tells whether it moved. */
  settle(): boolean {
    let moved = false;
    for (let first = this.slots[0]; first !== undefined && first.pending === 0; first = this.slots[0]) {
      this.cursor = first.seq;
      this.slots.shift();
      moved = true;
    }
    return moved;
  }
}

export const momentOf = ({ wall, boot, mono }: Entry): Moment => ({ wall, boot, mono });

export const slotOf = (entry: Entry): Slot => ({ seq: entry.seq, at: momentOf(entry), pending: 0 });

/** Forgets what is done before an item; what waits before something done still comes first. */
export function trim(item: Item): void {
  while (item.previous?.state === 'done') item.previous = item.previous.previous;
}

/** Lets a slot wait for an item. */
export function attach(item: Item, slot: Slot): void {
  if (item.slots.includes(slot)) return;
  item.slots.push(slot);
  slot.pending += 1;
}

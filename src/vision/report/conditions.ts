import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Clock } from '../../kernel/clock.ts';
import { writeDurably } from '../../kernel/durable-file.ts';
import type { Log } from '../../kernel/log.ts';
import type { HealthEvent } from '../event.ts';

/**
 * What an earlier process told and nobody has looked at since is taken back after this, ms: longer than a picture has to
 * stand still to be told as frozen, and its camera to be reached.
 */
export const JUDGED_MS = 120_000;

export interface ConditionsParts {
  /** Where what the gateway was told survives a restart; its directory exists. */
  readonly file: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Tells a change to the gateway. */
  tell(event: HealthEvent): void;
}

const Kept = z.array(z.object({ camera: z.string().max(64).nullable(), condition: z.string().max(40) })).max(2_000);

interface Held {
  readonly event: HealthEvent;
  /** The gateway has been told that it is so. */
  told: boolean;
  is: boolean;
}

/**
 * Lasting troubles, of cameras and of the process itself: what is so, and what the gateway was told is so. Only the
 * difference is told, once it can be: what came and went while the gateway was away is nobody's business, and what an
 * earlier process left raised is taken back.
 */
export class Conditions {
  readonly #parts: ConditionsParts;
  readonly #held = new Map<string, Held>();
  #connected = false;

  constructor(parts: ConditionsParts) {
    this.#parts = parts;
    for (const { camera, condition } of this.#read()) {
      const event = {
        type: 'health',
        ...(camera === null ? {} : { camera }),
        condition: condition as HealthEvent['condition'],
        active: true,
      } as const satisfies HealthEvent;
      this.#held.set(keyOf(event), { event, told: true, is: true });
    }
    const left = [...this.#held.values()];
    if (left.length > 0) parts.clock.after(JUDGED_MS, () => this.#takeBack(left));
  }

  /** Troubles that are so now. */
  get active(): readonly HealthEvent[] {
    return [...this.#held.values()].filter(({ is }) => is).map(({ event }) => event);
  }

  set(event: HealthEvent): void {
    const key = keyOf(event);
    const held = this.#held.get(key);
    if (held === undefined && !event.active) return;
    // A new object: what an earlier process left is no more left, it has been looked at.
    this.#held.set(key, { event, told: held?.told ?? false, is: event.active });
    if (this.#connected) this.#settle();
  }

  /**
   * Whoever looked at a camera has ended, and somebody else begins: what nobody finds again is taken back.
   * @param known what whoever begins knows of, and says himself when it is over
   */
  judgedAnew(camera: string, known: readonly string[] = []): void {
    const left = [...this.#held.values()].filter(
      ({ event, is }) => event.camera === camera && is && !known.includes(event.condition),
    );
    if (left.length > 0) this.#parts.clock.after(JUDGED_MS, () => this.#takeBack(left));
  }

  /** A camera is not watched any more. */
  forget(camera: string): void {
    for (const { event, is } of [...this.#held.values()]) {
      if (event.camera === camera && is) this.set({ ...event, active: false });
    }
  }

  /** @param connected whether what is told can be told now */
  connection(connected: boolean): void {
    this.#connected = connected;
    if (connected) this.#settle();
  }

  #takeBack(left: readonly Held[]): void {
    for (const held of left) {
      if (this.#held.get(keyOf(held.event)) === held) this.set({ ...held.event, active: false, reason: 'restarted' });
    }
  }

  #settle(): void {
    let changed = false;
    for (const [key, held] of this.#held) {
      if (held.is === held.told) {
        if (!held.is) this.#held.delete(key);
        continue;
      }
      this.#parts.tell({ ...held.event, active: held.is });
      held.told = held.is;
      if (!held.is) this.#held.delete(key);
      changed = true;
    }
    if (changed) this.#write();
  }

  #write(): void {
    const { file, log } = this.#parts;
    const told = [...this.#held.values()].filter((held) => held.told).map(({ event }) => event);
    try {
      const text = JSON.stringify(told.map(({ camera = null, condition }) => ({ camera, condition })));
      writeDurably(file, `${text}\n`, 0o600);
    } catch (thrown) {
      log.warn({ err: thrown }, 'what was told cannot be kept on disk');
    }
  }

  #read(): z.output<typeof Kept> {
    const { file, log } = this.#parts;
    try {
      return existsSync(file) ? Kept.parse(JSON.parse(readFileSync(file, 'utf8'))) : [];
    } catch (thrown) {
      log.warn({ err: thrown }, 'what was told last time cannot be read');
      return [];
    }
  }
}

const keyOf = ({ camera = '', condition }: HealthEvent): string => `${camera}/${condition}`;

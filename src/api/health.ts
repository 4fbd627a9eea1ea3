import type { Journal } from '../journal/journal.ts';
import type { Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/errors.ts';

/** How long a commit proves that the next one will work, ms. */
const PROOF_MS = 30_000;
/** Between two tries while the disk fails, ms. */
const RETRY_MS = 1_000;
const PATIENCE_MS = 3_000;

export interface Health {
  readonly ok: boolean;
  readonly reasons: readonly string[];
}

/**
 * Whether an alarm can be accepted and stored right now. Known from the commits that happen anyway; when there were
 * none lately one row is written to find out, so that a disk that died in a quiet night is known before the alarm is.
 */
export class HealthCheck {
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #listening: () => boolean;
  #commits = 0;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #provenAt = Number.NEGATIVE_INFINITY;
  #triedAt = Number.NEGATIVE_INFINITY;
  #probe: Promise<string | null> | null = null;

  constructor(parts: { journal: Journal; clock: Clock; listening: () => boolean }) {
    this.#journal = parts.journal;
    this.#clock = parts.clock;
    this.#listening = parts.listening;
  }

  async look(): Promise<Health> {
    const reasons: string[] = [];
    const storage = await this.#storage();
    if (storage !== null) reasons.push(storage);
    if (!this.#listening()) reasons.push('no device can connect: nothing listens for MQTT');
    return { ok: reasons.length === 0, reasons };
  }

  async #storage(): Promise<string | null> {
    const { ok, error, commits } = this.#journal.state();
    const mono = this.#clock.mono();
    // Something was stored since the last look; when exactly nobody noted, so it counts as if right after it.
    if (ok && commits !== this.#commits) this.#provenAt = Math.max(this.#provenAt, this.#lookedAt);
    this.#commits = commits;
    this.#lookedAt = mono;
    if (ok && mono - this.#provenAt < PROOF_MS) return null;
    if (!ok && mono - this.#triedAt < RETRY_MS && this.#probe === null) return error?.message ?? 'storage failed';
    this.#triedAt = mono;
    this.#probe ??= this.#try().finally(() => {
      this.#probe = null;
    });
    return this.#probe;
  }

  /** One small commit; `null` when it is on disk. */
  async #try(): Promise<string | null> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(resolve, PATIENCE_MS, `storing takes longer than ${PATIENCE_MS} ms`);
    });
    const began = this.#clock.mono();
    const stored = this.#journal.moveCursor('healthz', this.#journal.head()).then(
      () => {
        this.#provenAt = began;
        return null;
      },
      (thrown: unknown) => messageOf(thrown),
    );
    try {
      return await Promise.race([stored, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

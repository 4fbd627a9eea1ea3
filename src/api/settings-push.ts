import { Backoff } from '../kernel/backoff.ts';
import type { Cancel, Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import type { CameraSettings } from './camera-settings.ts';
import type { VisionLink } from './vision-link.ts';

interface Parts {
  readonly settings: CameraSettings;
  readonly link: Pick<VisionLink, 'settings'>;
  readonly clock: Clock;
  readonly log: Log;
  /** 0 ≤ x < 1 */
  readonly random: () => number;
}

/**
 * Tells the vision process the settings that were made on the page: when they change and when it logs in, all of them
 * each time, and again until it has taken them. It keeps them, so that nothing hangs on this being quick.
 */
export class SettingsPush {
  readonly #parts: Parts;
  readonly #backoff: Backoff;
  #again: Cancel | null = null;
  #running = false;
  /** Asked for meanwhile. */
  #wanted = false;
  #stopped = false;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#backoff = new Backoff({ min: 1_000, max: 60_000, random: parts.random });
    parts.settings.onChange(() => this.now());
  }

  /** At once: something changed, or the vision process is there again. */
  now(): void {
    if (this.#stopped) return;
    this.#backoff.reset();
    this.#wanted = true;
    void this.#run();
  }

  stop(): void {
    this.#stopped = true;
    this.#again?.cancel();
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    this.#again?.cancel();
    while (this.#wanted && !this.#stopped) {
      this.#wanted = false;
      const { settings, link, clock, log } = this.#parts;
      try {
        await link.settings(settings.told().text);
      } catch (thrown) {
        if (this.#wanted || this.#stopped) continue;
        log.info({ why: messageOf(thrown) }, 'the vision process has not taken the settings of the page yet');
        this.#again = clock.after(this.#backoff.next(), () => {
          this.#wanted = true;
          void this.#run();
        });
        break;
      }
    }
    this.#running = false;
  }
}

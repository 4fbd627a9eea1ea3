import { spawn } from 'node:child_process';
import type { Cancel, Clock } from '../kernel/clock.ts';
import { messageOf } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';

/** How often systemd hears that a long work goes on, and how long it then waits for the next word, ms. */
const WORKING_EVERY_MS = 30_000;
const WORKING_GIVES_MS = 180_000;
/** A disk that has hung for so long will not come back by waiting. */
const WORKING_AT_MOST_MS = 4 * 3_600_000;

export interface ServiceManagerParts {
  readonly clock: Clock;
  readonly log: Log;
  /** Where `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` are looked up; `sd_notify(3)`, `sd_watchdog_enabled(3)`. */
  readonly env?: NodeJS.ProcessEnv;
  /** The program that speaks for us. Node has no AF_UNIX datagram sockets. */
  readonly program?: string;
}

/**
 * What systemd is told: that we are ready, that we stop, and, as long as it is true, that we are alive. Without a
 * service manager every call does nothing. The messages go through `systemd-notify`, a child of ours: the unit
 * therefore needs `NotifyAccess=all`.
 */
export class ServiceManager {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #env: NodeJS.ProcessEnv;
  readonly #program: string;
  #watchdog: Cancel | null = null;
  #asking = false;
  #complained = false;

  constructor(parts: ServiceManagerParts) {
    this.#clock = parts.clock;
    this.#log = parts.log;
    this.#env = parts.env ?? process.env;
    this.#program = parts.program ?? 'systemd-notify';
  }

  get present(): boolean {
    return (this.#env['NOTIFY_SOCKET'] ?? '') !== '';
  }

  /** ms within which systemd wants to hear from this process, or `null` when it does not watch. */
  get watchdogMs(): number | null {
    const pid = this.#env['WATCHDOG_PID'];
    if (!this.present || (pid !== undefined && pid !== String(process.pid))) return null;
    const usec = Number(this.#env['WATCHDOG_USEC']);
    return Number.isFinite(usec) && usec > 0 ? usec / 1_000 : null;
  }

  ready(status: string): Promise<void> {
    return this.#tell('READY=1', `STATUS=${status.replaceAll('\n', ' ')}`);
  }

  async stopping(): Promise<void> {
    this.#watchdog?.cancel();
    await this.#tell('STOPPING=1');
  }

  /**
   * Keeps systemd from giving up on a start or an end (`TimeoutStartSec=`) while a work is done that may take longer
   * than anybody could set beforehand, such as putting back a large backup. What is done soon is not spoken of.
   * @param status in words, for `systemctl status`
   * @param atMostMs what takes longer is left to systemd
   */
  async patientFor<T>(status: string, work: Promise<T>, atMostMs = WORKING_AT_MOST_MS): Promise<T> {
    let left = atMostMs / WORKING_EVERY_MS;
    const telling = this.#clock.every(WORKING_EVERY_MS, () => {
      left -= 1;
      if (left >= 0) void this.#tell(`EXTEND_TIMEOUT_USEC=${WORKING_GIVES_MS * 1_000}`, `STATUS=${status}`);
    });
    try {
      return await work;
    } finally {
      telling.cancel();
    }
  }

  /**
   * Pings the watchdog three times within its limit, each time only after `alive` said yes. When it says no, throws or
   * does not answer, the ping is left out and systemd restarts the service at the limit.
   */
  watch(alive: () => boolean | Promise<boolean>): void {
    const limit = this.watchdogMs;
    if (limit === null) return;
    this.#watchdog = this.#clock.every(limit / 3, () => {
      if (!this.#asking) void this.#ping(alive);
    });
  }

  async #ping(alive: () => boolean | Promise<boolean>): Promise<void> {
    this.#asking = true;
    try {
      if (await alive()) await this.#tell('WATCHDOG=1');
      else this.#log.error('the gateway is not alive; systemd is not told that it is');
    } catch (thrown) {
      this.#log.error({ err: thrown }, 'could not find out whether the gateway is alive');
    } finally {
      this.#asking = false;
    }
  }

  #tell(...state: string[]): Promise<void> {
    if (!this.present) return Promise.resolve();
    return new Promise((resolve) => {
      const child = spawn(this.#program, state, { env: this.#env, stdio: ['ignore', 'ignore', 'pipe'] });
      let said = '';
      child.stderr.on('data', (chunk: Buffer) => {
        said = (said + chunk.toString()).slice(-500);
      });
      child.once('error', (thrown) => {
        this.#complain(messageOf(thrown));
        resolve();
      });
      child.once('close', (code) => {
        if (code !== 0) this.#complain(said.trim() || `ended with ${code}`);
        resolve();
      });
    });
  }

  /** Once: the service works, only systemd does not hear of it, and will say so itself soon enough. */
  #complain(why: string): void {
    if (this.#complained) return;
    this.#complained = true;
    this.#log.error({ program: this.#program, why }, 'systemd could not be told');
  }
}

import type { Cancel, Clock } from '../../kernel/clock.ts';
import { messageOf, QuanweiError } from '../../kernel/errors.ts';
import type { Log } from '../../kernel/log.ts';
import { type Access, Gallery } from './gallery.ts';
import { Roster } from './roster.ts';

/** How soon an enrolment or a withdrawal counts here, ms. */
const EVERY_MS = 1_000;

/**
 * Keeps a roster as the gallery is: what another process enrols or forgets counts within a second. While the gallery cannot be
 * opened (no key, the wrong key, a damaged row) nobody is in it: an old roster would go on knowing people who withdrew.
 */
export class RosterWatch {
  readonly #access: Access;
  readonly #model: string;
  readonly #log: Log;
  readonly #timer: Cancel;
  #gallery: Gallery | null = null;
  #version = Number.NaN;
  #roster = new Roster([], new Float32Array());
  #trouble: string | null = null;

  /** @param model of {@link FaceReader.model} */
  constructor(access: Access & { readonly clock: Clock }, model: string, log: Log) {
    this.#access = access;
    this.#model = model;
    this.#log = log;
    this.refresh();
    this.#timer = access.clock.every(EVERY_MS, () => this.refresh());
  }

  get roster(): Roster {
    return this.#roster;
  }

  /** Why nobody is recognised; `null` while all is well. */
  get trouble(): string | null {
    return this.#trouble;
  }

  refresh(): void {
    try {
      if (this.#gallery === null) {
        if (!Gallery.exists(this.#access.data)) return;
        this.#gallery = Gallery.open(this.#access);
        this.#version = Number.NaN;
      }
      const version = this.#gallery.version;
      if (version === this.#version) return;
      const { templates, others } = this.#gallery.templates(this.#model);
      this.#roster = Roster.of(templates, this.#gallery.people());
      this.#version = version;
      this.#trouble = null;
      this.#log.info({ people: this.#roster.size, templates: templates.length }, 'faces: people read');
      if (others > 0) {
        this.#log.warn({ others }, 'faces: templates of another model are not compared; enrol those people again');
      }
    } catch (thrown) {
      this.#gallery?.close();
      this.#gallery = null;
      this.#roster = new Roster([], new Float32Array());
      const trouble = thrown instanceof QuanweiError ? thrown.describe() : messageOf(thrown);
      if (trouble !== this.#trouble) this.#log.error({ trouble }, 'faces: nobody is recognised');
      this.#trouble = trouble;
    }
  }

  close(): void {
    this.#timer.cancel();
    this.#gallery?.close();
    this.#gallery = null;
    this.#roster = new Roster([], new Float32Array());
  }
}

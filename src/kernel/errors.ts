/**
 * Every error this program raises on purpose, in one place; `docs/errors.md` lists exactly these codes
 * (a test keeps the two equal). Three families:
 *
 * - `bug`   ours: an invariant broke. The process may stop; the journal is safe.
 * - `caller` theirs: what came in is wrong (a message, a request, a file). Refused with a reason, nothing lost.
 * - `world` nobody's: disk, network, clock, device. Retried or reported; never hidden.
 */
export const ERRORS = {
  INVARIANT: { family: 'bug', http: 500, text: 'an internal rule was broken' },

  BAD_REQUEST: { family: 'caller', http: 400, text: 'the request does not have the expected form' },
  NOT_SIGNED_IN: { family: 'caller', http: 401, text: 'sign in first' },
  BAD_CREDENTIALS: { family: 'caller', http: 401, text: 'name or password is wrong' },
  FORBIDDEN: { family: 'caller', http: 403, text: 'your role does not allow this' },
  NOT_FOUND: { family: 'caller', http: 404, text: 'there is no such thing' },
  CONFLICT: { family: 'caller', http: 409, text: 'the state changed meanwhile, or does not allow this' },
  TOO_MANY: { family: 'caller', http: 429, text: 'too many attempts; wait' },
  BAD_CONFIG: { family: 'caller', http: 400, text: 'the configuration file has a mistake' },
  BAD_PROFILE: { family: 'caller', http: 400, text: 'a device profile has a mistake' },
  BAD_USE: { family: 'caller', http: 400, text: 'the command was used wrongly' },
  BAD_MODEL: { family: 'caller', http: 400, text: 'a model’s entry or file has a mistake' },
  BAD_PICTURE: { family: 'caller', http: 400, text: 'a picture or a video cannot be used' },
  UNDECODABLE: { family: 'caller', http: 400, text: 'a device message does not fit its profile' },

  STORAGE_UNAVAILABLE: { family: 'world', http: 503, text: 'the journal cannot be written' },
  STORAGE_FULL: { family: 'world', http: 507, text: 'the disk is full' },
  STORAGE_CORRUPT: { family: 'world', http: 500, text: 'the database is damaged' },
  STORAGE_NEWER: { family: 'world', http: 500, text: 'the database was written by a newer version' },
  STORAGE_LOCKED: { family: 'world', http: 503, text: 'another process holds the data directory' },
  DEVICE_TIMEOUT: { family: 'world', http: 504, text: 'the device did not answer in time' },
  DEVICE_OFFLINE: { family: 'world', http: 503, text: 'the device is not connected' },
  DEVICE_REFUSED: { family: 'world', http: 502, text: 'the device answered that it did not do it' },
  CAMERA_UNAVAILABLE: { family: 'world', http: 503, text: 'the camera gives no picture' },
  MODEL_UNAVAILABLE: { family: 'world', http: 503, text: 'a model cannot be fetched' },
  VISION_DEGRADED: { family: 'world', http: 503, text: 'the models do not run' },
  UPSTREAM_UNAVAILABLE: { family: 'world', http: 503, text: 'the command centre cannot be reached' },
  PORT_TAKEN: { family: 'world', http: 500, text: 'an address to listen on is already in use' },
} as const satisfies Record<string, { family: 'bug' | 'caller' | 'world'; http: number; text: string }>;

export type ErrorCode = keyof typeof ERRORS;
export type ErrorFamily = 'bug' | 'caller' | 'world';

export interface ErrorDetails {
  /** Where it happened: `file:line:column`, a topic, an address, a path. */
  where?: string;
  /** What the reader can do about it. */
  hint?: string;
  cause?: unknown;
}

/** The only error class thrown on purpose. `message` says what happened, `where` where, `hint` what to do. */
export class QuanweiError extends Error {
  override readonly name = 'QuanweiError';
  readonly code: ErrorCode;
  readonly where: string | undefined;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, what: string, details: ErrorDetails = {}) {
    super(what, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.where = details.where;
    this.hint = details.hint;
  }

  get family(): ErrorFamily {
    return ERRORS[this.code].family;
  }

  /** HTTP status an API answer carries for this error. */
  get status(): number {
    return ERRORS[this.code].http;
  }

  /** One line for a terminal: `where: what (hint)`. */
  describe(): string {
    const at = this.where === undefined ? '' : `${this.where}: `;
    const todo = this.hint === undefined ? '' : ` — ${this.hint}`;
    return `${at}${this.message}${todo}`;
  }
}

/** For a state that cannot be: says so loudly instead of going on. */
export function invariant(holds: unknown, what: string): asserts holds {
  if (!holds) throw new QuanweiError('INVARIANT', what);
}

/** What an unknown thrown value says, for logs and wrapped causes. */
export const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

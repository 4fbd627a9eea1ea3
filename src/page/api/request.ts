/** A refusal of the gateway: `code`, `message`, and with CONFLICT the thing as it is now. */
export class Refused extends Error {
  readonly status: number;
  readonly code: string;
  readonly where: string | undefined;
  readonly hint: string | undefined;
  /** With CONFLICT: what was to be changed, as it is now. */
  readonly current: unknown;

  constructor(status: number, problem: Problem | null) {
    super(problem?.error?.message ?? `HTTP ${status}`);
    this.status = status;
    this.code = problem?.error?.code ?? 'UNREACHABLE';
    this.where = problem?.error?.where;
    this.hint = problem?.error?.hint;
    this.current = problem?.current;
  }
}

interface Problem {
  readonly error?: { readonly code: string; readonly message: string; readonly where?: string; readonly hint?: string };
  readonly current?: unknown;
}

export interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Sent as JSON; given, the method is POST unless told otherwise. */
  readonly body?: unknown;
  /** Sent as they are, in place of `body`. */
  readonly bytes?: Blob;
  readonly signal?: AbortSignal;
}

const PATIENCE_MS = 20_000;

/** Whoever wants to know that the session is over; set once, by the shell. */
let onSessionOver: () => void = () => undefined;
export function whenSessionIsOver(fn: () => void): void {
  onSessionOver = fn;
}

/**
 * Asks the gateway. The answer is taken to be what its schema says: both come from the same box and the same build.
 * @throws Refused, with status 0 when the gateway was not reached
 */
export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const { body, bytes, signal, method = body === undefined ? 'GET' : 'POST' } = options;
  const patience = AbortSignal.timeout(PATIENCE_MS);
  let answer: Response;
  let text: string;
  try {
    answer = await fetch(path, {
      method,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      ...(bytes === undefined ? {} : { headers: { 'content-type': 'application/octet-stream' }, body: bytes }),
      signal: signal === undefined ? patience : AbortSignal.any([signal, patience]),
    });
    text = await answer.text();
  } catch (thrown) {
    if (signal?.aborted === true) throw thrown;
    throw new Refused(0, { error: { code: 'UNREACHABLE', message: '无法连接网关 · the gateway cannot be reached' } });
  }
  const value = parsed(text);
  if (answer.ok && value !== undefined) return value as T;
  const refused = new Refused(answer.status, (value ?? null) as Problem | null);
  // A wrong password is the answer to what was typed, not the end of the session.
  if (answer.status === 401 && refused.code !== 'BAD_CREDENTIALS') onSessionOver();
  throw refused;
}

/** @returns `undefined` for what is not JSON: something between us and the gateway answered */
function parsed(text: string): unknown {
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `?a=1&b=x` from what is given; `undefined`, `null` and '' are left out, lists are joined by commas. */
export function query(given: Record<string, string | number | boolean | readonly string[] | null | undefined>): string {
  const words = new URLSearchParams();
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)) continue;
    words.set(key, Array.isArray(value) ? value.join(',') : String(value));
  }
  const text = words.toString();
  return text === '' ? '' : `?${text}`;
}

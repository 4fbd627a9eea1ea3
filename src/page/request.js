/** A refusal of the gateway: `code`, `message`, and with CONFLICT the thing as it is now. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem?.error?.message ?? `HTTP ${status}`);
    this.status = status;
    this.code = problem?.error?.code ?? 'UNREACHABLE';
    this.where = problem?.error?.where;
    this.hint = problem?.error?.hint;
    this.current = problem?.current;
  }
}

/** @param body given: sent as JSON by POST */
export async function request(path, body, method = body === undefined ? 'GET' : 'POST') {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(20_000),
    });
  } catch {
    throw new Refused(0, { error: { code: 'UNREACHABLE', message: '无法连接网关 · the gateway cannot be reached' } });
  }
  const text = await answer.text();
  let value = null;
  try {
    value = text === '' ? null : JSON.parse(text);
  } catch {
    throw new Refused(answer.status, null);
  }
  if (!answer.ok) throw new Refused(answer.status, value);
  return value;
}

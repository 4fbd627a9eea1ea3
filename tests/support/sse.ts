import type { GatewayProcess } from './gateway-process.ts';

export interface LiveEntry {
  readonly seq: number;
  readonly kind: string;
}

/** Signs in and follows `GET /api/live`; tells each entry at the moment its bytes were parsed. */
export async function follow(
  gateway: GatewayProcess,
  onEntry: (entry: LiveEntry, at: number) => void,
): Promise<{ end(): void }> {
  const { cookie, base } = await gateway.signIn();
  const stop = new AbortController();
  const answer = await fetch(`${base}/api/live`, { headers: { cookie }, signal: stop.signal });
  if (answer.status !== 200 || answer.body === null) throw new Error(`/api/live answered ${answer.status}`);
  const body = answer.body;
  void (async () => {
    let text = '';
    const decoder = new TextDecoder();
    try {
      for await (const chunk of body) {
        const at = performance.now();
        text += decoder.decode(chunk as Uint8Array, { stream: true });
        const events = text.split('\n\n');
        text = events.pop() ?? '';
        for (const event of events) {
          const data = event
            .split('\n')
            .filter((line) => line.startsWith('data:'))
            .map((line) => line.slice(5).trim())
            .join('\n');
          if (data !== '') onEntry(JSON.parse(data) as LiveEntry, at);
        }
      }
    } catch (thrown) {
      if (!stop.signal.aborted) throw thrown;
    }
  })();
  return { end: () => stop.abort() };
}

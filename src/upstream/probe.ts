import { readFileSync } from 'node:fs';
import type { IClientOptions } from 'mqtt';
import type { UpstreamConfig } from '../config/schema.ts';
import { messageOf } from '../kernel/errors.ts';

const PATIENCE_MS = 8_000;

/**
 * Whether the centre's broker can be reached and lets this box in, beside a bridge that runs. Publishes nothing.
 * @param name the client id of a bridge whose configuration gives none
 * @returns why not, or `null`
 */
export async function whyNotReached(upstream: UpstreamConfig, name: string): Promise<string | null> {
  let options: IClientOptions;
  try {
    options = {
      // Not the bridge's own id: the centre's broker would throw the running bridge out.
      clientId: `${upstream.clientId ?? name}-check`,
      clean: true,
      reconnectPeriod: 0,
      connectTimeout: PATIENCE_MS,
      protocolVersion: upstream.protocol === '5' ? 5 : 4,
      ...(upstream.username === undefined ? {} : { username: upstream.username }),
      ...(upstream.password === undefined ? {} : { password: upstream.password }),
      ...(upstream.ca === undefined ? {} : { ca: readFileSync(upstream.ca) }),
      ...(upstream.cert === undefined ? {} : { cert: readFileSync(upstream.cert) }),
      ...(upstream.key === undefined ? {} : { key: readFileSync(upstream.key) }),
    };
  } catch (thrown) {
    return messageOf(thrown);
  }
  // Loaded only where there is a centre to ask.
  const { default: mqtt } = await import('mqtt');
  return new Promise((resolve) => {
    const client = mqtt.connect(upstream.url, options);
    let why = 'the connection was closed before it answered';
    const timer = setTimeout(() => end('no answer'), PATIENCE_MS);
    const end = (reason: string | null) => {
      clearTimeout(timer);
      client.removeAllListeners();
      // A late error of a client that is being ended must not end the program.
      client.on('error', () => undefined);
      client.end(true, () => resolve(reason));
    };
    client.once('connect', () => end(null));
    client.on('error', (thrown) => {
      why = messageOf(thrown);
    });
    client.once('close', () => end(why));
  });
}

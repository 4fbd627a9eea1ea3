import { readFileSync } from 'node:fs';
import type { IClientOptions } from 'mqtt';
import type { UpstreamConfig } from '../../config/schema.ts';
import { messageOf } from '../../kernel/errors.ts';
import type { Finding } from './finding.ts';

const PATIENCE_MS = 8_000;

/** Whether the command centre's broker can be reached and lets this box in. Publishes nothing. */
export async function checkCentre(upstream: UpstreamConfig | undefined, clientId: string): Promise<Finding> {
  if (upstream === undefined) {
    return {
      name: 'upstream',
      verdict: 'good',
      text: { zh: '未配置指挥中心：报警只在本地', en: 'No command centre is configured: alarms stay in this box' },
      figures: { configured: false },
    };
  }
  const began = performance.now();
  const why = await whyNot(upstream, clientId);
  const ms = Math.round(performance.now() - began);
  return {
    name: 'upstream',
    verdict: why === null ? 'good' : 'bad',
    text:
      why === null
        ? {
            zh: `指挥中心可登录：${upstream.url}（${ms} ms）`,
            en: `Logged in to the command centre at ${upstream.url} in ${ms} ms`,
          }
        : { zh: `指挥中心不通：${upstream.url}`, en: `Cannot log in to the command centre at ${upstream.url}: ${why}` },
    figures: { configured: true, url: upstream.url, ms },
    ...(why === null
      ? {}
      : {
          advice: {
            zh: '检查网络、地址、证书、用户名和密码；报警会留在本地，恢复后补发',
            en: 'check network, address, certificate, name and password; alarms wait here and are sent when it is back',
          },
        }),
  };
}

async function whyNot(upstream: UpstreamConfig, clientId: string): Promise<string | null> {
  let options: IClientOptions;
  try {
    options = {
      // Not the bridge's own id: the centre's broker would throw the running bridge out.
      clientId: `${upstream.clientId ?? clientId}-check`,
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

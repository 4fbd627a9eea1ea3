import { connect, createServer } from 'node:net';
import type { GatewayConfig } from '../../config/schema.ts';
import { messageOf } from '../../kernel/errors.ts';
import type { Finding } from './finding.ts';

export interface Listening {
  /** `mqtt`, `http` */
  readonly what: string;
  readonly url: string;
  readonly host: string;
  readonly port: number;
}

/** Every address the configuration asks to listen on. */
export function addressesOf(config: GatewayConfig): Listening[] {
  const urls = [
    ...config.mqtt.listen.map(({ url }) => ({ what: 'mqtt', url })),
    { what: 'http', url: config.http.listen },
  ];
  return urls.map(({ what, url }) => {
    const [, host = '', port = ''] = /^\w+:\/\/(.+):(\d+)$/.exec(url) ?? [];
    return { what, url, host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
  });
}

/**
 * What the gateway of this configuration is doing. `silent`: one has the data directory, but no page answers where the
 * configuration says; usually it was started with an earlier one.
 */
export type GatewayState = 'stopped' | 'healthy' | 'unwell' | 'silent';

/** Whether each address is free, or held by the gateway. */
export const checkPorts = (addresses: readonly Listening[], state: GatewayState): Promise<Finding[]> =>
  Promise.all(addresses.map((address) => checkPort(address, state)));

async function checkPort(address: Listening, state: GatewayState): Promise<Finding> {
  const { what, url, host, port } = address;
  const name = `port.${what}`;
  const open = url.startsWith('mqtt://') && ['0.0.0.0', '::'].includes(host);
  const ours = state !== 'stopped' && !(what === 'http' && state === 'silent');
  const listening = ours && (await canConnect(address));
  const taken = listening ? null : await whyTaken(address);
  const figures = { url, listening };
  if (taken !== null) {
    return {
      name,
      verdict: 'bad',
      text: { zh: `${url} 不可用`, en: `${url} cannot be used: ${taken}` },
      figures,
      advice: {
        zh: `用 ss -ltnp 'sport = :${port}' 查看占用者`,
        en: `see who holds it: ss -ltnp 'sport = :${port}'`,
      },
    };
  }
  if (!listening && state !== 'stopped') {
    return {
      name,
      verdict: 'doubtful',
      text: { zh: `${url} 还没有监听`, en: `${url} is free: the running gateway does not listen there` },
      figures,
      advice: { zh: '改过配置的话，重启后生效', en: 'if the configuration was changed, restart the gateway' },
    };
  }
  return {
    name,
    verdict: open ? 'doubtful' : 'good',
    text: listening
      ? { zh: `${url} 正在监听`, en: `${url} is listening` }
      : { zh: `${url} 可用（网关未运行）`, en: `${url} is free (the gateway is not running)` },
    figures,
    ...plainAdvice(open),
  };
}

const plainAdvice = (open: boolean): Pick<Finding, 'advice'> =>
  open
    ? {
        advice: {
          zh: '未加密的 MQTT 对所有网络开放：改为只监听设备网段，其他设备用 mqtts://',
          en: 'plain MQTT is open on every network: listen on the device network only, and use mqtts:// elsewhere',
        },
      }
    : {};

export function canConnect({ host, port }: Listening): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({
      host: host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host,
      port,
      timeout: 3_000,
    });
    const end = (answers: boolean) => {
      socket.destroy();
      resolve(answers);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}

function whyTaken({ host, port }: Listening): Promise<string | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (thrown) => resolve(messageOf(thrown)));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)));
  });
}

/** Whether the gateway of this configuration answers; its certificate is of its own making, so it is not judged here. */
export async function gatewayAnswers(config: GatewayConfig): Promise<{ running: boolean; healthy: boolean }> {
  const address = addressesOf(config).find(({ what }) => what === 'http');
  if (address === undefined) return { running: false, healthy: false };
  const host = address.host === '0.0.0.0' ? '127.0.0.1' : address.host === '::' ? '::1' : address.host;
  const secure = address.url.startsWith('https:');
  const { get } = secure ? await import('node:https') : await import('node:http');
  return new Promise((resolve) => {
    const request = get(
      { host, port: address.port, path: '/healthz', timeout: 3_000, ...(secure ? { rejectUnauthorized: false } : {}) },
      (answer) => {
        answer.resume();
        const known = answer.statusCode === 200 || answer.statusCode === 503;
        resolve({ running: known, healthy: answer.statusCode === 200 });
      },
    );
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve({ running: false, healthy: false }));
  });
}

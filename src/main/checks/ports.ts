import { connect, createServer } from 'node:net';
import type { GatewayConfig } from '../../config/schema.ts';
import { messageOf } from '../../kernel/errors.ts';
import type { Bilingual } from '../terminal.ts';
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
  const { what, url, host } = address;
  const name = `port.${what}`;
  const open = url.startsWith('mqtt://') && ['0.0.0.0', '::'].includes(host);
  const ours = state !== 'stopped' && !(what === 'http' && state === 'silent');
  const listening = ours && (await canConnect(address));
  const fault = listening ? null : await faultOf(address);
  const figures = { url, listening };
  if (fault !== null) {
    const { why, advice } = inWords(fault, address);
    return {
      name,
      verdict: 'bad',
      text: { zh: `${url} 不可用：${why.zh}`, en: `${url} cannot be used: ${why.en}` },
      figures,
      advice,
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

const OF_THIS_MACHINE: Bilingual = {
  zh: '填写本机地址，或 0.0.0.0',
  en: 'write an address of this machine, or 0.0.0.0 for all of them',
};

/** Why nothing can listen there, and what to do about it: not every fault is somebody else who does. */
function inWords(fault: NodeJS.ErrnoException, { host, port }: Listening): { why: Bilingual; advice: Bilingual } {
  switch (fault.code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return {
        why: { zh: `主机名 ${host} 无法解析`, en: `the name ${host} cannot be resolved` },
        advice: OF_THIS_MACHINE,
      };
    case 'EADDRNOTAVAIL':
      return {
        why: { zh: `${host} 不是本机地址`, en: `${host} is no address of this machine` },
        advice: OF_THIS_MACHINE,
      };
    case 'EACCES':
      return {
        why: { zh: `当前用户无权监听端口 ${port}`, en: `this user may not listen on port ${port}` },
        advice: { zh: '请用 1024 以上的端口', en: 'ports below 1024 need CAP_NET_BIND_SERVICE: use one above' },
      };
    case 'EADDRINUSE':
      return {
        why: { zh: `端口 ${port} 已被占用`, en: `port ${port} is already in use` },
        advice: {
          zh: `用 ss -ltnp 'sport = :${port}' 查看占用者`,
          en: `see who holds it: ss -ltnp 'sport = :${port}'`,
        },
      };
    default:
      return {
        why: { zh: messageOf(fault), en: messageOf(fault) },
        advice: OF_THIS_MACHINE,
      };
  }
}

function faultOf({ host, port }: Listening): Promise<NodeJS.ErrnoException | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
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

import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import type { GatewayConfig } from '../config/schema.ts';
import { messageOf, QuanweiError } from '../kernel/errors.ts';
import { LIMITS } from './limits.ts';

export type ListenConfig = GatewayConfig['mqtt']['listen'][number];

/** Certificate and key (PEM) of the box, and the CA whose certificates devices may show. */
export interface TlsIdentity {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** One open address. */
export interface Listener {
  /** With the port really used when 0 was asked for. */
  readonly url: string;
  /** A renewed certificate, for connections from now on. */
  renew(tls: TlsIdentity): void;
  close(): Promise<void>;
}

export interface ListenerEvents {
  /** A TCP connection, before TLS. @returns `false` to refuse it */
  connected(socket: Socket): boolean;
  /** Ready for MQTT: after TLS where there is TLS. */
  ready(socket: Socket): void;
}

/** Host as Node wants it, port; `[::1]` without its brackets. */
export function hostAndPort(url: string): { host: string; port: number } {
  const match = /^mqtts?:\/\/(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(url);
  return { host: match?.[1] ?? match?.[2] ?? '', port: Number(match?.[3]) };
}

/**
 * @throws QuanweiError PORT_TAKEN, BAD_CONFIG when the address is none of this machine's or the port out of range
 */
export async function listen(config: ListenConfig, tls: TlsIdentity | null, events: ListenerEvents): Promise<Listener> {
  const { host, port } = hostAndPort(config.url);
  const server = tls === null ? plain(events) : secured(config, tls, events);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(config.url, port, error)));
    try {
      server.listen({ host, port, backlog: 1_024 }, resolve);
    } catch (thrown) {
      reject(cannotListen(config.url, port, thrown as NodeJS.ErrnoException));
    }
  });
  server.removeAllListeners('error');
  // After it listens, an error is a connection that could not be accepted (too many files); the next may succeed.
  server.on('error', () => undefined);
  const address = server.address();
  const used = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: config.url.replace(/:\d+$/, `:${used}`),
    renew: (next) => {
      if (tls !== null) (server as TlsServer).setSecureContext(next);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
      }),
  };
}

function plain(events: ListenerEvents): Server {
  return createTcpServer({ noDelay: true }, (socket) => {
    if (events.connected(socket)) events.ready(socket);
    else socket.destroy();
  });
}

function secured(config: ListenConfig, tls: TlsIdentity, events: ListenerEvents): TlsServer {
  const server = createTlsServer(
    {
      ...tls,
      noDelay: true,
      minVersion: 'TLSv1.2',
      handshakeTimeout: LIMITS.connectTimeout,
      requestCert: config.clientCertificates !== 'off',
      rejectUnauthorized: config.clientCertificates === 'required',
    },
    (socket) => events.ready(socket),
  );
  server.prependListener('connection', (socket: Socket) => {
    if (!events.connected(socket)) socket.destroy();
  });
  // Somebody who speaks no TLS, or shows a certificate that is not ours: gone already.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}

function cannotListen(url: string, port: number, error: NodeJS.ErrnoException): QuanweiError {
  if (error.code === 'EADDRINUSE') {
    return new QuanweiError('PORT_TAKEN', `端口 ${port} 已被占用 · the port is already in use`, {
      where: url,
      hint: `查看占用者 · see who has it: ss -ltnp 'sport = :${port}' (often a Mosquitto service); stop it or change mqtt.listen`,
      cause: error,
    });
  }
  const hint =
    error.code === 'EACCES'
      ? '请用 1883 或 8883 · ports below 1024 need CAP_NET_BIND_SERVICE'
      : '填写本机地址 · write an address of this machine, or 0.0.0.0 for all of them';
  return new QuanweiError('BAD_CONFIG', `无法监听 · cannot listen: ${messageOf(error)}`, {
    where: url,
    hint,
    cause: error,
  });
}

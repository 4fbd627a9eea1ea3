import { once } from 'node:events';
import { connect } from 'node:net';
import { generate, parser } from 'mqtt-packet';

/** A bare subscriber: tells each arrival's topic and payload at the moment its bytes were parsed. */
export async function subscribe(
  port: number,
  filter: string,
  onMessage: (topic: string, payload: Buffer, at: number) => void,
): Promise<{ end(): void }> {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  await once(socket, 'connect');
  const parse = parser();
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    parse.on('packet', (packet) => {
      if (packet.cmd === 'connack') {
        socket.write(generate({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: filter, qos: 1 }] }));
      } else if (packet.cmd === 'suback') resolve();
      else if (packet.cmd === 'publish') {
        if (packet.qos === 1 && packet.messageId !== undefined) {
          socket.write(generate({ cmd: 'puback', messageId: packet.messageId }));
        }
        onMessage(packet.topic, packet.payload as Buffer, performance.now());
      }
    });
    socket.on('data', (chunk) => parse.parse(chunk));
    socket.write(
      generate({
        cmd: 'connect',
        protocolId: 'MQTT',
        protocolVersion: 4,
        clean: true,
        clientId: `reader-${process.pid}-${Math.round(performance.now())}`,
        keepalive: 0,
      }),
    );
  });
  return { end: () => void socket.destroy() };
}

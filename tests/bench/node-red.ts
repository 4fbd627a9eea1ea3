import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../support/ports.ts';
import { installed, mosquitto, type Peer } from './peers.ts';

/**
 * The optional peer: a Node-RED flow from one broker to another (mqtt in → mqtt out, QoS 1). Measured when `node-red`
 * is on the PATH; `null` when it is not.
 */
export function nodeRed(): ((centre: number) => Promise<Peer>) | null {
  if (!installed('node-red')) return null;
  return async (centre) => {
    const dir = mkdtempSync(join(tmpdir(), 'quanwei-bench-'));
    const edge = await mosquitto();
    const broker = (id: string, port: number) => ({
      id,
      type: 'mqtt-broker',
      broker: '127.0.0.1',
      port: String(port),
      clientid: id,
      autoConnect: true,
      protocolVersion: '4',
      keepalive: '60',
      cleansession: true,
    });
    writeFileSync(
      join(dir, 'flows.json'),
      JSON.stringify([
        { id: 'flow', type: 'tab', label: 'forward' },
        broker('edge', edge.port),
        broker('centre', centre),
        {
          id: 'in',
          type: 'mqtt in',
          z: 'flow',
          topic: '#',
          qos: '1',
          datatype: 'buffer',
          broker: 'edge',
          wires: [['out']],
        },
        { id: 'out', type: 'mqtt out', z: 'flow', topic: '', qos: '1', retain: '', broker: 'centre', wires: [] },
      ]),
    );
    const child = spawn('node-red', ['-u', dir, '-p', String(await freePort()), join(dir, 'flows.json')], {
      stdio: 'ignore',
    });
    return {
      port: edge.port,
      pid: child.pid ?? 0,
      async stop() {
        if (child.exitCode === null) {
          const gone = once(child, 'exit');
          child.kill('SIGTERM');
          await gone;
        }
        await edge.stop();
        rmSync(dir, { recursive: true, force: true });
      },
    };
  };
}

import { onTestFinished } from 'vitest';
import type { Outgoing } from '../../src/devices/event.ts';
import { Doors } from '../../src/doors/commands.ts';
import { Linkage } from '../../src/doors/linkage.ts';
import { idSource } from '../../src/kernel/ids.ts';
import { type Box, type BoxOptions, openBox, told, until } from '../devices/box.ts';
import { catalogue, device, tell } from '../devices/support.ts';
import { quiet } from '../journal/support.ts';

export interface Compound extends Box {
  readonly doors: Doors;
  readonly linkage: Linkage;
  /** Lets time go by until `holds`, letting the disk keep up. */
  passUntil(holds: () => boolean, what: string): Promise<void>;
  pass(ms: number): Promise<void>;
}

export async function openDoors(options: BoxOptions = {}): Promise<Compound> {
  const box = await openBox(options);
  const { journal, registry, clock, link, config } = box;
  const parts = { journal, registry, catalogue: catalogue(), link, timezone: 'Asia/Shanghai', clock, log: quiet };
  const doors = new Doors({ ...parts, newId: idSource(clock) });
  const linkage = new Linkage({ journal, doors, config: config.alarms, clock, log: quiet });
  onTestFinished(() => linkage.stop());
  const step = async (ms: number): Promise<void> => {
    await told();
    clock.advance(ms);
    await told();
  };
  return {
    ...box,
    doors,
    linkage,
    pass: async (ms) => {
      for (let gone = 0; gone < ms; gone += 500) await step(Math.min(500, ms - gone));
      await told();
    },
    passUntil: async (holds, what) => {
      for (let gone = 0; !holds(); gone += 50) {
        if (gone > 120_000) throw new Error(`never came: ${what}`);
        await step(50);
      }
    },
    close: async () => {
      await linkage.stop();
      await box.close();
    },
  };
}

/** What the terminal answers to a command, in its own words, read by its own profile. */
export function answer(doors: Doors, id: string, message: Outgoing, result: 'ok' | 'fail' = 'ok'): void {
  const { messageId, operator } = JSON.parse(message.payload) as { messageId: string; operator: string };
  const said = {
    messageId,
    operator: `${operator}-Ack`,
    code: result === 'ok' ? '200' : '461',
    info: { facesluiceId: id, result, detail: result === 'ok' ? '' : 'the relay is broken' },
  };
  const topic = `mqtt/face/${id}/Ack`;
  const { reply } = tell({ profile: 'face-oem-mqtt', device: device(id), topic, payload: said });
  if (reply === null) throw new Error('the profile did not recognise the answer');
  doors.reply(id, reply);
}

export { until };

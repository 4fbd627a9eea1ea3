import { GatewayProcess } from '../support/gateway-process.ts';

/** Secret of every device of the benchmark's compound. */
export const SECRET = 'bench-secret-0000';

export interface Compound {
  /** one zigbee hub login that speaks for all SOS buttons */
  readonly hub: string;
  readonly buttons: readonly string[];
  readonly doors: readonly string[];
}

/** Devices of a compound with `buttons` SOS buttons behind one hub and `doors` face doors, and their settings. */
export function compound(buttons: number, doors: number): { compound: Compound; devices: Record<string, unknown>[] } {
  const named = (prefix: string, n: number) => Array.from({ length: n }, (_, i) => `${prefix}-${i + 1}`);
  const all: Compound = { hub: 'z2m', buttons: named('sos', buttons), doors: named('door', doors) };
  const place = (i: number) => `${(i % 20) + 1}栋/${(i % 4) + 1}单元/门厅`;
  return {
    compound: all,
    devices: [
      { id: all.hub, profile: 'zigbee2mqtt-hub', secret: SECRET },
      ...all.buttons.map((id, i) => ({ id, profile: 'zigbee-sos-button', hub: all.hub, place: place(i) })),
      ...all.doors.map((id, i) => ({ id, profile: 'face-oem-mqtt', secret: SECRET, place: place(i) })),
    ],
  };
}

/** What a pressed SOS button publishes through zigbee2mqtt. */
export const press = (button: string) => ({
  topic: `zigbee2mqtt/${button}`,
  payload: '{"action":"emergency","battery":97,"voltage":3000,"linkquality":112}',
});

/** What a face door publishes when somebody passes; the record number makes it unique. */
export const pass = (door: string, record: number) => ({
  topic: `mqtt/face/${door}/Rec`,
  payload: JSON.stringify({
    operator: 'RecPush',
    info: {
      customId: `P${record % 5_000}`,
      personId: String(record % 5_000),
      RecordID: String(record),
      VerifyStatus: '1',
      PersonType: '0',
      similarity1: '91.400000',
      Sendintime: '1',
      PushType: '0',
      personName: '张三',
      facesluiceId: door,
      time: new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' '),
      isNoMask: '0',
    },
  }),
});

export const gateway = (
  dir: string,
  devices: Record<string, unknown>[],
  more: Record<string, unknown> = {},
  env = {},
) => GatewayProcess.prepare(dir, { devices, ...more }, env);

import { createHash } from 'node:crypto';
import type { AlarmDeed } from '../alarms/actions.ts';
import type { Board } from '../alarms/board.ts';
import type { Registry } from '../devices/registry.ts';
import type { DoorResult, Doors } from '../doors/commands.ts';
import type { Journal } from '../journal/journal.ts';
import type { Clock } from '../kernel/clock.ts';
import { QuanweiError } from '../kernel/errors.ts';
import type { OrderHandlers, OrderResult } from '../upstream/orders.ts';
import { type EvidencePlaces, evidenceOf, readEvidence } from './evidence.ts';

interface Rooms {
  readonly board: Board;
  readonly doors: Doors;
  readonly registry: Registry;
  readonly journal: Journal;
  readonly clock: Clock;
  /** `null` without cameras */
  readonly vision: EvidencePlaces | null;
}

/** What a door's answer is called in the contract with the centre (docs/upstream.md). */
const DOOR_CODES = {
  opened: 'OK',
  sent: 'OK',
  refused: 'DEVICE_REFUSED',
  timeout: 'DEVICE_TIMEOUT',
  offline: 'DEVICE_OFFLINE',
} as const satisfies Record<DoorResult['code'], string>;

const done = (detail: string, result?: unknown): OrderResult => ({
  ok: true,
  code: 'OK',
  detail,
  ...(result === undefined ? {} : { result }),
});

/** What the centre may order, done by the rooms that do it for everybody else, with the same rules. */
export function centreOrders({ board, doors, registry, journal, clock, vision }: Rooms): OrderHandlers {
  const act = async (alarm: string, deed: AlarmDeed, by: string): Promise<OrderResult> => {
    const after = await board.transact((tx) => tx.act({ ...deed, alarm }, { actor: 'centre', role: by }));
    return done(`${after.condition}, ${after.handling}`);
  };
  const device = (id: string) => {
    const found = registry.get(id);
    if (found === null) throw new QuanweiError('NOT_FOUND', `there is no device ${id}`);
    const { name, place, profile } = found;
    const { online, lastSeen, battery, firmware } = registry.state(id);
    return { id, name, place, profile, online, lastSeen, battery, firmware };
  };
  return {
    acknowledge: ({ alarm, note, by }) => act(alarm, { type: 'acknowledge', note }, by),
    handle: ({ alarm, result, by }) => act(alarm, { type: 'handle', result }, by),
    close: ({ alarm, reason, by }) => act(alarm, { type: 'close', result: reason, reason }, by),
    note: ({ alarm, text, by }) => act(alarm, { type: 'note', note: text }, by),

    async openDoor({ door, reason, by }) {
      const { ok, code, detail, ms } = await doors.open({
        door,
        actor: 'centre',
        reason,
        source: 'centre',
        detail: { by },
      });
      return {
        ok,
        code: ok ? 'OK' : DOOR_CODES[code],
        detail: detail === '' ? `${code} after ${ms} ms` : detail,
      };
    },

    async evidence({ alarm, ref }) {
      const about = board.get(alarm);
      const recorded = about === null ? undefined : (await evidenceOf(journal, about, clock.wall())).get(ref);
      if (recorded === undefined) throw new QuanweiError('NOT_FOUND', `alarm ${alarm} has no evidence ${ref}`);
      if (vision === null) throw new QuanweiError('NOT_FOUND', `${ref} is not kept on this box`);
      const found = await readEvidence(vision, ref);
      if ('ok' in found) return found;
      // What was told of it binds it to its alarm; another picture is not sent under its name.
      if (createHash('sha256').update(found.bytes).digest('hex') !== recorded)
        throw new QuanweiError('CONFLICT', `${ref} is not what it was when the alarm was raised`);
      return found;
    },

    async query({ what, alarm, device: id, limit }) {
      switch (what) {
        case 'alarms':
          return done('open alarms', board.open().slice(0, limit));
        case 'alarm': {
          const found = alarm === undefined ? null : board.get(alarm);
          if (found === null) throw new QuanweiError('NOT_FOUND', `there is no alarm ${alarm ?? '(none named)'}`);
          return done('the alarm as it is', found);
        }
        case 'devices':
          return done(
            'devices',
            registry
              .all()
              .slice(0, limit)
              .map(({ id: one }) => device(one)),
          );
        case 'device':
          return done('the device as it is', device(id ?? ''));
        case 'doors':
          return done('doors', doors.list().slice(0, limit));
      }
    },
  };
}

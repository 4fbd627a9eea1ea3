import { z } from 'zod';
import { isClosed } from '../../alarms/alarm.ts';
import { isTried, NOTHING_HEARD, testOf } from '../../alarms/device-test.ts';
import { resolveParams } from '../../devices/binding.ts';
import type { Profile } from '../../devices/catalogue.ts';
import { CATEGORIES, type Category } from '../../devices/event.ts';
import type { Device } from '../../devices/registry.ts';
import { QuanweiError } from '../../kernel/errors.ts';
import { AlarmView, answers, DeviceId } from '../forms.ts';
import { actorOf, person } from '../guard.ts';
import type { Api, Context } from './context.ts';

const Named = z.object({ id: DeviceId });
const Test = z.strictObject({ minutes: z.int().min(1).max(30).default(5) });

/** Trying a device out: what it reports meanwhile is practice, and whether it was heard is on record. */
export function deviceTestRoutes(app: Api, { registry, board, catalogue }: Context): void {
  const tags = ['devices'];
  const config = { access: 'manager' } as const;

  app.post(
    '/api/devices/:id/test',
    {
      config,
      schema: {
        tags,
        summary:
          '测试设备 for so long, what this device reports is practice; the answer is the drill it is recorded as',
        params: Named,
        body: Test,
        response: answers(AlarmView),
      },
    },
    async (request) => {
      const { id } = request.params;
      const device = registry.get(id);
      if (device === null) throw new QuanweiError('NOT_FOUND', '没有此设备 · there is no such device', { where: id });
      if (!device.enabled) {
        throw new QuanweiError('CONFLICT', '设备已停用，先启用 · it is switched off', { where: id });
      }
      const category = triedBy(catalogue.get(device.profile), device);
      if (category === null) {
        throw new QuanweiError('CONFLICT', '这个型号自己不报事件 · this model reports nothing by itself', {
          where: id,
          hint: 'test the devices behind it',
        });
      }
      const by = { actor: actorOf(request), role: person(request).account.role };
      return board.transact((tx) => {
        // Two that press at the same moment are in one commit.
        if (tx.testUnderWay(id) !== null) {
          throw new QuanweiError('CONFLICT', '正在测试 · it is being tested already', { where: id });
        }
        return tx.raise(testOf(device, category, request.body.minutes), by);
      });
    },
  );

  app.post(
    '/api/devices/:id/test/end',
    {
      config,
      schema: {
        tags,
        summary: '结束测试 ends it now, and closes what the device reported meanwhile',
        params: Named,
        body: z.strictObject({}),
        response: answers(AlarmView),
      },
    },
    async (request) => {
      const { id } = request.params;
      const by = { actor: actorOf(request), role: person(request).account.role };
      return board.transact((tx) => {
        const test = tx.testUnderWay(id);
        if (test === null) throw new QuanweiError('CONFLICT', '没有在测试 · it is not being tested', { where: id });
        const practised = board
          .open()
          .filter((one) => one.drill && one.device === id && one.id !== test.id && one.raisedAt >= test.raisedAt);
        for (const { id: alarm } of practised) {
          const now = tx.get(alarm);
          if (now !== null && !isClosed(now)) tx.act({ alarm, type: 'close' }, by);
        }
        const { result = null } = tx.get(test.id) ?? {};
        return tx.act({ alarm: test.id, type: 'close', ...(result === null ? { result: NOTHING_HEARD } : {}) }, by);
      });
    },
  );
}

/** What the device is there to report, the gravest first; `null` when it reports nothing by itself. */
function triedBy(profile: Profile, device: Device): Category | null {
  const params = resolveParams(profile, device);
  const told = profile.messages
    .flatMap(({ events }) => events)
    .flatMap(({ category }) => {
      if (typeof category === 'string') return [category];
      const own = category.from.startsWith('$param.') ? [params[category.from.slice(7)] ?? ''] : [];
      return [...own, ...Object.values(category.map ?? {}), ...(category.else === undefined ? [] : [category.else])];
    });
  const known = told.filter((one): one is Category => Object.hasOwn(CATEGORIES, one)).filter(isTried);
  return known.find((one) => CATEGORIES[one].lifeSafety) ?? known[0] ?? null;
}

import { type ComputedRef, computed, shallowRef } from 'vue';
import { useAsking } from '../../parts/asking.ts';
import { useToasts } from '../../state/toasts.ts';
import { t } from '../../words/words.ts';
import type { Plans } from './plans.ts';
import type { Area, Plan, Point } from './types.ts';

/** What the next touch of the plan does. */
type Tool = 'look' | 'place' | 'area' | 'label';

/** Everything a manager does to a plan. Whatever is refused is said and leaves the plan as it is. */
export function useEditing(plans: Plans, plan: ComputedRef<Plan | null>) {
  const asking = useAsking();
  const toasts = useToasts();
  const editing = shallowRef(false);
  const tool = shallowRef<Tool>('look');
  const armed = shallowRef<string | null>(null);
  const drawing = shallowRef<readonly Point[]>([]);
  const aiming = computed(() => tool.value !== 'look');

  function stop(): void {
    tool.value = 'look';
    armed.value = null;
    drawing.value = [];
  }
  function toggle(): void {
    editing.value = !editing.value;
    stop();
  }
  function use(next: Tool, device: string | null = null): void {
    stop();
    tool.value = next;
    armed.value = device;
  }
  const arm = (device: string): void => (armed.value === device ? stop() : use('place', device));

  async function place(device: string, at: Point): Promise<void> {
    const { value: on } = plan;
    if (on !== null) await toasts.attempt(() => plans.place(device, on.id, at));
  }
  const takeOff = (device: string): Promise<boolean> => toasts.attempt(() => plans.takeOff(device));

  async function touch(at: Point): Promise<void> {
    const device = armed.value;
    if (tool.value === 'place' && device !== null) {
      stop();
      await place(device, at);
    } else if (tool.value === 'label') {
      stop();
      await askArea([at], null);
    } else if (tool.value === 'area') drawing.value = [...drawing.value, at];
  }
  const undo = (): void => {
    drawing.value = drawing.value.slice(0, -1);
  };
  async function finish(): Promise<void> {
    const points = drawing.value;
    if (points.length < 3) return;
    // Drawn until it is answered: who gives up has to draw it again, who is refused has not.
    tool.value = 'look';
    await askArea(points, null);
    stop();
  }

  async function askArea(points: readonly Point[], area: Area | null): Promise<void> {
    const { value: on } = plan;
    if (on === null) return;
    const others = plans.plans.value.filter(({ id }) => id !== on.id);
    await asking.ask({
      title: area === null ? t('map.drawArea') : t('map.areaEdit'),
      action: t('shell.save'),
      fields: [
        { name: 'name', label: t('map.areaName'), value: area?.name ?? '', max: 64, hint: t('map.areaHint') },
        ...(others.length === 0
          ? []
          : [
              {
                name: 'opens',
                label: t('map.areaOpens'),
                type: 'choice' as const,
                value: area?.opens ?? 'none',
                choices: [
                  ['none', t('map.opensNothing')] as const,
                  ...others.map(({ id, name }) => [id, name] as const),
                ],
              },
            ]),
      ],
      send: ({ name = '', opens = 'none' }) =>
        plans.saveArea(
          on.id,
          { name, opens: opens === 'none' ? null : opens, points: points.map(([x, y]) => [x, y] as const) },
          area?.id ?? null,
        ),
    });
  }
  const changeArea = (area: Area): Promise<void> => askArea(area.points, area);
  const removeArea = (area: Area): Promise<boolean> =>
    asking.ask({
      title: t('map.areaRemove'),
      explain: t('map.areaRemoveAsk', { area: area.name }),
      action: t('map.remove'),
      grave: true,
      send: () => plans.change(`/api/areas/${area.id}`, 'DELETE'),
    });

  const rename = (on: Plan): Promise<boolean> =>
    asking.ask({
      title: t('map.rename'),
      action: t('shell.save'),
      fields: [{ name: 'name', label: t('map.planName'), value: on.name, max: 64 }],
      send: ({ name }) => plans.change(`/api/plans/${on.id}`, 'PATCH', { name }),
    });
  const makeFirst = (on: Plan): Promise<boolean> =>
    toasts.attempt(() => plans.change(`/api/plans/${on.id}`, 'PATCH', { first: true }));
  const remove = (on: Plan): Promise<boolean> =>
    asking.ask({
      title: t('map.removePlan'),
      explain: t('map.removeAsk', { plan: on.name }),
      action: t('map.remove'),
      grave: true,
      fields: [{ name: 'reason', label: t('map.reason'), max: 200 }],
      send: ({ reason }) => plans.change(`/api/plans/${on.id}`, 'DELETE', { reason }),
    });

  return {
    ...{ editing, tool, armed, drawing, aiming, stop, toggle, use, arm, touch, undo, finish },
    ...{ place, takeOff, changeArea, removeArea, rename, makeFirst, remove },
  };
}
export type Editing = ReturnType<typeof useEditing>;

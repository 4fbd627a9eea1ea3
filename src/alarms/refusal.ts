import { QuanweiError } from '../kernel/errors.ts';

/** Why a deed is not possible now, in both languages; the keys are what programs may match on. */
export const REFUSALS = {
  CLOSED: { zh: '该警情已销号，不能再操作', en: 'this alarm is closed; it stays closed' },
  STALE: { zh: '警情已有变化，请刷新后重试', en: 'the alarm has changed since you looked at it' },
  ACKNOWLEDGED: { zh: '已有人确认', en: 'somebody has acknowledged it already' },
  HANDLED: { zh: '已处置完成，只能退回或销号', en: 'it has been handled: return it or close it' },
  NOT_HANDLED: { zh: '尚未处置，须填写处置结果后才能销号', en: 'nobody has handled it: say the result first' },
  STILL_ACTIVE: {
    zh: '设备仍在报警，如确需销号请说明原因',
    en: 'the device still reports it: closing it needs a reason',
  },
  SOURCE_ACTIVE: { zh: '设备仍在报警，不能复位', en: 'the device still reports it: it cannot be reset' },
  NOT_ACKNOWLEDGED: { zh: '请先确认', en: 'acknowledge it first' },
  NOT_LATCHED: { zh: '该警情无需复位', en: 'there is nothing to reset' },
  LEVEL_ONE: { zh: '一级警情不能搁置', en: 'a level-1 alarm cannot be shelved' },
  SHELF_TIME: { zh: '搁置期限须在将来且不超过30天', en: 'shelving ends in the future, within 30 days' },
  NOT_SHELVED: { zh: '该警情未搁置', en: 'it is not shelved' },
  MERGE_SELF: { zh: '不能并入自身', en: 'an alarm cannot be merged into itself' },
  MERGE_TARGET: { zh: '目标警情不存在或已销号', en: 'the alarm to merge into is closed or unknown' },
  MERGE_GRAVER: { zh: '不能并入级别更低的警情', en: 'a graver alarm cannot be merged into a lesser one' },
  MERGE_DRILL: { zh: '演练与真实警情不能并案', en: 'a drill and a real alarm are not one case' },
  NOT_GRAVER: { zh: '级别只能上调', en: 'a level can only rise' },
} as const satisfies Record<string, { zh: string; en: string }>;

export type Refusal = keyof typeof REFUSALS;

/** The refusal as an error for whoever asked. @param alarm id of the alarm */
export function refusalError(refusal: Refusal, alarm: string): QuanweiError {
  const { zh, en } = REFUSALS[refusal];
  return new QuanweiError('CONFLICT', `${zh} · ${en}`, { where: alarm, hint: refusal });
}

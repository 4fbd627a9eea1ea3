import { isStillActive } from './alarm.js';
import { ask, tell } from './dialog.js';
import { request } from './request.js';
import { categoryWord, levelWord, t } from './words.js';

const MINUTE = 60_000;
const PATHS = { closeCase: 'close' };

const words = (name, label, more = {}) => ({ name, label: t(label), type: 'words', ...more });

/** What each deed asks the person for; those that are not here need no words. */
const FIELDS = {
  dispatch: () => [{ name: 'to', label: t('to') }, words('note', 'noteText', { optional: true })],
  handle: () => [words('result', 'resultText')],
  closeCase: (alarm) => [
    ...(alarm.handling === 'handled' ? [] : [words('result', 'resultText')]),
    ...(isStillActive(alarm) ? [words('reason', 'closeReason')] : []),
  ],
  false: () => [words('reason', 'reason')],
  return: () => [words('reason', 'reason')],
  reset: () => [words('reason', 'reason')],
  note: () => [words('note', 'noteText')],
  shelve: () => [
    {
      name: 'minutes',
      label: t('shelveFor'),
      type: 'choice',
      choices: [
        ['30', t('minutes30')],
        ['120', t('hours2')],
        ['480', t('hours8')],
        ['1440', t('day')],
      ],
    },
    words('reason', 'reason'),
  ],
  regrade: (alarm) => [
    {
      name: 'level',
      label: t('newLevel'),
      type: 'choice',
      choices: [1, 2, 3].filter((level) => level < alarm.level).map((level) => [String(level), levelWord(level)]),
      value: String(alarm.level - 1),
    },
    words('reason', 'reason'),
  ],
  merge: (alarm, others) => [
    {
      name: 'into',
      label: t('mergeInto'),
      type: 'choice',
      choices: others
        .filter((other) => other.id !== alarm.id && other.level <= alarm.level && other.drill === alarm.drill)
        .map((other) => [
          other.id,
          `${levelWord(other.level)} ${categoryWord(other.category)} ${other.place} ${other.deviceName}`,
        ]),
    },
    words('reason', 'reason', { optional: true }),
  ],
};

/** What goes over the wire, from what was typed. */
function bodyOf(deed, alarm, typed, now) {
  const said = Object.fromEntries(Object.entries(typed).filter(([, value]) => value !== ''));
  if (deed === 'shelve')
    return { until: now + Number(said.minutes) * MINUTE, reason: said.reason, revision: alarm.revision };
  if (deed === 'regrade') return { ...said, level: Number(said.level), revision: alarm.revision };
  // A note changes nothing that anybody decided on.
  return deed === 'note' ? said : { ...said, revision: alarm.revision };
}

/**
 * Does it, after asking for the words it needs. Whoever was first wins: the other sees what was done.
 * @param board `{ get(id), open(), take(alarm) }`
 */
export async function perform(deed, alarm, board, now) {
  const send = async (typed) => {
    // Decided on what is on the screen now, also when the dialog stood open for a while.
    try {
      board.take(await request(`/api/alarms/${alarm.id}/${PATHS[deed] ?? deed}`, bodyOf(deed, alarm, typed, now())));
    } catch (thrown) {
      if (thrown.code !== 'CONFLICT') throw thrown;
      if (thrown.current) board.take(thrown.current);
      if (thrown.hint === 'STALE' || thrown.hint === 'ACKNOWLEDGED' || thrown.hint === 'CLOSED') {
        tell(t('conflict'), 'bad');
        return;
      }
      throw thrown;
    }
  };
  const fields = FIELDS[deed]?.(alarm, board.open()) ?? [];
  if (fields.length === 0 && deed !== 'closeCase') return send({});
  await ask({
    title: `${t(deed)} · ${categoryWord(alarm.category)}`,
    explain: [alarm.place, alarm.deviceName].filter(Boolean).join(' · '),
    fields,
    action: t(deed),
    grave: deed === 'closeCase' || deed === 'false',
    send,
  });
}

import { ask, tell } from './dialog.js';
import { request } from './request.js';
import { categoryWord, channelWord, REPORT_CHANNELS, t } from './words.js';

const given = (typed) => Object.fromEntries(Object.entries(typed).filter(([, value]) => value !== ''));

/** What somebody told: by phone, at the counter, by letter, with a picture. One ledger for all. */
export async function report(categories, board) {
  await ask({
    title: t('report'),
    fields: [
      {
        name: 'channel',
        label: t('reportHow'),
        type: 'choice',
        choices: REPORT_CHANNELS.map((channel) => [channel, channelWord(channel)]),
      },
      { name: 'category', label: t('what'), type: 'choice', choices: choices(categories), value: 'report.resident' },
      { name: 'place', label: t('where') },
      { name: 'text', label: t('words'), type: 'words' },
      { name: 'reporter', label: t('reporter'), optional: true },
      { name: 'contact', label: t('contact'), optional: true },
    ],
    action: t('report'),
    send: async (typed) => {
      const alarm = await request('/api/alarms/report', given(typed));
      board.take(alarm);
      tell(`${t('reportDone')} ${alarm.detail.receipt ?? ''}`);
    },
  });
}

/** Practice: everything as in earnest, and nothing rings or opens. */
export async function drill(categories, board) {
  await ask({
    title: t('startDrill'),
    explain: t('drillText'),
    fields: [
      { name: 'category', label: t('what'), type: 'choice', choices: choices(categories), value: 'fire.button' },
      { name: 'place', label: t('where') },
      { name: 'text', label: t('words'), type: 'words' },
    ],
    action: t('startDrill'),
    send: async (typed) => board.take(await request('/api/alarms/drill', given(typed))),
  });
}

const choices = (categories) => Object.keys(categories).map((category) => [category, categoryWord(category)]);

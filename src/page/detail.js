import { deeds } from './alarm.js';
import { perform } from './deeds.js';
import { attempt } from './dialog.js';
import { el } from './dom.js';
import { evidence } from './evidence.js';
import { request } from './request.js';
import { clockTime, now } from './time.js';
import {
  categoryWord,
  channelWord,
  conditionWord,
  handlingWord,
  kindWord,
  levelWord,
  spokenMessage,
  t,
} from './words.js';

/** Words of a change worth reading; the rest is for programs. */
const SAID = ['note', 'reason', 'result', 'to', 'text', 'deadline'];

/** One alarm with all there is about it, beside the board; on a phone over it. */
export class Detail {
  #board;
  #person;
  #id = null;
  #shown = '';
  root = el('aside.detail', { hidden: true });

  constructor(board, person) {
    this.#board = board;
    this.#person = person;
  }

  async open(id) {
    this.#id = id;
    this.#shown = '';
    await this.#load();
  }

  close() {
    this.#id = null;
    this.root.hidden = true;
  }

  /** An entry about an alarm came in. */
  heard(entry) {
    if (entry.subject === this.#id) void this.#load();
  }

  async #load() {
    const id = this.#id;
    try {
      const { alarm, timeline, clips } = await request(`/api/alarms/${id}`);
      // Somebody may have opened another meanwhile.
      if (id === this.#id) this.#draw(alarm, timeline, clips);
    } catch (thrown) {
      if (id !== this.#id) return;
      this.root.replaceChildren(this.#head(t('details')), el('p.problem', { text: spokenMessage(thrown.message) }));
      this.root.hidden = false;
    }
  }

  #head(title) {
    return el(
      'header',
      {},
      el('h2', { text: title }),
      el('button.plain', { type: 'button', text: t('close'), on: { click: () => this.close() } }),
    );
  }

  #draw(alarm, timeline, clips) {
    const key = JSON.stringify([alarm, timeline.length, clips]);
    if (key === this.#shown) return;
    this.#shown = key;
    const level = el(
      `div.badge.l${alarm.level}`,
      {},
      el('span.shape', {}, el('b', { text: String(alarm.level) })),
      el('small', { text: levelWord(alarm.level) }),
    );
    this.root.replaceChildren(
      ...[
        this.#head(categoryWord(alarm.category)),
        level,
        this.#buttons(alarm),
        evidence([...alarm.evidence, ...clips], this.#person.role),
        el('h3', { text: t('facts') }),
        el(
          'dl',
          {},
          ...factsOf(alarm).flatMap(([word, value]) => [el('dt', { text: word }), el('dd', { text: value })]),
        ),
        el('h3', { text: t('timeline') }),
        el('ol.timeline', {}, ...gathered(timeline).map(step)),
      ].filter((one) => one !== null),
    );
    this.root.hidden = false;
  }

  #buttons(alarm) {
    const buttons = deeds(alarm, this.#person.role).map((deed, i) =>
      el(i === 0 ? 'button.main' : 'button', {
        type: 'button',
        text: t(deed),
        data: { deed },
        on: {
          click: (event) =>
            void attempt(event.currentTarget, async () => {
              await perform(deed, this.#board.get(alarm.id) ?? alarm, this.#board, now);
              await this.#load();
            }),
        },
      }),
    );
    return el('div.deeds', {}, ...buttons);
  }
}

function factsOf(alarm) {
  const facts = [
    [t('place'), alarm.place],
    [
      t('device'),
      alarm.deviceName === alarm.device ? alarm.device : [alarm.deviceName, alarm.device].filter(Boolean).join(' · '),
    ],
    [t('source'), channelWord(alarm.channel)],
    [t('condition'), conditionWord(alarm.condition)],
    [t('handling'), handlingWord(alarm.handling)],
    [t('who'), alarm.assignee ?? t('nobody')],
    [t('raisedAt'), clockTime(alarm.raisedAt)],
    [t('deviceTime'), alarm.deviceTime === null ? '' : clockTime(alarm.deviceTime)],
    [t('result'), alarm.result ?? ''],
    ...Object.entries(alarm.detail).map(([name, value]) => [detailWord(name), detailValue(value)]),
    [t('number'), alarm.id],
  ];
  return facts.filter(([, value]) => value !== '');
}

/** What a device told, by its name in the profiles; what has no word here is shown as the profile calls it. */
const DETAIL_WORDS = {
  text: 'words',
  receipt: 'receipt',
  reporter: 'reporter',
  contact: 'contact',
  stage: 'stage',
  zone: 'zone',
  track: 'track',
  score: 'score',
  posture: 'posture',
  direction: 'direction',
  rule: 'rule',
  similarity: 'similarity',
  person: 'personNumber',
};
const detailWord = (name) => (name in DETAIL_WORDS ? t(DETAIL_WORDS[name]).replace(/（.*）| \(.*\)/, '') : name);

/** Measured values carry more digits than anybody can use. */
function detailValue(value) {
  if (value === null) return '';
  return typeof value === 'number' && !Number.isInteger(value) ? value.toPrecision(3) : String(value);
}

/** Repeats that follow each other are one line with their number. */
function gathered(timeline) {
  const lines = [];
  for (const entry of timeline) {
    const last = lines.at(-1);
    const times = Number(entry.body?.change?.coalesced ?? 1);
    if (entry.kind === 'alarm.repeated' && last?.kind === entry.kind) {
      lines[lines.length - 1] = { ...entry, times: last.times + times };
    } else lines.push({ ...entry, times });
  }
  return lines;
}

function step({ kind, actor, wall, body, times }) {
  const said = SAID.map((name) => body?.change?.[name]).filter(
    (value) => value !== undefined && value !== null && value !== '',
  );
  return el(
    'li',
    {},
    el('time', { text: clockTime(wall), datetime: new Date(wall).toISOString() }),
    el('b', { text: times > 1 ? `${kindWord(kind)} ×${times}` : kindWord(kind) }),
    el('span', { text: actor.replace(/^(user|device):/, '') }),
    said.length === 0 ? null : el('p', { text: said.join(' · ') }),
  );
}

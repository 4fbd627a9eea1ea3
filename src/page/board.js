import { asks, byNeed, deadline, deeds, isClosed, isStillActive, isUnacknowledged, rings, section } from './alarm.js';
import { perform } from './deeds.js';
import { attempt, tell } from './dialog.js';
import { arrange, el, say } from './dom.js';
import { request } from './request.js';
import { clockTime, now, span } from './time.js';
import { categoryWord, channelWord, conditionWord, handlingWord, levelWord, t } from './words.js';

const SECTIONS = [
  ['now', 'now'],
  ['hand', 'inHand'],
  ['aside', 'aside'],
];

/** Rows drawn in a section; in a flood the graver ones are among them, and how many are not is said. */
const SHOWN = 200;
/** What comes within this time is drawn together, ms. */
const DRAW_MS = 30;

/** The alarms that are not closed, sorted by what needs a person now. */
export class Board {
  #alarms = new Map();
  #rows = new Map();
  #sections = new Map();
  #quiet;
  #person;
  #changed;
  #open;
  #drawing = null;
  /** There are more than the gateway tells at once. */
  #more = false;
  root;

  /**
   * @param person `{ name, role }`
   * @param changed called after every change
   * @param open shows one alarm with all there is about it
   */
  constructor(person, changed, open) {
    this.#person = person;
    this.#changed = changed;
    this.#open = open;
    this.root = el('div.board');
    for (const [key, word] of SECTIONS) {
      const count = el('span.count');
      const list = el('div.list', { role: 'list' });
      const rest = el('p.rest', { hidden: true });
      const head = el('header', {}, el('h2', { text: t(word) }), count);
      if (key === 'now' && person.role !== 'viewer') {
        head.append(
          el('button.all', {
            text: t('acknowledgeAll'),
            hidden: true,
            on: { click: (event) => void attempt(event.currentTarget, () => this.#acknowledgeAll()) },
          }),
        );
      }
      const part = el(`section.${key}`, {}, head, list, rest);
      this.#sections.set(key, { part, count, list, rest, all: head.querySelector('.all') });
      this.root.append(part);
    }
    this.#quiet = el(
      'div.quiet',
      {},
      el('i.calm'),
      el('h2', { text: t('allQuiet') }),
      el('p', { text: t('allQuietMore') }),
    );
    this.root.append(this.#quiet);
  }

  /** Everything anew, after a gap. @param more the gateway has further ones, less grave */
  replace(alarms, more) {
    this.#alarms = new Map(alarms.map((alarm) => [alarm.id, alarm]));
    this.#more = more;
    this.#draw();
  }

  /** One alarm as it is now. */
  take(alarm) {
    const rang = this.ringing();
    if (isClosed(alarm)) this.#alarms.delete(alarm.id);
    else this.#alarms.set(alarm.id, alarm);
    // The bell does not wait for the picture: a page in the background is drawn late, or not at all.
    if (this.ringing() !== rang) this.#changed();
    this.#drawing ??= setTimeout(() => this.#draw(), DRAW_MS);
  }

  get(id) {
    return this.#alarms.get(id) ?? null;
  }

  open() {
    return [...this.#alarms.values()].sort(byNeed);
  }

  /** Whether a level-1 alarm waits for somebody. */
  ringing() {
    for (const alarm of this.#alarms.values()) if (rings(alarm)) return true;
    return false;
  }

  unacknowledged() {
    let count = 0;
    for (const alarm of this.#alarms.values()) if (section(alarm) === 'now') count += 1;
    return count;
  }

  /** Ages and deadlines go on. */
  tick() {
    for (const [id, row] of this.#rows) {
      const alarm = this.#alarms.get(id);
      if (alarm !== undefined) row.tick(alarm);
    }
  }

  #draw() {
    clearTimeout(this.#drawing);
    this.#drawing = null;
    const all = this.open();
    for (const id of [...this.#rows.keys()]) if (!this.#alarms.has(id)) this.#rows.delete(id);
    for (const [key, { part, count, list, rest, all: button }] of this.#sections) {
      const mine = all.filter((alarm) => section(alarm) === key);
      arrange(
        list,
        mine.slice(0, SHOWN).map((alarm) => {
          let row = this.#rows.get(alarm.id);
          if (row === undefined) {
            row = new Row(alarm.id, this, this.#person, this.#open);
            this.#rows.set(alarm.id, row);
          }
          row.update(alarm);
          return row.root;
        }),
      );
      part.hidden = mine.length === 0;
      say(count, `${mine.length}${this.#more ? '+' : ''}`);
      rest.hidden = mine.length <= SHOWN && !this.#more;
      say(rest, `${t('rest')}${mine.length > SHOWN ? ` ${mine.length - SHOWN}` : ''}`);
      if (button !== null) button.hidden = mine.filter(({ level }) => level > 1).length < 2;
    }
    this.#quiet.hidden = all.length > 0;
    this.#changed();
  }

  /** All but level 1: a fire is acknowledged by somebody who has read where it is. */
  async #acknowledgeAll() {
    const some = this.open().filter((alarm) => section(alarm) === 'now' && alarm.level > 1);
    const { done, refused } = await request('/api/alarms/acknowledge', {
      alarms: some.slice(0, 200).map(({ id, revision }) => ({ id, revision })),
    });
    for (const alarm of done) this.take(alarm);
    if (refused.length > 0) tell(t('conflict'), 'bad');
  }
}

/** One alarm. Its elements stay while it changes, so that a button does not go away under a finger. */
class Row {
  root;
  #id;
  #board;
  #person;
  #deeds = '';
  #parts;

  constructor(id, board, person, open) {
    this.#id = id;
    this.#board = board;
    this.#person = person;
    const part = (tag) => el(tag);
    this.#parts = {
      level: part('small'),
      digit: part('b'),
      title: part('h3'),
      tags: part('span.tags'),
      where: part('p.where'),
      state: part('p.state'),
      count: part('b'),
      age: part('b'),
      due: part('b'),
      dueWord: part('small'),
      deeds: part('div.deeds'),
    };
    const { level, digit, title, tags, where, state, count, age, due, dueWord, deeds: buttons } = this.#parts;
    this.root = el(
      'article.alarm',
      { role: 'listitem', data: { id } },
      el('div.badge', {}, el('span.shape', {}, digit), level),
      el(
        'button.what',
        { type: 'button', 'aria-label': t('details'), on: { click: () => open(id) } },
        el('span.line', {}, title, tags),
        where,
        state,
      ),
      el(
        'div.figures',
        {},
        el('div.figure.repeats', {}, count, el('small', { text: t('times') })),
        el('div.figure', {}, age, el('small', { text: t('age') })),
        el('div.figure.due', {}, due, dueWord),
      ),
      buttons,
    );
  }

  update(alarm) {
    const { level, digit, title, tags, where, state, count } = this.#parts;
    this.root.className = `alarm l${alarm.level}${asks(alarm) ? ' asks' : ''}${rings(alarm) ? ' rings' : ''}`;
    say(digit, String(alarm.level));
    say(level, levelWord(alarm.level));
    say(title, categoryWord(alarm.category));
    arrange(tags, tagsOf(alarm));
    say(where, [alarm.place, alarm.deviceName || channelWord(alarm.channel)].filter(Boolean).join(' · '));
    const has = alarm.assignee ?? t('nobody');
    say(state, `${conditionWord(alarm.condition)} · ${handlingWord(alarm.handling)} · ${has}${wordsOf(alarm)}`);
    say(count, String(alarm.count));
    count.parentElement.classList.toggle('many', alarm.count > 1);
    this.#offer(alarm);
    this.tick(alarm);
  }

  tick(alarm) {
    const { age, due, dueWord } = this.#parts;
    say(age, span(now() - alarm.raisedAt));
    const next = deadline(alarm);
    const box = due.parentElement;
    box.classList.toggle('late', next !== null && next.left < 0);
    box.classList.toggle('soon', next !== null && next.left >= 0 && next.left < 30_000);
    say(due, next === null ? '—' : `${next.left < 0 ? '+' : ''}${span(next.left)}`);
    if (next === null) say(dueWord, t('noDeadline'));
    else if (next.what === 'acknowledge') say(dueWord, t(next.left < 0 ? 'ackLate' : 'ackIn'));
    else say(dueWord, t(next.left < 0 ? 'closeLate' : 'closeIn'));
  }

  /** The two next steps; all the others are with the details. */
  #offer(alarm) {
    const two = deeds(alarm, this.#person.role).slice(0, 2);
    if (two.join() === this.#deeds) return;
    this.#deeds = two.join();
    const buttons = two.map((deed, i) =>
      el(i === 0 ? 'button.main' : 'button', {
        type: 'button',
        text: t(deed),
        data: { deed },
        on: {
          click: (event) =>
            void attempt(event.currentTarget, async () => {
              const current = this.#board.get(this.#id);
              if (current !== null) await perform(deed, current, this.#board, now);
            }),
        },
      }),
    );
    this.#parts.deeds.replaceChildren(...buttons);
  }
}

function tagsOf(alarm) {
  const tag = (kind, text) => el(`span.tag.${kind}`, { text });
  return [
    alarm.drill ? tag('drill', t('drill')) : null,
    alarm.replayed ? tag('late', t('replayed')) : null,
    alarm.shelvedUntil !== null ? tag('shelf', `${t('shelved')} ${clockTime(alarm.shelvedUntil)}`) : null,
    alarm.escalations > 0 ? tag('up', `${t('escalated')} ×${alarm.escalations}`) : null,
    isUnacknowledged(alarm) && !isStillActive(alarm) && alarm.kind === 'level'
      ? tag('gone', conditionWord('normal'))
      : null,
  ].filter((one) => one !== null);
}

/** What the reporter said, for alarms that people told. */
function wordsOf(alarm) {
  const said = alarm.detail.text ?? alarm.detail.words;
  return typeof said === 'string' && said !== '' ? ` · ${said}` : '';
}

import { ask, tell } from './dialog.js';
import { arrange, el } from './dom.js';
import { request } from './request.js';
import { spokenMessage, t } from './words.js';

const NOT_OPENED = { refused: 'doorRefused', timeout: 'doorTimeout', offline: 'doorOffline' };

/** The doors that can be opened from here, each with who, why and what came of it in the journal. */
export class Doors {
  #person;
  root = el('section.panel.doors');
  #list = el('div.rows');

  constructor(person) {
    this.#person = person;
    this.root.append(el('header', {}, el('h2', { text: t('doors') })), this.#list);
  }

  async refresh() {
    const { doors } = await request('/api/doors');
    const rows = doors.map((door) => this.#row(door));
    arrange(this.#list, rows.length === 0 ? [el('p.empty', { text: t('noDoors') })] : rows);
  }

  #row(door) {
    const may = this.#person.role !== 'viewer';
    return el(
      'div.row',
      { data: { door: door.id } },
      el(`i.dot.${door.connected ? 'on' : 'off'}`, { title: t(door.connected ? 'online' : 'offline') }),
      el('div.name', {}, el('b', { text: door.name }), el('small', { text: door.place })),
      el('span.word', { text: t(door.connected ? 'online' : 'offline') }),
      may ? el('button', { type: 'button', text: t('openDoor'), on: { click: () => void this.#open(door) } }) : null,
    );
  }

  async #open(door) {
    await ask({
      title: `${t('openDoor')} · ${door.name}`,
      explain: door.place || undefined,
      fields: [
        {
          name: 'reason',
          label: t('openReason'),
          quick: [t('visitor'), t('delivery'), t('repair'), t('emergency')],
        },
      ],
      action: t('openDoor'),
      send: async ({ reason }) => {
        const { ok, code, detail, ms } = await request(`/api/doors/${door.id}/open`, { reason });
        if (!ok) throw new Error(`${t(NOT_OPENED[code])}${detail === '' ? '' : `（${spokenMessage(detail)}）`}`);
        tell(code === 'sent' ? `${door.name}：${t('sent')}` : `${door.name}：${t('opened')}（${ms} ms）`);
      },
    });
  }
}

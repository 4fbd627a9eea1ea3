import { arrange, el } from './dom.js';
import { LiveView } from './live-view.js';
import { request } from './request.js';
import { t } from './words.js';

/** The cameras, how they are, and what each sees now. */
export class Cameras {
  #person;
  root = el('section.panel.cameras');
  #list = el('div.rows');

  constructor(person) {
    this.#person = person;
    this.root.append(el('header', {}, el('h2', { text: t('cameras') })), this.#list);
  }

  async refresh() {
    const { cameras } = await request('/api/cameras');
    const rows = cameras.map((camera) => this.#row(camera));
    arrange(this.#list, rows.length === 0 ? [el('p.empty', { text: t('noCameras') })] : rows);
  }

  #row(camera) {
    const on = camera.online === true;
    return el(
      'div.row',
      { data: { camera: camera.id } },
      el(`i.dot.${on ? 'on' : 'off'}`, { title: t(on ? 'online' : 'offline') }),
      el('div.name', {}, el('b', { text: camera.name }), el('small', { text: camera.reason ?? camera.place })),
      el(`span.word${on ? '' : '.offline'}`, { text: t(on ? 'online' : 'offline') }),
      this.#person.role === 'viewer'
        ? null
        : el('button', { type: 'button', text: t('watch'), on: { click: () => this.#watch(camera) } }),
    );
  }

  #watch(camera) {
    const view = new LiveView(camera.id);
    const dialog = el(
      'dialog.live',
      {},
      el(
        'header',
        {},
        el('h2', { text: [camera.name, camera.place].filter(Boolean).join(' · ') }),
        el('button.plain', { type: 'button', text: t('close'), on: { click: () => dialog.close() } }),
      ),
      view.root,
    );
    dialog.addEventListener('close', () => {
      view.stop();
      dialog.remove();
    });
    document.body.append(dialog);
    dialog.showModal();
    view.start();
  }
}

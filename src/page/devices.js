import { arrange, el, say } from './dom.js';
import { request } from './request.js';
import { clockTime } from './time.js';
import { t } from './words.js';

const LOW_BATTERY = 20;
const SHOWN = 200;

/** Every device and how it is, the ones that need a look first. */
export class Devices {
  #devices = [];
  #list = el('div.rows');
  #count = el('span.count');
  #knocks = el('p.notice', { hidden: true });
  #search;
  #problems;
  root = el('section.panel.devices');

  constructor() {
    const redraw = () => this.#draw();
    this.#search = el('input', {
      type: 'search',
      placeholder: t('search'),
      'aria-label': t('search'),
      on: { input: redraw },
    });
    this.#problems = el('input', { type: 'checkbox', on: { change: redraw } });
    this.root.append(
      el('header', {}, el('h2', { text: t('devices') }), this.#count),
      el('div.filter', {}, this.#search, el('label', {}, this.#problems, ` ${t('problemsOnly')}`)),
      this.#knocks,
      this.#list,
    );
  }

  async refresh() {
    const { devices, candidates } = await request('/api/devices');
    this.#devices = devices.sort((a, b) => worry(b) - worry(a) || a.name.localeCompare(b.name, 'zh-CN'));
    say(this.#knocks, `${t('candidates')}：${candidates}`);
    this.#knocks.hidden = candidates === 0;
    this.#draw();
  }

  #draw() {
    const wanted = this.#search.value.trim().toLowerCase();
    const mine = this.#devices.filter(
      (device) =>
        (!this.#problems.checked || worry(device) > 0) &&
        (wanted === '' || [device.id, device.name, device.place].some((text) => text.toLowerCase().includes(wanted))),
    );
    const online = this.#devices.filter(({ state }) => state.online === true).length;
    say(this.#count, `${online} / ${this.#devices.length}`);
    arrange(this.#list, mine.length === 0 ? [el('p.empty', { text: t('noDevices') })] : mine.slice(0, SHOWN).map(row));
  }
}

/** The higher, the sooner somebody should look. */
function worry({ enabled, state }) {
  if (!enabled) return 0;
  if (state.online === false) return 3;
  if (state.battery !== null && state.battery < LOW_BATTERY) return 2;
  return state.lastSeen === null ? 1 : 0;
}

function row(device) {
  const { online, battery, lastSeen } = device.state;
  const word = !device.enabled ? 'disabled' : online === true ? 'online' : lastSeen === null ? 'unseen' : 'offline';
  const facts = [
    device.place,
    device.profile,
    battery === null ? '' : `${t('battery')} ${battery}%`,
    lastSeen === null ? '' : `${t('lastSeen')} ${clockTime(lastSeen)}`,
  ];
  return el(
    'div.row',
    {},
    el(`i.dot.${word === 'online' ? 'on' : word === 'offline' ? 'off' : 'none'}`),
    el('div.name', {}, el('b', { text: device.name }), el('small', { text: facts.filter(Boolean).join(' · ') })),
    battery !== null && battery < LOW_BATTERY ? el('span.word.low', { text: `${battery}%` }) : null,
    el(`span.word.${word}`, { text: t(word) }),
  );
}

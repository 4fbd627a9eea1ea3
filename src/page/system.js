import { attempt, tell } from './dialog.js';
import { arrange, el } from './dom.js';
import { request } from './request.js';
import { bytes, clockTime, span } from './time.js';
import { t } from './words.js';

/** The box itself and the way to the command centre. */
export class System {
  #upstream = el('dl');
  #box = el('dl');
  root = el('section.panel.system');

  constructor(person) {
    this.root.append(
      el('header', {}, el('h2', { text: t('upstream') })),
      this.#upstream,
      el('header', {}, el('h2', { text: t('system') })),
      this.#box,
    );
    if (person.role === 'admin') {
      this.root.append(
        el(
          'div.buttons',
          {},
          el('button', {
            type: 'button',
            text: t('backupNow'),
            on: { click: (event) => void backUp(event.currentTarget) },
          }),
        ),
      );
    }
  }

  async refresh() {
    const [system, upstream] = await Promise.all([request('/api/system'), request('/api/upstream')]);
    fill(this.#upstream, upstreamFacts(upstream));
    fill(this.#box, boxFacts(system));
  }
}

async function backUp(button) {
  await attempt(button, async () => {
    const { file, bytes: size } = await request('/api/system/backup', {});
    tell(`${t('backedUp')}：${file}（${bytes(size)}）`);
  });
}

function fill(list, facts) {
  arrange(
    list,
    facts.flatMap(([word, value, kind]) => [
      el('dt', { text: word }),
      el(kind === undefined ? 'dd' : `dd.${kind}`, { text: value }),
    ]),
  );
}

function upstreamFacts({ configured, url, state }) {
  if (!configured || state === null) return [[t('upstream'), t('notConfigured')]];
  return [
    [t('upstream'), t(state.connected ? 'connected' : 'disconnected'), state.connected ? 'good' : 'bad'],
    ['URL', url],
    ...(state.error === null ? [] : [[t('problem'), state.error, 'bad']]),
    [t('backlog'), `${state.waiting}（L1 ${state.lanes[0]?.waiting ?? 0}）`],
    [t('oldest'), state.oldestAlarmMs > 0 ? span(state.oldestAlarmMs) : '—'],
    [t('lastReceipt'), state.lastConfirmed === null ? '—' : clockTime(state.lastConfirmed)],
  ];
}

function boxFacts({ state, journal, uptimeSeconds, version, memoryBytes, counts }) {
  const { ok, low, freeBytes } = state.storage;
  return [
    [t('storage'), `${t(ok ? 'good' : 'bad')} · ${bytes(freeBytes)} ${t('free')}`, ok && !low ? 'good' : 'bad'],
    [t('journalSize'), `${bytes(journal.bytes)} · ${journal.head} ${t('entries')}`],
    [t('clockIs'), `${t(state.clock)} · ${clockTime(state.now)}`, state.clock === 'synced' ? 'good' : 'bad'],
    [t('uptime'), span(uptimeSeconds * 1000)],
    [t('memory'), bytes(memoryBytes)],
    [t('people'), String(counts.sessions)],
    [t('version'), version],
  ];
}

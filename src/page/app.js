import { learnLevels } from './alarm.js';
import { Banners } from './banners.js';
import { Board } from './board.js';
import { Cameras } from './cameras.js';
import { Detail } from './detail.js';
import { Devices } from './devices.js';
import { attempt } from './dialog.js';
import { el, say } from './dom.js';
import { Doors } from './doors.js';
import { LiveStream } from './live.js';
import { drill, report } from './report.js';
import { request } from './request.js';
import { changePassword, signIn } from './sign-in.js';
import { Sound } from './sound.js';
import { System } from './system.js';
import { clockTime, now, setNow, setZone } from './time.js';
import { isEnglish, learnCategories, switchLanguage, t } from './words.js';

const PANELS_MS = 30_000;
const PANEL_MS = 2_000;
/** A lost connection is said at once and sounded after this: a reconnect takes a moment. */
const LOST_SOUND_MS = 15_000;

let running = null;

/** The board of somebody signed in, from the first picture to the end of the session. */
class Page {
  #person;
  #vocabulary;
  #sound;
  #live = null;
  #banners;
  #board;
  #detail;
  #panels;
  #timers = [];
  #refreshing = new Map();
  #parts;
  root;

  constructor(person, vocabulary, sound) {
    this.#person = person;
    this.#vocabulary = vocabulary;
    this.#sound = sound;
    this.#board = new Board(
      person,
      () => this.#onBoard(),
      (id) => void this.#detail.open(id),
    );
    this.#detail = new Detail(this.#board, person);
    this.#panels = {
      cameras: new Cameras(person),
      doors: new Doors(person),
      devices: new Devices(),
      system: new System(person),
    };
    this.#banners = new Banners({ sound, board: this.#board, person });
    this.#parts = {
      live: el('span.pill'),
      sound: el('button.pill.sound', { type: 'button', on: { click: () => void sound.enable() } }),
      clock: el('time.clock'),
      waiting: el('b.waiting', { hidden: true }),
    };
    this.root = this.#layout();
    this.#show('alarms');
    this.#live = new LiveStream({
      reload: () => this.#reload(),
      entry: (entry) => this.#onEntry(entry),
      state: (state) => this.#onState(state),
      changed: () => this.#redraw(),
      ended: () => void start(),
    });
    this.#timers = [setInterval(() => this.#tick(), 500), setInterval(() => void this.#refreshPanels(), PANELS_MS)];
    void keepAwake();
    this.#redraw();
  }

  stop() {
    this.#live?.stop();
    for (const timer of this.#timers) clearInterval(timer);
    for (const timer of this.#refreshing.values()) clearTimeout(timer);
    this.#sound.play('quiet');
  }

  #layout() {
    const { site, display, name, role } = this.#person;
    const { live, sound, clock, waiting } = this.#parts;
    const tab = (key, word, ...more) =>
      el(
        'button.tab',
        { type: 'button', data: { tab: key }, on: { click: () => this.#show(key) } },
        el('span', { text: t(word) }),
        ...more,
      );
    const act = (word, fn, classes = '') =>
      el(`button${classes}`, {
        type: 'button',
        text: t(word),
        on: {
          click: (event) => {
            event.currentTarget.closest('details')?.removeAttribute('open');
            void attempt(event.currentTarget, fn);
          },
        },
      });
    const { categories } = this.#vocabulary;
    // On a phone they are in the menu.
    const acts = [
      role === 'viewer' ? null : (classes) => act('report', () => report(categories, this.#board), classes),
      role === 'manager' || role === 'admin'
        ? (classes) => act('startDrill', () => drill(categories, this.#board), classes)
        : null,
    ].filter((one) => one !== null);
    return el(
      'div.page',
      {},
      el(
        'header.top',
        {},
        el(
          'div.brand',
          {},
          el('img', { src: 'icon.svg', alt: '', width: 30, height: 30 }),
          el('b', { text: t('product') }),
          el('span.site', { text: site.name }),
        ),
        el('div.pills', {}, live, sound, clock),
        el(
          'div.account',
          {},
          ...acts.map((one) => one('.wide')),
          el(
            'details.menu',
            {},
            el('summary', { text: display || name }),
            el(
              'div.items',
              {},
              ...acts.map((one) => one('.narrow')),
              act('language', async () => {
                switchLanguage();
                await start();
              }),
              act('changePassword', () => changePassword(false)),
              act('signOut', async () => {
                await request('/api/logout', {});
                await start();
              }),
            ),
          ),
        ),
      ),
      this.#banners.root,
      el(
        'nav.tabs',
        {},
        tab('alarms', 'alarms', waiting),
        tab('cameras', 'cameras'),
        tab('doors', 'doors'),
        tab('devices', 'devices'),
        tab('system', 'system'),
      ),
      el(
        'main.columns',
        {},
        el('div.alarms', {}, this.#board.root),
        el(
          'div.side',
          {},
          this.#panels.cameras.root,
          this.#panels.doors.root,
          this.#panels.devices.root,
          this.#panels.system.root,
        ),
      ),
      this.#detail.root,
    );
  }

  #show(tab) {
    this.root.dataset.tab = tab;
    for (const button of this.root.querySelectorAll('.tab'))
      button.setAttribute('aria-pressed', String(button.dataset.tab === tab));
  }

  async #reload() {
    const { alarms, seq, next } = await request('/api/alarms?limit=500');
    this.#board.replace(alarms, next !== null);
    void this.#refreshPanels();
    return seq;
  }

  async #refreshPanels() {
    // One that cannot be had now is tried again with the next round; the banner says what is wrong.
    await Promise.allSettled(Object.values(this.#panels).map((panel) => panel.refresh()));
  }

  #onEntry(entry) {
    if (entry.kind.startsWith('alarm.')) {
      if (entry.body !== null) this.#board.take(entry.body.alarm);
      this.#detail.heard(entry);
    } else if (entry.kind.startsWith('device.')) this.#soon('devices');
    else if (entry.kind.startsWith('door.')) this.#soon('doors');
  }

  /** Reads a panel again, together with whatever else changes in the same moment: a switch takes fifty devices along. */
  #soon(panel) {
    if (this.#refreshing.has(panel)) return;
    const refresh = async () => {
      this.#refreshing.delete(panel);
      // One that cannot be had now is tried again with the next round; the banner says what is wrong.
      await Promise.allSettled([this.#panels[panel].refresh()]);
    };
    this.#refreshing.set(
      panel,
      setTimeout(() => void refresh(), PANEL_MS),
    );
  }

  #onState(state) {
    setNow(state.now);
    this.#banners.state = state;
    this.#redraw();
  }

  #onBoard() {
    if (this.#live !== null) this.#redraw();
  }

  #redraw() {
    const { live, sound, waiting } = this.#parts;
    const up = this.#live?.up === true;
    const down = this.#live === null || up ? 0 : Date.now() - (this.#live.downSince ?? Date.now());
    say(live, t(up ? 'live' : 'reconnecting'));
    live.className = `pill ${up ? 'good' : 'bad'}`;
    say(sound, t(this.#sound.on ? 'soundOn' : 'enableSound'));
    sound.className = `pill sound ${this.#sound.on ? 'good' : 'bad'}`;
    const ringing = this.#board.ringing();
    this.#sound.play(ringing ? 'alarm' : down > LOST_SOUND_MS ? 'lost' : 'quiet');
    const unseen = this.#board.unacknowledged();
    waiting.hidden = unseen === 0;
    say(waiting, String(unseen));
    document.title = `${ringing ? '🔔 ' : ''}${unseen > 0 ? `(${unseen}) ` : ''}${t('product')} · ${this.#person.site.name}`;
    this.root.classList.toggle('ringing', ringing);
    this.#banners.draw({ up, downFor: down });
  }

  #tick() {
    say(this.#parts.clock, clockTime(now()));
    this.#board.tick();
    this.#redraw();
  }
}

/** A guard's screen stays lit where the browser allows it (https or localhost, page in front). */
async function keepAwake() {
  if (!('wakeLock' in navigator) || document.visibilityState !== 'visible') return;
  await navigator.wakeLock.request('screen').catch(() => undefined);
}
document.addEventListener('visibilitychange', () => void keepAwake());

const sound = new Sound(() => undefined);

/** From the beginning: whoever is signed in gets the board, anybody else the way in. */
async function start() {
  running?.stop();
  running = null;
  const root = document.getElementById('root');
  let person;
  try {
    ({ person } = await request('/api/session'));
  } catch {
    // The gateway is not there yet, or not any more.
    root.replaceChildren(el('main.entrance', {}, el('p.notice.loud', { text: t('lost') })));
    setTimeout(() => void start(), 2_000);
    return;
  }
  if (person === null) {
    document.title = t('product');
    root.replaceChildren(signIn((entered) => void enter(root, entered)));
    return;
  }
  await enter(root, person);
}

async function enter(root, person) {
  if (person.mustChangePassword) {
    const changed = await changePassword(true);
    if (changed === null) {
      await request('/api/logout', {}).catch(() => undefined);
      return start();
    }
    return enter(root, changed);
  }
  setZone(person.site.timezone);
  let vocabulary;
  try {
    vocabulary = await request('/api/vocabulary');
  } catch {
    setTimeout(() => void start(), 2_000);
    return;
  }
  learnCategories(vocabulary.categories);
  learnLevels(vocabulary.levels);
  // A sign-in is a touch of the page: where the browser takes it as one, the sound is on from the start.
  if (navigator.userActivation?.hasBeenActive !== false) void sound.enable().catch(() => undefined);
  running = new Page(person, vocabulary, sound);
  root.replaceChildren(running.root);
  document.documentElement.lang = isEnglish() ? 'en' : 'zh-CN';
}

void start();

import { arrange, el, say } from './dom.js';
import { bytes, now, span } from './time.js';
import { t } from './words.js';

const ENDING_MS = 15 * 60_000;

/** What must not be missed, across the whole page, for as long as it is so. */
export class Banners {
  /** The gateway's last word about itself; `null` before the first. */
  state = null;
  root = el('div.banners', { role: 'alert' });
  #sound;
  #board;
  #person;
  #shown = new Map();

  constructor({ sound, board, person }) {
    this.#sound = sound;
    this.#board = board;
    this.#person = person;
  }

  draw({ up, downFor }) {
    const wanted = new Map();
    const ringing = this.#board.ringing();
    // The first second of a reconnect is not worth frightening anybody.
    if (!up && downFor > 1_500) wanted.set('lost', ['bad', `${t('lost')}（${t('lostSince')} ${span(downFor)}）`]);
    const { storage, clock, upstream } = this.state ?? {};
    if (storage?.ok === false)
      wanted.set('storage', ['bad', `${t('storageFailed')}${storage.problem ? `（${storage.problem}）` : ''}`]);
    else if (storage?.low)
      wanted.set('disk', ['warn', `${t('storageLow')}（${bytes(storage.freeBytes)} ${t('free')}）`]);
    if (!this.#sound.on) wanted.set('sound', [ringing ? 'bad' : 'warn', t(ringing ? 'soundGateNow' : 'soundGate')]);
    else if (ringing) wanted.set('ringing', ['ring', t('ringing')]);
    if (clock === 'unsynced') wanted.set('clock', ['warn', t('clockUnsynced')]);
    if (upstream?.connected === false) wanted.set('upstream', ['warn', t('upstreamDown')]);
    const left = this.#person.sessionEnds - now();
    if (left < ENDING_MS) wanted.set('session', ['warn', `${t('sessionEnding')}（${span(left)}）`]);

    for (const [key, banner] of this.#shown) {
      if (wanted.has(key)) continue;
      banner.remove();
      this.#shown.delete(key);
    }
    for (const [key, [kind, text]] of wanted) {
      let banner = this.#shown.get(key);
      if (banner === undefined) {
        banner = el('div', { data: { banner: key } }, el('span'));
        if (key === 'sound') {
          banner.append(
            el('button.main', {
              type: 'button',
              text: t('enableSound'),
              on: { click: () => void this.#sound.enable() },
            }),
          );
        }
        this.#shown.set(key, banner);
      }
      banner.className = `banner ${kind}`;
      say(banner.firstChild, text);
    }
    // The graver above the lesser, whichever came first.
    arrange(
      this.root,
      [...wanted.keys()].map((key) => this.#shown.get(key)),
    );
  }
}

import { el, say } from './dom.js';
import { t } from './words.js';

/** A browser that is this far behind jumps to the newest picture, s. */
const BEHIND_S = 3;
/** What is older than this is let go of, s. */
const KEPT_S = 20;

/**
 * What a camera sees now: its stream as it comes (Media Source Extensions), or, where the browser cannot play it or
 * nothing comes, pictures one after the other. Runs from `start` to `stop` and not a moment longer.
 */
export class LiveView {
  #camera;
  #socket = null;
  #source = null;
  #buffer = null;
  #waiting = [];
  #video = el('video', { muted: true, autoplay: true, playsinline: true });
  #image = el('img', { alt: '', hidden: true });
  #word = el('p.empty', { text: t('connecting') });
  root = el('div.view', {}, this.#video, this.#image, this.#word);

  constructor(camera) {
    this.#camera = camera;
    this.#video.muted = true;
    this.#video.addEventListener('playing', () => {
      this.#word.hidden = true;
    });
    this.#image.addEventListener('load', () => {
      this.#word.hidden = true;
    });
    this.#image.addEventListener('error', () => this.#say('noPicture'));
  }

  start() {
    const address = new URL(`/api/cameras/${this.#camera}/live`, location.href);
    address.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    this.#socket = new WebSocket(address);
    this.#socket.binaryType = 'arraybuffer';
    this.#socket.addEventListener('message', ({ data }) => {
      if (typeof data === 'string') this.#begin(JSON.parse(data).codec);
      else {
        this.#waiting.push(data);
        this.#append();
      }
    });
    this.#socket.addEventListener('close', () => {
      if (this.#socket !== null && this.#image.hidden) this.#pictures();
    });
  }

  stop() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#image.removeAttribute('src');
    this.#video.pause();
    if (this.#video.src !== '') URL.revokeObjectURL(this.#video.src);
    this.#video.removeAttribute('src');
    this.#waiting = [];
  }

  #begin(codec) {
    const type = `video/mp4; codecs="${codec}"`;
    if (codec === null || !('MediaSource' in window) || !MediaSource.isTypeSupported(type)) {
      this.#pictures();
      return;
    }
    this.#source = new MediaSource();
    this.#source.addEventListener('sourceopen', () => {
      this.#buffer = this.#source.addSourceBuffer(type);
      this.#buffer.addEventListener('updateend', () => this.#append());
      this.#append();
    });
    this.#video.addEventListener('error', () => this.#pictures(), { once: true });
    this.#video.src = URL.createObjectURL(this.#source);
  }

  #append() {
    const buffer = this.#buffer;
    if (buffer === null || buffer.updating || this.#source.readyState !== 'open') return;
    const { buffered } = buffer;
    const end = buffered.length > 0 ? buffered.end(buffered.length - 1) : 0;
    if (end - this.#video.currentTime > BEHIND_S) this.#video.currentTime = end - 0.5;
    if (buffered.length > 0 && end - buffered.start(0) > KEPT_S * 2) {
      buffer.remove(0, end - KEPT_S);
      return;
    }
    const next = this.#waiting.shift();
    if (next !== undefined) buffer.appendBuffer(next);
  }

  /** The way that every browser has. */
  #pictures() {
    const socket = this.#socket;
    if (socket === null) return;
    socket.close();
    this.#video.hidden = true;
    this.#image.hidden = false;
    this.#image.src = `/api/cameras/${this.#camera}/mjpeg`;
  }

  #say(word) {
    this.#word.hidden = false;
    say(this.#word, t(word));
  }
}

const TOPICS = 'alarm,device,door,system,upstream,order';
/** The gateway speaks every 15 s; silence longer than this is a lost connection, whatever the socket says. */
const SILENCE_MS = 40_000;
const RETRY_MS = 2_000;

/**
 * Follows the gateway. The browser comes back by itself with the seq it has; when the gateway refuses or says that too
 * much was missed, everything is read again.
 */
export class LiveStream {
  #source = null;
  #handlers;
  #heardAt = 0;
  #timer;
  #retry = null;
  #stopped = false;
  up = false;
  /** since when it is down, by this browser's clock; `null` while up */
  downSince = Date.now();

  /** @param handlers `entry(entry)`, `state(state)`, `reload()` → seq to go on from, `changed()`, `ended()` */
  constructor(handlers) {
    this.#handlers = handlers;
    this.#timer = setInterval(() => this.#watch(), 2_000);
    void this.#begin();
  }

  stop() {
    this.#stopped = true;
    clearInterval(this.#timer);
    clearTimeout(this.#retry);
    this.#source?.close();
  }

  async #begin() {
    clearTimeout(this.#retry);
    this.#source?.close();
    this.#source = null;
    let seq;
    try {
      seq = await this.#handlers.reload();
    } catch (thrown) {
      if (this.#stopped) return;
      if (thrown.status === 401) this.#handlers.ended();
      else this.#again();
      return;
    }
    if (this.#stopped) return;
    const source = new EventSource(`/api/live?topics=${TOPICS}&after=${seq}`);
    this.#source = source;
    this.#heardAt = Date.now();
    source.addEventListener('open', () => this.#heard());
    source.addEventListener('message', (event) => {
      this.#heard();
      this.#handlers.entry(JSON.parse(event.data));
    });
    source.addEventListener('state', (event) => {
      this.#heard();
      this.#handlers.state(JSON.parse(event.data));
    });
    source.addEventListener('reset', () => void this.#begin());
    source.addEventListener('ended', (event) => {
      this.#down();
      if (JSON.parse(event.data).reason === 'session') this.#handlers.ended();
    });
    source.addEventListener('error', () => {
      this.#down();
      // Closed for good: the gateway answered something else than a stream.
      if (source.readyState === EventSource.CLOSED) this.#again();
    });
  }

  #again() {
    this.#down();
    if (!this.#stopped) this.#retry = setTimeout(() => void this.#begin(), RETRY_MS);
  }

  #heard() {
    this.#heardAt = Date.now();
    if (this.up) return;
    this.up = true;
    this.downSince = null;
    this.#handlers.changed();
  }

  #down() {
    if (this.up || this.downSince === null) this.downSince = Date.now();
    this.up = false;
    this.#handlers.changed();
  }

  #watch() {
    if (this.#source === null || Date.now() - this.#heardAt < SILENCE_MS) return;
    this.#down();
    void this.#begin();
  }
}

/** A browser that is this far behind jumps to the newest picture, s. */
const BEHIND_S = 3;
/** What is older than this is let go of, s. */
const KEPT_S = 20;
/** Nothing came for this long: the picture on the screen is old and is said to be, ms. */
const STALLED_MS = 8_000;
/** Pauses before it is tried again, ms; the last one for good. */
const PAUSES_MS = [1_000, 3_000, 10_000, 30_000] as const;
/** Pictures are asked for anew this often, ms: of a connection that died the last one would stay and look like now. */
const RENEW_MS = 30_000;
/** Parts that wait for the decoder; more than this and it is begun anew at the newest picture. */
const WAITING = 200;

/**
 * What is on the screen: `stream` the camera's stream as it comes, `pictures` one after the other, `none` nothing and
 * `why`. While `connecting` there may still be an old picture.
 */
export interface LiveState {
  readonly how: 'connecting' | 'stream' | 'pictures' | 'none';
  /** As the gateway or this file calls it; `words/live.ts` has it in both languages. */
  readonly why: string | null;
}

export interface LiveScreen {
  readonly video: HTMLVideoElement;
  readonly image: HTMLImageElement;
  tell(state: LiveState): void;
}

/** iPhones have it under another name. */
const source = (): typeof MediaSource | null => {
  const { ManagedMediaSource = null, MediaSource = null } = window as {
    ManagedMediaSource?: typeof globalThis.MediaSource;
    MediaSource?: typeof globalThis.MediaSource;
  };
  return MediaSource ?? ManagedMediaSource;
};

/**
 * What a camera sees now: its stream as it comes (Media Source Extensions over a WebSocket), or, where the browser
 * cannot play it or nothing comes, pictures one after the other. Runs from `start` to `stop` and not a moment longer.
 */
export class LivePlayer {
  readonly #screen: LiveScreen;
  readonly #path: string;
  readonly #stream: 'main' | 'sub';
  #socket: WebSocket | null = null;
  #source: MediaSource | null = null;
  #buffer: SourceBuffer | null = null;
  #waiting: ArrayBuffer[] = [];
  #heardAt = 0;
  #failures = 0;
  /** Pictures are on the screen and stay there while the stream is tried again. */
  #pictured = false;
  #why: string | null = null;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;

  constructor(camera: string, stream: 'main' | 'sub', screen: LiveScreen) {
    this.#path = `/api/cameras/${encodeURIComponent(camera)}`;
    this.#stream = stream;
    this.#screen = screen;
  }

  start(): void {
    this.#watch = setInterval(() => {
      const playing = this.#socket !== null && this.#failures === 0 && !this.#pictured;
      if (playing && Date.now() - this.#heardAt > STALLED_MS) this.#again('stalled');
    }, 1_000);
    this.#screen.video.addEventListener('playing', this.#playing);
    this.#screen.video.addEventListener('error', this.#unplayable);
    this.#screen.image.addEventListener('load', this.#seen);
    this.#screen.image.addEventListener('error', this.#unseen);
    this.#begin();
  }

  stop(): void {
    clearInterval(this.#watch);
    clearTimeout(this.#retry);
    const { video, image } = this.#screen;
    video.removeEventListener('playing', this.#playing);
    video.removeEventListener('error', this.#unplayable);
    image.removeEventListener('load', this.#seen);
    image.removeEventListener('error', this.#unseen);
    this.#letStream();
    this.#letPictures();
  }

  #begin(): void {
    this.#letStream();
    if (!this.#pictured) this.#screen.tell({ how: 'connecting', why: this.#why });
    const address = new URL(`${this.#path}/live?stream=${this.#stream}`, location.href);
    address.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(address);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    this.#heardAt = Date.now();
    socket.addEventListener('message', ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (socket !== this.#socket) return;
      this.#heardAt = Date.now();
      if (typeof data === 'string') this.#play((JSON.parse(data) as { codec: string | null }).codec);
      else {
        this.#waiting.push(data);
        if (this.#waiting.length > WAITING) this.#again('stalled');
        else this.#append();
      }
    });
    socket.addEventListener('close', ({ code, reason }) => {
      if (socket !== this.#socket) return;
      this.#why = reason === '' ? (code === 1001 ? 'ended' : 'unreachable') : reason;
      // The analysis may have a picture although the stream cannot be had.
      if (code !== 1013 && (this.#pictured || this.#failures === 0)) this.#pictures();
      else this.#again(this.#why);
    });
  }

  #play(codec: string | null): void {
    const Source = source();
    const type = `video/mp4; codecs="${codec}"`;
    if (codec === null || Source === null || !Source.isTypeSupported(type)) {
      this.#why = 'codec';
      this.#pictures();
      return;
    }
    const { video } = this.#screen;
    const mine = new Source();
    this.#source = mine;
    mine.addEventListener('sourceopen', () => {
      if (mine !== this.#source || this.#buffer !== null) return;
      this.#buffer = mine.addSourceBuffer(type);
      this.#buffer.addEventListener('updateend', () => this.#append());
      this.#append();
    });
    video.disableRemotePlayback = true;
    video.src = URL.createObjectURL(mine);
    video.play().catch(() => undefined);
  }

  #append(): void {
    const buffer = this.#buffer;
    if (buffer === null || buffer.updating || this.#source?.readyState !== 'open') return;
    const { video } = this.#screen;
    const { buffered } = buffer;
    if (buffered.length > 0) {
      const [from, to] = [buffered.start(buffered.length - 1), buffered.end(buffered.length - 1)];
      // Whoever joins late gets times that do not begin at nought.
      if (video.currentTime < from || to - video.currentTime > BEHIND_S) {
        video.currentTime = Math.max(from, to - 0.5);
      }
      if (to - buffered.start(0) > KEPT_S * 2) {
        buffer.remove(0, to - KEPT_S);
        return;
      }
    }
    const next = this.#waiting.shift();
    if (next === undefined) return;
    try {
      buffer.appendBuffer(next);
    } catch {
      // Full, or the decoder has given up.
      this.#again('stalled');
    }
  }

  /** The way that every browser has. */
  #pictures(): void {
    this.#letStream();
    this.#failures += 1;
    // A new address: the same one would be taken for what is there already.
    this.#screen.image.src = `${this.#path}/mjpeg?of=${Date.now()}`;
    this.#retry = setTimeout(() => this.#begin(), RENEW_MS);
  }

  #again(why: string): void {
    this.#why = why;
    this.#letStream();
    this.#letPictures();
    this.#screen.tell({ how: 'none', why });
    const pause = PAUSES_MS[Math.min(this.#failures, PAUSES_MS.length - 1)];
    this.#failures += 1;
    this.#retry = setTimeout(() => this.#begin(), pause);
  }

  #letStream(): void {
    clearTimeout(this.#retry);
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#source = null;
    this.#buffer = null;
    this.#waiting = [];
    const { video } = this.#screen;
    if (!video.hasAttribute('src')) return;
    URL.revokeObjectURL(video.src);
    video.removeAttribute('src');
    // Without it the browser keeps the decoder and the last picture.
    video.load();
  }

  #letPictures(): void {
    this.#pictured = false;
    this.#screen.image.removeAttribute('src');
  }

  readonly #playing = (): void => {
    if (this.#socket === null) return;
    this.#failures = 0;
    this.#why = null;
    this.#letPictures();
    this.#screen.tell({ how: 'stream', why: null });
  };
  readonly #unplayable = (): void => {
    if (this.#socket === null) return;
    this.#why = 'codec';
    this.#pictures();
  };
  readonly #seen = (): void => {
    this.#pictured = true;
    this.#screen.tell({ how: 'pictures', why: this.#why });
  };
  readonly #unseen = (): void => {
    if (this.#screen.image.hasAttribute('src')) this.#again(this.#why ?? 'no picture');
  };
}

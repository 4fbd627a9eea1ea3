/**
 * The bell. A browser lets a page sound only after a person has touched it, so there is a gate, and its state can be
 * seen. The level-1 pattern repeats until nothing rings any more; a lost connection ticks in a lower voice.
 */
export class Sound {
  #audio = null;
  #mode = 'quiet';
  #timer = null;
  #changed;

  /** @param changed called whenever being on or off, or what is sounded, changes */
  constructor(changed) {
    this.#changed = changed;
  }

  get on() {
    return this.#audio !== null && this.#audio.state === 'running';
  }

  get mode() {
    return this.#mode;
  }

  /** Must be called from a click. */
  async enable() {
    if (this.#audio === null) {
      this.#audio = new AudioContext();
      this.#audio.addEventListener('statechange', () => this.#changed());
    }
    await this.#audio.resume();
    if (this.#mode === 'quiet') this.#tone(660, 0, 0.12, 0.15);
    this.#changed();
  }

  /** @param mode `alarm`, `lost`, `quiet` */
  play(mode) {
    if (mode === this.#mode) return;
    this.#mode = mode;
    clearInterval(this.#timer);
    this.#timer = null;
    if (mode === 'alarm') this.#repeat(1_600, () => this.#siren());
    if (mode === 'lost') this.#repeat(10_000, () => this.#tick());
    this.#changed();
  }

  #repeat(ms, fn) {
    fn();
    this.#timer = setInterval(fn, ms);
  }

  #siren() {
    for (let i = 0; i < 3; i += 1) {
      this.#tone(960, i * 0.5, 0.24, 0.5);
      this.#tone(720, i * 0.5 + 0.25, 0.24, 0.5);
    }
    // Phones in a pocket: felt where it cannot be heard. Refused silently where a page may not.
    if (this.on) navigator.vibrate?.([300, 150, 300]);
  }

  #tick() {
    this.#tone(300, 0, 0.18, 0.3);
    this.#tone(240, 0.25, 0.25, 0.3);
  }

  /** @param at seconds from now @param lasts seconds @param loud 0–1 */
  #tone(frequency, at, lasts, loud) {
    if (!this.on) return;
    const begin = this.#audio.currentTime + at;
    const oscillator = this.#audio.createOscillator();
    const gain = this.#audio.createGain();
    oscillator.type = 'square';
    oscillator.frequency.value = frequency;
    gain.gain.setValueAtTime(0, begin);
    gain.gain.linearRampToValueAtTime(loud * 0.4, begin + 0.01);
    gain.gain.setValueAtTime(loud * 0.4, begin + lasts - 0.02);
    gain.gain.linearRampToValueAtTime(0, begin + lasts);
    oscillator.connect(gain).connect(this.#audio.destination);
    oscillator.start(begin);
    oscillator.stop(begin + lasts);
  }
}

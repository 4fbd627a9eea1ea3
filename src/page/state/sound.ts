import { defineStore } from 'pinia';
import { shallowRef } from 'vue';

export type SoundMode = 'quiet' | 'alarm' | 'lost';

/**
 * The bell. A browser lets a page sound only after a person has touched it, so there is a gate, and its state can be
 * seen. The level-1 pattern repeats until nothing rings any more; a lost connection ticks in a lower voice.
 */
export const useSound = defineStore('sound', () => {
  /** Whether it can be heard: the gate has been opened. */
  const on = shallowRef(false);
  const mode = shallowRef<SoundMode>('quiet');
  /** Somebody is being told where it is: the siren makes room. */
  const low = shallowRef(false);
  let audio: AudioContext | null = null;
  let timer: ReturnType<typeof setInterval> | undefined;

  /** Must be called from a click or a key. */
  async function enable(): Promise<void> {
    if (audio === null) {
      const made = new AudioContext();
      made.addEventListener('statechange', () => {
        on.value = made.state === 'running';
      });
      audio = made;
    }
    await audio.resume();
    on.value = audio.state === 'running';
    if (mode.value === 'quiet') tone(660, 0, 0.12, 0.15);
  }

  function play(wanted: SoundMode): void {
    if (wanted === mode.value) return;
    mode.value = wanted;
    clearInterval(timer);
    if (wanted === 'alarm') repeat(1_600, siren);
    if (wanted === 'lost') repeat(10_000, lostTick);
  }

  function repeat(ms: number, fn: () => void): void {
    fn();
    timer = setInterval(fn, ms);
  }

  function siren(): void {
    for (let i = 0; i < 3; i += 1) {
      tone(960, i * 0.5, 0.24, low.value ? 0.08 : 0.5);
      tone(720, i * 0.5 + 0.25, 0.24, low.value ? 0.08 : 0.5);
    }
    // Phones in a pocket: felt where it cannot be heard. Refused silently where a page may not.
    if (on.value) navigator.vibrate?.([300, 150, 300]);
  }

  function lostTick(): void {
    tone(300, 0, 0.18, 0.3);
    tone(240, 0.25, 0.25, 0.3);
  }

  /** @param at seconds from now @param lasts seconds @param loud 0–1 */
  function tone(frequency: number, at: number, lasts: number, loud: number): void {
    if (audio === null || audio.state !== 'running') return;
    const begin = audio.currentTime + at;
    const oscillator = audio.createOscillator();
    const gain = audio.createGain();
    oscillator.type = 'square';
    oscillator.frequency.value = frequency;
    gain.gain.setValueAtTime(0, begin);
    gain.gain.linearRampToValueAtTime(loud * 0.4, begin + 0.01);
    gain.gain.setValueAtTime(loud * 0.4, begin + lasts - 0.02);
    gain.gain.linearRampToValueAtTime(0, begin + lasts);
    oscillator.connect(gain).connect(audio.destination);
    oscillator.start(begin);
    oscillator.stop(begin + lasts);
  }

  return { on, low, mode, enable, play };
});

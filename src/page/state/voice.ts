import { language } from '../words/words.ts';
import { useSound } from './sound.ts';

/** A voice that never says it has ended must not keep the siren low, ms. */
const LONGEST_MS = 15_000;

/**
 * Says something aloud in the reader's language, where the browser can; the siren makes room meanwhile. What is being
 * said is cut short: the newest matters.
 */
export function sayAloud(text: string): void {
  const sound = useSound();
  // Without a touch a page may no more speak than sound.
  if (!sound.on || !('speechSynthesis' in globalThis)) return;
  speechSynthesis.cancel();
  const words = new SpeechSynthesisUtterance(text);
  words.lang = language.value === 'en' ? 'en-US' : 'zh-CN';
  words.rate = 0.95;
  let limit: ReturnType<typeof setTimeout> | undefined;
  const end = () => {
    clearTimeout(limit);
    sound.low = false;
  };
  words.addEventListener('start', () => {
    sound.low = true;
    limit = setTimeout(end, LONGEST_MS);
  });
  words.addEventListener('end', end);
  words.addEventListener('error', end);
  speechSynthesis.speak(words);
}

export function fallSilent(): void {
  if ('speechSynthesis' in globalThis) speechSynthesis.cancel();
}

import { onScopeDispose, type ShallowRef, shallowRef } from 'vue';

/** A camera's newest picture, asked for one at a time. */
export interface Picture {
  /** Address of what is shown; `null`: nothing yet. */
  readonly shown: ShallowRef<string | null>;
  readonly failed: ShallowRef<boolean>;
  readonly busy: ShallowRef<boolean>;
  /** Width by height. */
  readonly ratio: ShallowRef<number>;
  take(): Promise<void>;
}

/** @param every ms after which the next is taken by itself */
export function usePicture(camera: string, every: number | null = null): Picture {
  const shown = shallowRef<string | null>(null);
  const failed = shallowRef(false);
  const busy = shallowRef(false);
  const ratio = shallowRef(16 / 9);
  let over = false;

  /** The one before stays until the next is whole. */
  async function take(): Promise<void> {
    if (busy.value) return;
    busy.value = true;
    const image = new Image();
    image.src = `/api/cameras/${encodeURIComponent(camera)}/snapshot?${Date.now()}`;
    try {
      await image.decode();
      if (over) return;
      shown.value = image.src;
      ratio.value = image.naturalWidth / Math.max(1, image.naturalHeight);
      failed.value = false;
    } catch {
      // The gateway has said why to the console; here it is a picture that is not there.
      failed.value = true;
    } finally {
      busy.value = false;
    }
  }

  const timer = every === null ? undefined : setInterval(() => void (document.hidden || take()), every);
  onScopeDispose(() => {
    over = true;
    clearInterval(timer);
  });
  return { shown, failed, busy, ratio, take };
}

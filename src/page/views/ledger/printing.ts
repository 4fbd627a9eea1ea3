import { onScopeDispose, type Ref, ref } from 'vue';

/** Whether a sheet is being printed. Paper is white: for so long the page has its colours of the day. */
export function usePrinting(): Ref<boolean> {
  const printing = ref(false);
  const media = matchMedia('print');
  let shown: string | undefined;

  function set(to: boolean): void {
    if (printing.value === to) return;
    const { dataset } = document.documentElement;
    if (to) {
      shown = dataset['theme'];
      dataset['theme'] = 'light';
    } else if (shown !== undefined) dataset['theme'] = shown;
    printing.value = to;
  }
  const begin = (): void => set(true);
  const end = (): void => set(false);
  const changed = (): void => set(media.matches);
  addEventListener('beforeprint', begin);
  addEventListener('afterprint', end);
  media.addEventListener('change', changed);
  onScopeDispose(() => {
    end();
    removeEventListener('beforeprint', begin);
    removeEventListener('afterprint', end);
    media.removeEventListener('change', changed);
  });
  return printing;
}

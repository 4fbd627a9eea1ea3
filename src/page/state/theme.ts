import { shallowRef, watchEffect } from 'vue';

export type Theme = 'dark' | 'light';
const KEY = 'quanwei.theme';

const remembered = localStorage.getItem(KEY);
/** Day or night; until somebody chooses, as the computer has it. */
export const theme = shallowRef<Theme>(
  remembered === 'light' || remembered === 'dark'
    ? remembered
    : matchMedia('(prefers-color-scheme: light)').matches
      ? 'light'
      : 'dark',
);
watchEffect(() => {
  document.documentElement.dataset['theme'] = theme.value;
  // Element Plus has its own name for it.
  document.documentElement.classList.toggle('dark', theme.value === 'dark');
});

export function chooseTheme(to: Theme): void {
  theme.value = to;
  localStorage.setItem(KEY, to);
}

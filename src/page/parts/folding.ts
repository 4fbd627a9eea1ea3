import { onBeforeUnmount, onMounted, type ShallowRef, watch } from 'vue';
import { useRoute } from 'vue-router';

/** A `details` used as a menu: it closes when somebody goes elsewhere, points elsewhere, or presses Escape. */
export function useFolding(details: Readonly<ShallowRef<HTMLDetailsElement | null>>): void {
  const route = useRoute();
  const close = (): void => details.value?.removeAttribute('open');
  const point = (event: Event): void => {
    if (details.value?.contains(event.target as Node) === false) close();
  };
  const key = (event: KeyboardEvent): void => {
    if (event.key !== 'Escape' || details.value?.open !== true) return;
    close();
    details.value.querySelector('summary')?.focus();
  };
  watch(() => route.fullPath, close);
  onMounted(() => {
    document.addEventListener('pointerdown', point);
    document.addEventListener('keydown', key);
  });
  onBeforeUnmount(() => {
    document.removeEventListener('pointerdown', point);
    document.removeEventListener('keydown', key);
  });
}

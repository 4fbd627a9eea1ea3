import { defineStore } from 'pinia';
import { shallowRef } from 'vue';

type Permission = NotificationPermission | 'impossible';

/** Told over plain http from another machine, a page may not notify: browsers want https for it. */
const known = (): Permission => ('Notification' in globalThis ? Notification.permission : 'impossible');

/** Notices of the computer itself, for when the page is behind another window. Asked for by a button, never by surprise. */
export const useNotices = defineStore('notices', () => {
  const permission = shallowRef<Permission>(known());
  const shown = new Map<string, Notification>();

  /** Must be called from a click. */
  async function ask(): Promise<void> {
    if (permission.value === 'default') permission.value = await Notification.requestPermission();
  }

  /** @param onClick is called when somebody presses the notice */
  async function raise(id: string, title: string, body: string, onClick: () => void): Promise<void> {
    if (permission.value !== 'granted') return;
    const options = { body, tag: id, requireInteraction: true, icon: '/icon.svg' };
    try {
      const notice = new Notification(title, options);
      notice.addEventListener('click', () => {
        window.focus();
        onClick();
      });
      shown.set(id, notice);
    } catch (thrown) {
      // On Android only the service worker may.
      if (!(thrown instanceof TypeError)) throw thrown;
      await (await navigator.serviceWorker?.getRegistration())?.showNotification(title, options);
    }
  }

  /** It is seen to: the notice goes too. */
  async function withdraw(id: string): Promise<void> {
    shown.get(id)?.close();
    shown.delete(id);
    if (permission.value !== 'granted') return;
    const registration = await navigator.serviceWorker?.getRegistration();
    for (const notice of (await registration?.getNotifications({ tag: id })) ?? []) notice.close();
  }

  return { permission, ask, raise, withdraw };
});

import { createPinia } from 'pinia';
import { createApp } from 'vue';
import App from './App.vue';
import { router } from './routes.ts';
import './state/theme.ts';
import './style/base.css';
import { i18n } from './words/words.ts';

declare global {
  interface Window {
    readonly trustedTypes?: {
      createPolicy(
        name: string,
        rules: { createScriptURL: () => string },
      ): { createScriptURL(address: string): object };
    };
  }
}

const app = createApp(App);
app.use(createPinia());
app.use(i18n);
app.use(router);
app.mount('#root');

// The shell opens although the gateway is being restarted; what it shows of alarms always comes from the gateway itself.
if ('serviceWorker' in navigator && import.meta.env.PROD) {
  navigator.serviceWorker
    .register(shellKeeper() as string)
    .then(() => navigator.serviceWorker.ready)
    .then(({ active }) => active?.postMessage(['/', ...loaded()]))
    // Without it the page works, while the gateway does.
    .catch(() => undefined);
}

/** Addresses of this origin that the page has been made of so far. */
function loaded(): string[] {
  const all = performance.getEntriesByType('resource').map(({ name }) => new URL(name));
  return all.filter(({ origin }) => origin === location.origin).map(({ pathname }) => pathname);
}

/** The page's policy lets an address become a program only by name (Trusted Types); this is the one that may. */
function shellKeeper(): unknown {
  const script = '/sw.js';
  return window.trustedTypes?.createPolicy('quanwei', { createScriptURL: () => script }).createScriptURL('') ?? script;
}

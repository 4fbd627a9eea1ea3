import { createPinia } from 'pinia';
import { createApp } from 'vue';
import App from './App.vue';
import { router } from './routes.ts';
import './state/theme.ts';
import './style/base.css';
import { i18n } from './words/words.ts';

const app = createApp(App);
app.use(createPinia());
app.use(i18n);
app.use(router);
app.mount('#root');

// The shell opens although the gateway is being restarted; what it shows of alarms always comes from the gateway itself.
if ('serviceWorker' in navigator && import.meta.env.PROD) {
  void navigator.serviceWorker.register('/sw.js').catch(() => undefined);
}

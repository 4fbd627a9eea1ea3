import { ask, tell } from './dialog.js';
import { el, say } from './dom.js';
import { request } from './request.js';
import { spokenMessage, switchLanguage, t } from './words.js';

/** The way in. @param entered called with the person */
export function signIn(entered) {
  const problem = el('p.problem', { role: 'alert' });
  const name = el('input', {
    id: 'name',
    name: 'name',
    autocomplete: 'username',
    required: true,
    maxlength: 64,
    autocapitalize: 'none',
  });
  const password = el('input', {
    id: 'password',
    name: 'password',
    type: 'password',
    autocomplete: 'current-password',
    required: true,
    maxlength: 200,
  });
  const submit = el('button.main', { type: 'submit', text: t('signIn') });
  const form = el(
    'form.card',
    {
      on: {
        submit: async (event) => {
          event.preventDefault();
          if (submit.disabled) return;
          submit.disabled = true;
          say(problem, '');
          try {
            entered(await request('/api/login', { name: name.value.trim(), password: password.value }));
          } catch (thrown) {
            say(problem, spokenMessage(thrown.message));
            password.select();
          } finally {
            submit.disabled = false;
          }
        },
      },
    },
    el(
      'div.brand',
      {},
      el('img', { src: 'icon.svg', alt: '', width: 44, height: 44 }),
      el('div', {}, el('h1', { text: t('product') }), el('small', { text: t('tagline') })),
    ),
    el('div.field', {}, el('label', { for: 'name', text: t('name') }), name),
    el('div.field', {}, el('label', { for: 'password', text: t('password') }), password),
    problem,
    submit,
    el('p.notice', { text: t('signedOutWarning') }),
  );
  const language = el('button.plain', {
    type: 'button',
    text: t('language'),
    on: {
      click: () => {
        switchLanguage();
        root.replaceWith(signIn(entered));
      },
    },
  });
  const root = el('main.entrance', {}, form, language);
  queueMicrotask(() => name.focus());
  return root;
}

const passwordFields = () => [
  { name: 'current', label: t('currentPassword'), type: 'password' },
  { name: 'next', label: t('newPassword'), type: 'password' },
  { name: 'again', label: t('repeatPassword'), type: 'password' },
];

/** @returns the person as they are afterwards, or `null` when they gave up */
export async function changePassword(must) {
  let person = null;
  await ask({
    title: t('changePassword'),
    explain: must ? t('mustChange') : undefined,
    fields: passwordFields(),
    action: t('save'),
    send: async ({ current, next, again }) => {
      if (next !== again) throw new Error(t('passwordsDiffer'));
      person = await request('/api/password', { current, next });
      tell(t('passwordChanged'));
    },
  });
  return person;
}

import { el, say } from './dom.js';
import { spokenMessage, t } from './words.js';

/**
 * Asks for something in a dialog. Stays open, with the reason, until `send` succeeds or the person gives up.
 * @param fields `{ name, label, type?: 'text' | 'words' | 'password' | 'choice', choices?, quick?, optional?, value? }`
 * @param send gets the values by name; what it throws is shown
 * @returns whether it was done
 */
export function ask({ title, explain, fields = [], action = t('confirm'), grave = false, send }) {
  return new Promise((resolve) => {
    const problem = el('p.problem', { role: 'alert' });
    const inputs = new Map(fields.map((field) => [field.name, inputFor(field)]));
    const submit = el(grave ? 'button.main.grave' : 'button.main', { type: 'submit', text: action });
    const form = el(
      'form',
      { method: 'dialog' },
      el('h2', { text: title }),
      explain === undefined ? null : el('p.explain', { text: explain }),
      ...fields.map((field) => labelled(field, inputs.get(field.name))),
      problem,
      el(
        'div.buttons',
        {},
        el('button', { type: 'button', text: t('cancel'), on: { click: () => end(false) } }),
        submit,
      ),
    );
    const dialog = el('dialog', {}, form);
    const end = (done) => {
      dialog.close();
      dialog.remove();
      resolve(done);
    };
    dialog.addEventListener('cancel', (event) => {
      event.preventDefault();
      end(false);
    });
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      if (submit.disabled) return;
      submit.disabled = true;
      say(problem, '');
      try {
        await send(Object.fromEntries([...inputs].map(([name, input]) => [name, input.value.trim()])));
        end(true);
      } catch (thrown) {
        submit.disabled = false;
        say(problem, spokenMessage(thrown.message));
      }
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

function inputFor({ name, type = 'text', choices = [], optional = false, value = '' }) {
  const shared = { name, required: !optional, id: `ask-${name}` };
  if (type === 'words') return el('textarea', { ...shared, rows: 3, maxlength: 1000, text: value });
  if (type === 'choice') {
    const options = choices.map(([key, text]) => el('option', { value: key, text, selected: key === value }));
    return el('select', shared, ...options);
  }
  const autocomplete = type === 'password' ? (name === 'current' ? 'current-password' : 'new-password') : 'off';
  return el('input', { ...shared, type, maxlength: 200, autocomplete, value });
}

function labelled({ name, label, quick = [] }, input) {
  const chips = quick.map((text) =>
    el('button.chip', {
      type: 'button',
      text,
      on: {
        click: () => {
          input.value = text;
          input.focus();
        },
      },
    }),
  );
  return el(
    'div.field',
    {},
    el('label', { text: label, for: `ask-${name}` }),
    chips.length === 0 ? null : el('div.chips', {}, ...chips),
    input,
  );
}

/** A line at the foot of the screen that goes by itself. @param kind `good`, `bad` */
export function tell(text, kind = 'good') {
  const toast = el(`div.toast.${kind}`, { text, role: 'status' });
  let stack = document.querySelector('.toasts');
  if (stack === null) {
    stack = el('div.toasts');
    document.body.append(stack);
  }
  stack.append(toast);
  setTimeout(() => toast.remove(), kind === 'bad' ? 8_000 : 4_000);
}

/** Runs what a click starts; what goes wrong is said. */
export async function attempt(button, work) {
  if (button.disabled) return;
  button.disabled = true;
  try {
    await work();
  } catch (thrown) {
    tell(spokenMessage(thrown.message), 'bad');
  } finally {
    button.disabled = false;
  }
}

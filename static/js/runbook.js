// The page of a runbook: the panel beside the list, and rows that add tasks.

import { fitting } from './pieces.js';

const panel = document.getElementById('panel');
let opener = null;

// On a narrow screen the bar scrolls sideways: the view that is shown must not lie outside.
document.querySelector('.viewbar [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });

// A link to one task shows where it stands, too.
document.querySelector('#streams .task[aria-current]')?.scrollIntoView({ block: 'center' });

function mark(number) {
  for (const each of document.querySelectorAll('[data-task][aria-current]')) each.removeAttribute('aria-current');
  if (number) {
    for (const each of document.querySelectorAll(`[data-task="${CSS.escape(number)}"]`)) each.setAttribute('aria-current', 'true');
  }
  keepTask(number);
}

// The other views and filters show the same task.
function keepTask(number) {
  for (const link of document.querySelectorAll('a[data-here]')) {
    const address = new URL(link.href);
    if (number) address.searchParams.set('task', number);
    else address.searchParams.delete('task');
    link.href = address;
  }
  for (const form of document.querySelectorAll('form[data-here]')) form.elements.task.value = number ?? '';
  const around = document.querySelector('[data-around]');
  if (around) around.hidden = !number;
}

function markOpened() {
  mark(new URLSearchParams(window.location.search).get('task'));
}

// A change that waits for the one before it goes with its form, so the panel stays until all is saved; what is done to the
// task comes after what was typed for it, or not at all where that was refused; and a dialog speaks of what is saved.
let whenSaved = null;
const saving = () => panel.querySelector('.htmx-request form[data-saves-each]') !== null;
const acts = (element) => element.getAttribute('form') === 'act';
const asks = (element) => element.matches('a[hx-get][hx-swap="none"]');

document.body.addEventListener('htmx:confirm', (event) => {
  const { elt, target, issueRequest } = event.detail;
  if (event.defaultPrevented || !(target === panel || acts(elt) || asks(elt)) || !saving()) return;
  event.preventDefault();
  whenSaved = { go: () => issueRequest(true), unlessRefused: acts(elt) };
});
document.body.addEventListener('htmx:afterRequest', (event) => {
  const { elt, xhr } = event.detail;
  if (whenSaved?.unlessRefused && elt.matches('form[data-saves-each]') && xhr.status >= 400) whenSaved = null;
  setTimeout(() => { // htmx sends what waits after this event
    if (!whenSaved || saving()) return;
    whenSaved.go();
    whenSaved = null;
  });
});

function close(href) {
  if (saving()) {
    whenSaved = { go: () => close(href) };
    return;
  }
  panel.hidden = true;
  panel.replaceChildren();
  mark(null);
  const back = new URL(href, window.location.href);
  back.search = new URLSearchParams([...new URLSearchParams(window.location.search)].filter(([name]) => name !== 'task'));
  history.pushState(null, '', back);
  document.getElementById(opener ?? '')?.focus();
}

document.body.addEventListener('htmx:beforeSwap', (event) => {
  event.detail.serverResponse = fitting(event.detail.serverResponse);
});

// The address is pushed after the swap, so the row is marked when that has happened.
document.body.addEventListener('htmx:afterSwap', (event) => {
  if (event.detail.target === panel) {
    panel.hidden = false;
    const { elt } = event.detail.requestConfig;
    const node = elt.closest('[data-node]');
    const drawn = node && (node.id || `l-${node.dataset.node}`);
    opener = elt.closest('.task')?.querySelector('.tt > a')?.id ?? drawn ?? opener;
    panel.querySelector('.p-body')?.scrollTo(0, 0);
  }
});
document.body.addEventListener('htmx:pushedIntoHistory', markOpened);
document.body.addEventListener('pulled', markOpened);
window.addEventListener('popstate', () => window.location.reload());

document.addEventListener('click', (event) => {
  const link = event.target.closest('[data-close-panel]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  close(link.href);
});

// Enter sends what is typed and leaves the row empty for the next; what was refused comes back. htmx reads a form when its
// request leaves, which may be after the next Enter, so what was typed is kept from each Enter.
const typed = new WeakMap();
const leaving = new WeakMap();

// Not at `submit`: until htmx has come to the form, an Enter sends it as it is.
document.body.addEventListener('htmx:trigger', ({ target: form }) => {
  if (!form.matches('form[data-clear]')) return;
  typed.set(form, [...(typed.get(form) ?? []), [...new FormData(form)]]);
  form.reset();
});
document.body.addEventListener('htmx:configRequest', (event) => {
  const form = event.detail.elt;
  const values = typed.get(form)?.shift() ?? [];
  leaving.set(form, values);
  for (const [name, value] of values) event.detail.parameters[name] = value;
});
document.body.addEventListener('htmx:afterRequest', (event) => {
  const form = event.detail.elt;
  if (event.detail.successful || !form.matches?.('form[data-clear]')) return;
  for (const [name, value] of leaving.get(form) ?? []) {
    const field = form.elements[name];
    if (field && field.type !== 'hidden' && field.value === '') field.value = value;
  }
});

document.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && event.target.matches('[data-submit-on]')) {
    event.preventDefault();
    event.target.form.requestSubmit();
  }
});

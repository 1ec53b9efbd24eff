// Toasts, and the one sentence at a time for screen readers.
//
// The server sends HX-Trigger: {"toast": {"kind": "ok|warn|bad", "text": "…"}} or {"say": "…"}; other scripts
// dispatch the same events on document.body; one of kind "news" has `opens`, where a click on its text is posted. A toast's
// "press": ["Undo", "#id"] is a button that presses that one on the page. Flash messages are in the page already.

const LINGER_MS = { ok: 5000, warn: 8000, bad: 12000, news: 10000 };
const SAY_EVERY_MS = 5000;
const ICONS = { ok: 0, warn: 1, bad: 2, news: 4 };

const icon = (index) => document.getElementById('toast-icons').content.children[index].cloneNode(true);

// Outside an open modal everything is inert, so the region moves into it and back.
function region() {
  let box = document.getElementById('toasts');
  if (!box) {
    box = document.createElement('div');
    box.id = 'toasts';
    box.className = 'toasts';
    box.setAttribute('role', 'region');
    box.setAttribute('aria-label', 'Messages');
    box.setAttribute('aria-live', 'polite');
  }
  const host = [...document.querySelectorAll('dialog:modal')].at(-1) ?? document.body;
  if (box.parentNode !== host) host.append(box);
  return box;
}

function dress(toast, kind) {
  const close = document.createElement('button');
  close.type = 'button';
  close.className = 'close';
  close.setAttribute('aria-label', 'Dismiss');
  close.append(icon(3));
  close.addEventListener('click', () => toast.remove());
  toast.prepend(icon(ICONS[kind] ?? 0));
  toast.append(close);
  let timer;
  const start = () => { timer = setTimeout(() => toast.remove(), LINGER_MS[kind] ?? LINGER_MS.ok); };
  const stop = () => clearTimeout(timer);
  toast.addEventListener('pointerenter', stop);
  toast.addEventListener('pointerleave', start);
  toast.addEventListener('focusin', stop);
  toast.addEventListener('focusout', start);
  start();
}

// A button that presses another one, as long as that is on the page.
function presser([text, selector], toast) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'btn sm';
  button.textContent = text;
  button.addEventListener('click', () => {
    const wanted = document.querySelector(selector);
    toast.remove();
    if (wanted) wanted.click();
    else show('warn', 'Something else was changed since, so it is not the last change any more.');
  });
  return button;
}

// What opens something is a form, so that it carries its CSRF token.
function opening(text, address) {
  const form = document.getElementById('bell-toast').content.firstElementChild.cloneNode(true);
  form.action = address;
  form.querySelector('button').textContent = text;
  return form;
}

function plain(text) {
  const words = document.createElement('span');
  words.className = 'grow';
  words.textContent = text;
  return words;
}

function show(kind, text, opens, press) {
  const toast = document.createElement('div');
  toast.className = `toast ${kind}`;
  if (kind === 'bad') toast.setAttribute('role', 'alert');
  toast.append(opens ? opening(text, opens) : plain(text));
  if (press) toast.append(presser(press, toast));
  dress(toast, kind);
  region().append(toast);
}

const bad = (text) => show('bad', text);

document.body.addEventListener('toast', (event) => show(event.detail.kind ?? 'ok', event.detail.text, event.detail.opens, event.detail.press));
document.body.addEventListener('htmx:responseError', (event) => {
  const { status } = event.detail.xhr;
  if (status === 401) return; // the answer moves the page to the sign-in form
  const words = {
    403: 'You may not do that. Nothing was changed.',
    404: 'That is gone or out of your sight. Reload the page.',
    409: 'Someone else changed this first. Reload the page to see it as it is now.',
    413: 'That is too large to send. Nothing was changed.',
    429: 'Too many requests. Wait a minute, then try again.',
  };
  bad(words[status] ?? `The server answered ${status}. Nothing was changed.`);
});
document.body.addEventListener('htmx:sendError', () => bad('No connection to the server. Your change was not saved.'));
document.body.addEventListener('htmx:timeout', () => bad('The server did not answer in time. Reload to see what was saved.'));

// The policy names where a sign-in may lead as it was when the page was loaded; an integration may have come since.
document.addEventListener('securitypolicyviolation', (event) => {
  if (event.effectiveDirective !== 'form-action') return;
  bad('This page is older than the integration, so the browser kept you from its sign-in. Reload the page, then press it again.');
});

document.addEventListener('close', () => {
  const box = document.getElementById('toasts');
  if (box && box.parentNode !== document.body && !box.closest('dialog:modal')) document.body.append(box);
}, true);

// An answer that takes the dialog away comes with a sentence that must not go with it.
document.body.addEventListener('htmx:oobBeforeSwap', (event) => {
  const box = document.getElementById('toasts');
  if (box && event.detail.target.contains(box)) document.body.append(box);
});

let lastSaid = 0;
let waiting;
document.body.addEventListener('say', (event) => {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    lastSaid = Date.now();
    document.getElementById('say').textContent = event.detail.value ?? event.detail;
  }, Math.max(0, lastSaid + SAY_EVERY_MS - Date.now()));
});

// A dialog that the page opens by itself would cover what the page wants to say.
window.addEventListener('load', () => { if (document.querySelector('[data-toast]')) region(); });

for (const toast of document.querySelectorAll('[data-toast]')) {
  dress(toast, ['warn', 'bad'].find((kind) => toast.classList.contains(kind)) ?? 'ok');
}

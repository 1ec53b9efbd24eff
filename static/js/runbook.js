// The page of a runbook: the panel beside the list, and rows that add tasks.

const split = document.getElementById('split');
const panel = document.getElementById('panel');
let opener = null;

function mark(number) {
  for (const row of document.querySelectorAll('.task[aria-current]')) row.removeAttribute('aria-current');
  document.getElementById(`t-${number}`)?.setAttribute('aria-current', 'true');
}

function open() {
  panel.hidden = false;
  split.classList.add('open');
  mark(new URLSearchParams(window.location.search).get('task'));
}

function close(href) {
  panel.hidden = true;
  panel.replaceChildren();
  split.classList.remove('open');
  mark(null);
  const back = new URL(href, window.location.href);
  back.search = new URLSearchParams([...new URLSearchParams(window.location.search)].filter(([name]) => name !== 'task'));
  history.pushState(null, '', back);
  document.getElementById(opener ?? '')?.focus();
}

// The address is pushed after the swap, so the row is marked when that has happened.
document.body.addEventListener('htmx:afterSwap', (event) => {
  if (event.detail.target === panel) {
    opener = event.detail.requestConfig.elt.closest('.task')?.querySelector('.tt > a')?.id ?? opener;
    panel.querySelector('.p-body')?.scrollTo(0, 0);
  }
});
document.body.addEventListener('htmx:pushedIntoHistory', open);
window.addEventListener('popstate', () => window.location.reload());

document.addEventListener('click', (event) => {
  const link = event.target.closest('[data-close-panel]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  close(link.href);
});

// Enter sends what is typed and leaves the row empty for the next; what was refused comes back.
const sent = new WeakMap();

document.body.addEventListener('htmx:beforeRequest', (event) => {
  const form = event.detail.elt;
  if (!form.matches('form[data-clear]')) return;
  sent.set(event.detail.xhr, [...new FormData(form)]);
  form.reset();
});
document.body.addEventListener('htmx:afterRequest', (event) => {
  const form = event.detail.elt;
  if (event.detail.successful || !form.matches?.('form[data-clear]')) return;
  for (const [name, value] of sent.get(event.detail.xhr) ?? []) {
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

// Forms: unsaved input, "Saved 09:41" beside fields that save themselves, checklists with a search box.
//
// Any form gets data-dirty on its first input, which keeps a morph away from it (morph.js). A form with
// data-guard also asks before the page is left. [data-saved] elements say what became of their field.

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });

const posts = (form) => form && (form.method === 'post' || form.matches('[hx-post], [hx-put], [hx-patch]'));

document.addEventListener('input', (event) => {
  if (event.target.closest('[data-no-dirty]')) return;
  const form = event.target.form ?? event.target.closest('form');
  if (posts(form)) form.dataset.dirty = '';
});
document.addEventListener('submit', (event) => {
  if (!event.defaultPrevented) event.target.removeAttribute('data-dirty');
});
document.addEventListener('reset', (event) => event.target.removeAttribute('data-dirty'));

window.addEventListener('beforeunload', (event) => {
  if (document.querySelector('form[data-guard][data-dirty]')) event.preventDefault();
});

// A successful request by the form or by one of its fields has saved what was typed.
document.body.addEventListener('htmx:beforeSwap', (event) => {
  const { requestConfig, xhr } = event.detail;
  if (requestConfig.verb === 'get' || xhr.status >= 300) return;
  requestConfig.elt.closest('form')?.removeAttribute('data-dirty');
});

document.body.addEventListener('htmx:afterRequest', (event) => {
  const { requestConfig, successful } = event.detail;
  if (requestConfig.verb === 'get') return;
  const source = requestConfig.triggeringEvent?.target ?? requestConfig.elt;
  const place = source.closest?.('.field, .checkfield')?.querySelector('[data-saved]');
  if (!place) return;
  place.classList.toggle('bad', !successful);
  place.textContent = successful ? `Saved ${clock.format(new Date())}` : 'Not saved';
});

document.addEventListener('input', (event) => {
  if (!event.target.matches('[data-checklist-search]')) return;
  const wanted = event.target.value.trim().toLowerCase();
  for (const row of event.target.closest('[data-checklist]').querySelectorAll('label.check')) {
    row.hidden = !row.textContent.toLowerCase().includes(wanted);
  }
});
document.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && event.target.matches('[data-checklist-search]')) event.preventDefault();
});

document.addEventListener('toggle', (event) => {
  if (event.target.matches?.('details[data-secret]') && event.target.open) event.target.querySelector('input')?.focus();
}, true);

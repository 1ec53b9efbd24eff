// Forms: unsaved input, "Saved 09:41" beside fields that save themselves, checklists with a search box.
//
// Any form gets data-dirty on its first input, which keeps a morph away from it (morph.js). A form with
// data-guard also asks before the page is left. In a form that saves each change by itself (data-saves-each) the control
// is marked instead, so that the others follow what people elsewhere change. [data-saved] elements say what became of
// their field.

const clock = new Intl.DateTimeFormat('en-GB', {
  timeZone: document.documentElement.dataset.zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23',
});

const posts = (form) => form && (form.method === 'post' || form.matches('[hx-post], [hx-put], [hx-patch]'));

document.addEventListener('input', (event) => {
  if (event.target.closest('[data-no-dirty]')) return;
  const form = event.target.form ?? event.target.closest('form');
  if (posts(form)) (form.hasAttribute('data-saves-each') ? event.target : form).dataset.dirty = '';
});
// Enter in a form that saves each change has saved it already; to send the form as well would load the page anew.
document.addEventListener('submit', (event) => {
  if (event.target.matches('form[data-saves-each]')) event.preventDefault();
});
document.addEventListener('submit', (event) => {
  if (!event.defaultPrevented) event.target.removeAttribute('data-dirty');
});
document.addEventListener('reset', (event) => event.target.removeAttribute('data-dirty'));

window.addEventListener('beforeunload', (event) => {
  if (document.querySelector('form[data-guard][data-dirty]')) event.preventDefault();
});

// What saves: a form itself, and a control with hx-swap="none". A control that fills a preview does not.
function saves(element, verb) {
  if (verb === 'get') return false;
  return element.matches('form') || element.closest('[hx-swap]')?.getAttribute('hx-swap') === 'none';
}

// Before htmx obeys a redirect, or the guard above would ask about input that has just been saved.
document.body.addEventListener('htmx:beforeOnLoad', (event) => {
  const { requestConfig, xhr } = event.detail;
  if (xhr.status < 300 && saves(requestConfig.elt, requestConfig.verb)) {
    requestConfig.elt.closest('form')?.removeAttribute('data-dirty');
  }
});

// A form that saves each change sends the names of what was typed, because someone else may have changed the rest, and
// what the person saw there before (data-was). A control is "sent" while its request is under way; what is typed into it
// meanwhile marks it anew. What was saved has been seen, so data-was comes anew with the answer.
const savesEach = (element) => element.matches?.('form[data-saves-each]');
const dirty = (form) => [...form.elements].filter(({ dataset }) => 'dirty' in dataset);
const refused = new WeakMap();
const sending = new WeakMap(); // form to the names that its request speaks of

document.body.addEventListener('htmx:configRequest', (event) => {
  const { elt: form, parameters } = event.detail;
  if (!savesEach(form)) return;
  const unfinished = event.detail.triggeringEvent?.target === document.activeElement ? null : document.activeElement;
  const typed = dirty(form).filter((control) => control !== unfinished);
  for (const control of typed) control.dataset.dirty = 'sent';
  sending.set(form, new Set(typed.map(({ name }) => name)));
  if (typed.length) parameters.touched = [...sending.get(form)];
  for (const { name } of [...form.elements]) if (name.startsWith('was-')) delete parameters[name]; // for pages without scripts
  for (const { name, dataset } of typed.reverse()) if ('was' in dataset) parameters[`was-${name}`] = dataset.was;
});
document.body.addEventListener('htmx:beforeOnLoad', (event) => {
  const { elt: form, xhr } = event.detail;
  if (!savesEach(form) || (xhr.status >= 300 && xhr.status !== 422)) return;
  const sent = dirty(form).filter(({ dataset }) => dataset.dirty === 'sent');
  for (const control of sent) control.removeAttribute('data-dirty');
  if (xhr.status < 300) for (const each of form.elements) if (sending.get(form).has(each.name)) delete each.dataset.was;
  if (xhr.status === 422) refused.set(form, sent.map(({ id }) => id));
});
document.body.addEventListener('htmx:afterRequest', (event) => {
  const { elt: form } = event.detail;
  for (const id of refused.get(form) ?? []) {
    const control = document.getElementById(id);
    if (control && !control.disabled) control.dataset.dirty = ''; // one that is locked by now follows again
  }
  refused.delete(form);
});

document.body.addEventListener('htmx:afterRequest', (event) => {
  const { requestConfig, xhr } = event.detail;
  if (!saves(requestConfig.elt, requestConfig.verb)) return;
  const source = requestConfig.triggeringEvent?.target ?? requestConfig.elt;
  const place = source.closest?.('.field, .checkfield')?.querySelector('[data-saved]');
  if (!place) return;
  const saved = xhr.status >= 200 && xhr.status < 300; // htmx calls a 422 successful
  place.classList.toggle('bad', !saved);
  place.textContent = saved ? `Saved ${clock.format(new Date())}` : 'Not saved';
});

// A plain form is sent once, and its button shows that it is under way.
const SENDING_MS = 8000;
function rest(form) {
  form.removeAttribute('data-sending');
  for (const control of form.elements) control.classList.remove('htmx-request');
}
document.addEventListener('submit', (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== 'post') return;
  if (form.hasAttribute('data-sending')) { event.preventDefault(); return; }
  form.dataset.sending = '';
  event.submitter?.classList.add('htmx-request');
  setTimeout(() => rest(form), SENDING_MS);
});
window.addEventListener('pageshow', (event) => {
  if (event.persisted) document.querySelectorAll('form[data-sending]').forEach(rest);
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

// Two people changed the same thing, and the one who came later chooses: [data-keep] is what the field shows by now, as
// JSON; [data-save] sends what was typed. data-now says that the other's value has been seen. In a form that saves each
// change by itself the control follows here; elsewhere the events `kept` and `insisted` say what was chosen.

function controlsOf(button) {
  return [...(button.closest('[data-field]')?.querySelectorAll('[data-was]') ?? [])];
}

function show(control, value) {
  if (Array.isArray(value)) control.checked = value.includes(control.value);
  else control.value = value;
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-keep], [data-save]');
  if (!button) return;
  const { keep, now } = button.dataset;
  if (!button.closest('form[data-saves-each]')) {
    button.dispatchEvent(new CustomEvent(keep === undefined ? 'insisted' : 'kept', { bubbles: true, detail: now }));
    return;
  }
  const field = button.closest('[data-field]');
  const controls = controlsOf(button);
  const chosen = controls.find((each) => 'dirty' in each.dataset) ?? controls[0];
  for (const control of controls) control.dataset.was = now;
  if (keep === undefined) {
    chosen.dataset.dirty = '';
    chosen.dispatchEvent(new Event('change', { bubbles: true }));
    return;
  }
  for (const control of controls) {
    show(control, JSON.parse(keep));
    control.removeAttribute('data-dirty');
    control.removeAttribute('aria-invalid');
  }
  field.querySelector('[data-saved]')?.replaceChildren();
  field.querySelector('.err')?.remove();
  chosen.focus();
});

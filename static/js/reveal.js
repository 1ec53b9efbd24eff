// data-show-when="visibility=workspaces" or "kind=single_select|multi_select" shows an element only while the
// field of that name, in the same form, has one of the values. Without scripts it always shows; hidden fields
// are sent all the same, so nothing typed is lost.

function valuesOf(form, name) {
  const fields = [...form.querySelectorAll(`[name="${CSS.escape(name)}"]`)];
  return fields.filter((field) => !['radio', 'checkbox'].includes(field.type) || field.checked).map((field) => field.value);
}

function settle(root) {
  for (const element of root.querySelectorAll('[data-show-when]')) {
    const [name, wanted] = element.dataset.showWhen.split('=');
    const form = element.closest('form') ?? document;
    const values = valuesOf(form, name);
    element.hidden = !wanted.split('|').some((value) => values.includes(value));
  }
}

document.addEventListener('change', (event) => settle(event.target.form ?? event.target.closest('form') ?? document));
document.body.addEventListener('htmx:load', (event) => settle(event.detail.elt.closest('form') ?? event.detail.elt));
settle(document);

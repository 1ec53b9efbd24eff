// Editors of rows (options, headers, parameters): [data-rows="name"] holds a list, a <template> of one row and an
// add button. Names are name-0…, numbered anew after each change; Enter in the last row adds one.

const listOf = (rows) => rows.querySelector('[data-rows-list]');

function renumber(rows) {
  const pattern = new RegExp(`^${rows.dataset.rows}-(?:\\d+|__n__)`);
  [...listOf(rows).children].forEach((row, index) => {
    for (const field of row.querySelectorAll('[name]')) {
      field.name = field.name.replace(pattern, `${rows.dataset.rows}-${index}`);
    }
  });
  rows.dispatchEvent(new Event('input', { bubbles: true }));
  rows.dispatchEvent(new Event('change', { bubbles: true }));
}

function add(rows) {
  listOf(rows).append(rows.querySelector('template').content.cloneNode(true));
  renumber(rows);
  listOf(rows).lastElementChild.querySelector('input').focus();
}

document.addEventListener('click', (event) => {
  const rows = event.target.closest('[data-rows]');
  if (!rows) return;
  if (event.target.closest('[data-rows-add]')) { add(rows); return; }
  const button = event.target.closest('[data-rows-up], [data-rows-down], [data-rows-remove]');
  if (!button) return;
  const row = button.closest('[data-rows-row]');
  if (button.matches('[data-rows-up]')) row.previousElementSibling?.before(row);
  else if (button.matches('[data-rows-down]')) row.nextElementSibling?.after(row);
  else {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    renumber(rows);
    (next?.querySelector('input') ?? rows.querySelector('[data-rows-add]')).focus();
    return;
  }
  renumber(rows);
  button.focus();
});

document.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || event.isComposing || !event.target.matches?.('[data-rows-row] input')) return;
  event.preventDefault();
  const row = event.target.closest('[data-rows-row]');
  const next = row.nextElementSibling?.querySelector('input');
  if (next) next.focus();
  else add(event.target.closest('[data-rows]'));
});

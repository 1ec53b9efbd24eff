// The plan as a grid of cells. A click, F2, or Enter on a focused cell makes it an input; Enter saves and goes on to the
// row below, Tab to the next cell, Escape leaves it as it was. Arrow keys walk between cells.
//
// A cell is [data-c="field"]; its value is its text, or data-v. The input lies over the cell in a form of its own, made
// from a <template>, and stays until its value is saved: what arrives meanwhile changes the cell below it, and a refusal
// is said beside it. The form sends what the person saw (was-<field>), so that the server can tell when someone else was
// first.

const COLUMNS = ['title', 'predecessors', 'assignee_ids', 'planned_start', 'duration'];
const LABELS = {
  title: 'Name', predecessors: 'Waits for', assignee_ids: 'People', planned_start: 'Start', duration: 'Duration',
};
const MOST_OFFERED = 8;

const narrow = window.matchMedia('(max-width: 860px)'); // there the columns are gone, and the panel is the place to type
const editors = new Set();
let focused = null; // the form that has the focus, or had it when its row was taken away

const rowOf = (element) => element?.closest?.('.task.plan[role=row]');
const cellOf = (element) => element?.closest?.('[data-c]');
const formOf = (element) => element?.closest?.('.celledit');
const cellIn = (row, column) => row.querySelector(`[data-c="${column}"]`);
const targetOf = (cell) => (cell.dataset.c === 'title' ? cell.querySelector('a') : cell);
const numberOf = (form) => form.dataset.number;
const fieldIn = (form) => form.querySelector('[type=search], .in:not([type=hidden])') ?? form.querySelector('.pop input') ?? form.querySelector('.pop');
const placeOf = (form) => document.querySelector(`[id="t-${CSS.escape(numberOf(form))}"] [data-c="${form.dataset.cell}"]`);

// Walking ------------------------------------------------------------------------------------------------------

function focusCell(cell) {
  const target = targetOf(cell);
  if (target === cell) cell.tabIndex = -1;
  target.focus();
  cell.scrollIntoView({ block: 'nearest' });
}

function rowBeside(row, step) {
  let next = step > 0 ? row.nextElementSibling : row.previousElementSibling;
  if (next?.matches('.task')) return next;
  let stream = row.closest('.stream');
  while ((stream = step > 0 ? stream.nextElementSibling : stream.previousElementSibling)) {
    const found = stream.querySelectorAll('.task');
    next = step > 0 ? found[0] : found[found.length - 1];
    if (next?.checkVisibility()) return next;
  }
  return null;
}

// The cell before or after, over the ends of rows.
function cellBeside(cell, step) {
  const row = rowOf(cell);
  const at = COLUMNS.indexOf(cell.dataset.c) + step;
  if (COLUMNS[at]) return cellIn(row, COLUMNS[at]);
  const next = rowBeside(row, step);
  return next && cellIn(next, step > 0 ? COLUMNS[0] : COLUMNS.at(-1));
}

function walk(event) {
  const row = rowOf(document.activeElement);
  if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
  const cell = cellOf(document.activeElement) ?? (document.activeElement === row.querySelector('.tt > a') && cellIn(row, 'title'));
  if (!cell) return;
  const inTitle = cell.dataset.c === 'title';
  let next = null;
  if (event.key === 'F2' || (event.key === 'Enter' && document.activeElement === cell)) {
    event.preventDefault();
    open(cell);
    return;
  }
  if (event.key === 'ArrowRight') next = cellIn(row, COLUMNS[COLUMNS.indexOf(cell.dataset.c) + 1]);
  else if (event.key === 'ArrowLeft') next = cellIn(row, COLUMNS[COLUMNS.indexOf(cell.dataset.c) - 1]);
  else if (event.key === 'Home') next = cellIn(row, COLUMNS[0]);
  else if (event.key === 'End') next = cellIn(row, COLUMNS.at(-1));
  else if (!inTitle && ['ArrowDown', 'ArrowUp'].includes(event.key)) { // names are walked by keyboard.js
    const beside = rowBeside(row, event.key === 'ArrowDown' ? 1 : -1);
    next = beside && cellIn(beside, cell.dataset.c);
  } else return;
  event.preventDefault();
  if (next) focusCell(next);
}

// Editing ------------------------------------------------------------------------------------------------------

// A moment as a datetime-local input shows it, in the time zone of the page.
function local(moment, zone) {
  if (!moment) return '';
  const day = { year: 'numeric', month: '2-digit', day: '2-digit' };
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, ...day, hour: '2-digit', minute: '2-digit' });
  return format.format(new Date(moment)).replace(' ', 'T');
}

const FILL = {
  title: (cell, input) => { input.maxLength = 300; input.value = targetOf(cell).textContent; },
  predecessors: (cell, input) => { input.value = cell.textContent.trim(); offerTasks(input); },
  planned_start: (cell, input) => {
    input.type = 'datetime-local';
    input.value = local(cell.dataset.v, document.documentElement.dataset.zone);
  },
  duration: (cell, input) => { input.value = cell.textContent.trim(); },
};

const typedIn = (form) => JSON.stringify([...new FormData(form)]);

function open(cell) {
  const present = cell.querySelector('.celledit');
  if (present) { fieldIn(present).focus(); return; }
  const column = cell.dataset.c;
  const many = column === 'assignee_ids';
  const template = document.getElementById(many ? 'people-editor' : 'cell-editor');
  if (!template) return;
  const form = template.content.firstElementChild.cloneNode(true);
  const number = rowOf(cell).dataset.task;
  [form.dataset.cell, form.dataset.number] = [column, number];
  form.id = `edit-${number}-${column}`;
  const said = form.querySelector('.said');
  said.id = `said-${number}-${column}`;
  const was = document.createElement('input');
  [was.type, was.name, was.value] = ['hidden', `was-${column}`, cell.dataset.v ?? ''];
  if (many) {
    const chosen = new Set((cell.dataset.v ?? '').split(','));
    for (const box of form.querySelectorAll('[name=assignee_ids]')) box.checked = chosen.has(box.value);
    form.setAttribute('role', 'group');
    form.setAttribute('aria-label', `${LABELS[column]} of #${number}`);
  } else {
    const input = form.querySelector('.in');
    [input.id, input.name] = [`in-${number}-${column}`, column];
    input.setAttribute('aria-label', `${LABELS[column]} of #${number}`);
    input.setAttribute('aria-describedby', said.id);
    FILL[column](cell, input);
    if (!('v' in cell.dataset)) was.value = input.value;
  }
  form.append(was);
  form.dataset.began = typedIn(form);
  cell.append(form);
  editors.add(form);
  form.classList.toggle('up', cell.getBoundingClientRect().bottom > window.innerHeight - 300);
  fieldIn(form).focus();
  fieldIn(form).select?.();
  cell.scrollIntoView({ block: 'nearest' });
}

function close(form) {
  const inside = form.contains(document.activeElement);
  const cell = form.parentElement;
  editors.delete(form);
  if (focused === form) focused = null;
  form.remove();
  if (inside && cell) focusCell(cell);
}

function say(form, text) {
  const said = form.querySelector('.said');
  said.replaceChildren(text);
  said.hidden = false;
}

const changed = (form) => typedIn(form) !== form.dataset.began;

// Sends what was typed, once: what was refused is not sent again before it changes.
function save(form) {
  if ('busy' in form.dataset || !form.isConnected) return;
  const input = form.querySelector('.in[name]');
  if (input?.validity.badInput) {
    form.classList.add('bad');
    say(form, 'Fill in the date and the time, or clear both.');
    return;
  }
  if (!changed(form)) { close(form); return; }
  if (form.dataset.refused === typedIn(form)) return;
  const list = form.querySelector('.offers');
  if (list) fold(input, list);
  form.dataset.busy = '';
  form.dataset.sent = typedIn(form);
  if (input) input.readOnly = true;
  const base = document.querySelector('[data-live]').dataset.live;
  const url = `${base}/tasks/${numberOf(form)}/cells/${form.dataset.cell}`;
  htmx.ajax('POST', url, { source: form, target: form, swap: 'none' }).catch(() => {}); // toasts.js says what went wrong
}

function answered(form, status) {
  delete form.dataset.busy;
  const input = form.querySelector('.in[name]');
  if (input) input.readOnly = false;
  if (status >= 200 && status < 300) {
    close(form);
    return;
  }
  form.dataset.refused = status === 422 ? form.dataset.sent : '';
  form.classList.add('bad');
  input?.setAttribute('aria-invalid', 'true');
  if (form.querySelector('.said').hidden) say(form, 'Not saved.');
  if (document.activeElement === document.body) fieldIn(form)?.focus();
}

// A row that was moved is a new one, without the form; where it is gone, what was typed is told at least.
function keep() {
  for (const form of [...editors]) {
    if (form.isConnected) continue;
    const cell = placeOf(form);
    if (cell) {
      const again = focused === form;
      cell.append(form);
      if (again) fieldIn(form).focus();
      continue;
    }
    editors.delete(form);
    const typed = form.querySelector('.in[name]')?.value;
    if (!changed(form) || !typed) continue;
    const text = `#${numberOf(form)} can no longer be changed here. What you typed was not saved: “${typed}”.`;
    document.body.dispatchEvent(new CustomEvent('toast', { detail: { kind: 'warn', text } }));
  }
}

function onwards(form, cell) {
  if (!cell) return;
  if (cell.matches('input')) cell.focus();
  else open(cell);
  if (!form.isConnected) keep();
}

function below(cell, step) {
  const row = rowOf(cell);
  if (step > 0 && cell.dataset.c === 'title' && !row.nextElementSibling) {
    return row.closest('.stream').querySelector('.addrow input[name=title]');
  }
  const next = rowBeside(row, step);
  return next && cellIn(next, cell.dataset.c);
}

function edit(event, form) {
  event.stopPropagation(); // no key of the page works while one types, in a list of people neither
  if (event.isComposing || offered(event, form)) return;
  const cell = form.parentElement;
  if (event.key === 'Escape') {
    event.preventDefault();
    close(form);
  } else if (event.key === 'Tab') {
    if (form.dataset.cell === 'assignee_ids' && !leaves(event, form)) return;
    event.preventDefault();
    const next = cellBeside(cell, event.shiftKey ? -1 : 1) ?? (event.shiftKey ? null : below(cellIn(rowOf(cell), 'title'), 1));
    save(form);
    if (next) onwards(form, next);
    else if (form.isConnected) focusCell(cell);
  } else if (event.key === 'Enter' && !event.target.matches('button')) {
    event.preventDefault();
    const next = below(cell, event.shiftKey ? -1 : 1);
    save(form);
    if (next) onwards(form, next);
  }
}

// Tab walks through a list of people first.
function leaves(event, form) {
  const stops = [...form.querySelectorAll('input:not([type=hidden]), button')].filter((each) => each.checkVisibility());
  return document.activeElement === (event.shiftKey ? stops[0] : stops.at(-1)) || !stops.includes(document.activeElement);
}

// Suggestions --------------------------------------------------------------------------------------------------

const lastPart = (text) => text.slice(Math.max(text.lastIndexOf(','), text.lastIndexOf(';')) + 1);

function offerTasks(input) {
  const list = document.createElement('ul');
  [list.id, list.className, list.hidden] = [`${input.id}-list`, 'offers', true];
  list.setAttribute('role', 'listbox');
  list.setAttribute('aria-label', 'Tasks');
  input.after(list);
  for (const [name, value] of Object.entries({ role: 'combobox', 'aria-autocomplete': 'list', 'aria-expanded': 'false', 'aria-controls': list.id })) {
    input.setAttribute(name, value);
  }
  input.addEventListener('input', () => show(input, list));
  list.addEventListener('pointerdown', (event) => {
    event.preventDefault(); // the input keeps the focus
    const option = event.target.closest('[role=option]');
    if (option) take(input, list, option);
  });
}

function show(input, list) {
  const wanted = lastPart(input.value).trim().replace(/^#/, '').toLowerCase();
  const own = formOf(input).dataset.number;
  const found = [];
  for (const row of wanted ? document.querySelectorAll('#streams .task.plan') : []) {
    const number = row.dataset.task;
    const title = row.querySelector('.tt > a').textContent;
    if (number === own || !(number.startsWith(wanted) || title.toLowerCase().includes(wanted))) continue;
    found.push([number, title]);
    if (found.length === MOST_OFFERED) break;
  }
  list.replaceChildren(...found.map(([number, title], index) => {
    const option = document.createElement('li');
    [option.id, option.textContent, option.dataset.number] = [`${list.id}-${index}`, `#${number} ${title}`, number];
    option.setAttribute('role', 'option');
    return option;
  }));
  point(input, list, -1);
  list.hidden = found.length === 0;
  input.setAttribute('aria-expanded', String(!list.hidden));
}

function point(input, list, at) {
  [...list.children].forEach((option, index) => option.setAttribute('aria-selected', String(index === at)));
  if (list.children[at]) input.setAttribute('aria-activedescendant', list.children[at].id);
  else input.removeAttribute('aria-activedescendant');
}

function take(input, list, option) {
  const typed = input.value;
  const before = typed.slice(0, typed.length - lastPart(typed).length);
  input.value = `${before}${before && !before.endsWith(' ') ? ' ' : ''}${option.dataset.number}`;
  fold(input, list);
}

function fold(input, list) {
  list.hidden = true;
  input.setAttribute('aria-expanded', 'false');
  input.removeAttribute('aria-activedescendant');
}

// Whether the key was for the suggestions.
function offered(event, form) {
  const list = form.querySelector('.offers');
  if (!list || list.hidden) return false;
  const at = [...list.children].findIndex((each) => each.getAttribute('aria-selected') === 'true');
  const input = form.querySelector('.in');
  if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
    const count = list.children.length;
    point(input, list, event.key === 'ArrowDown' ? (at + 1) % count : (at + count - (at < 0 ? 0 : 1)) % count);
  } else if (event.key === 'Enter' && at >= 0) take(input, list, list.children[at]);
  else if (event.key === 'Escape') fold(input, list);
  else return false;
  event.preventDefault();
  return true;
}

// What the page tells ------------------------------------------------------------------------------------------

document.addEventListener('keydown', (event) => {
  const form = formOf(event.target);
  if (form) edit(event, form);
  else walk(event);
}, true);

document.addEventListener('click', (event) => {
  const { target } = event;
  if (target.closest('[data-cell-done]')) { save(formOf(target)); return; }
  const row = rowOf(target);
  if (!row || formOf(target) || target.closest('a, button, input, label, [data-grip]')) return;
  const cell = cellOf(target);
  if (cell && !narrow.matches) open(cell);
  else row.querySelector('.tt > a').click(); // the rest of the row opens its panel
});

document.addEventListener('submit', (event) => {
  if (!formOf(event.target)) return;
  event.preventDefault(); // the key of a phone's keyboard
  event.stopPropagation();
  save(event.target);
}, true);

document.addEventListener('focusin', (event) => { focused = formOf(event.target) ?? null; });
document.addEventListener('focusout', (event) => {
  const form = formOf(event.target);
  setTimeout(() => {
    if (!form?.isConnected || form.contains(document.activeElement) || !document.hasFocus()) return;
    save(form);
  });
});

document.body.addEventListener('htmx:afterRequest', ({ detail }) => {
  if (editors.has(detail.elt)) answered(detail.elt, detail.xhr.status);
  keep();
});
document.body.addEventListener('pulled', keep);

// A choice between two values (clashes.js) ends the edit, or sends it again.
document.addEventListener('kept', (event) => { if (formOf(event.target)) close(formOf(event.target)); });
document.addEventListener('insisted', (event) => {
  const form = formOf(event.target);
  if (!form) return;
  form.querySelector('[name^="was-"]').value = event.detail;
  form.dataset.refused = '';
  form.dataset.began = '';
  save(form);
});

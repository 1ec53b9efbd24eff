// Selecting tasks in the list of a runbook that is being planned.
//
// The page keeps the numbers of the selected tasks; checkboxes only show them, because a morph brings each as the server
// knows it: not checked. A click toggles one, with Shift all from the last one clicked; x toggles the row that has the
// focus, Shift and an arrow key takes the next one too, Escape clears.

const selected = new Set();
let anchor = null;

const boxes = () => [...document.querySelectorAll('.pick')];
const boxIn = (element) => element?.closest?.('.task')?.querySelector('.pick');
const bar = () => document.getElementById('selection');

function show() {
  for (const box of boxes()) box.checked = selected.has(box.value);
  const found = bar();
  if (!found) return;
  const words = selected.size === 1 ? '1 task selected' : `${selected.size} tasks selected`;
  const label = found.querySelector('[data-selected-count]');
  if (label.textContent !== words) label.textContent = words;
  found.querySelector('[data-selected-numbers]').replaceChildren(...[...selected].map((number) => {
    const field = document.createElement('input');
    [field.type, field.name, field.value] = ['hidden', 'number', number];
    return field;
  }));
  found.hidden = selected.size === 0;
  document.getElementById('list').classList.toggle('picking', selected.size > 0);
}

// What was deleted meanwhile, or can no longer be planned, is selected no more.
function keepPresent() {
  const present = new Set(boxes().map((box) => box.value));
  for (const number of selected) if (!present.has(number)) selected.delete(number);
  show();
}

function choose(chosen, wanted) {
  for (const box of chosen) selected[wanted ? 'add' : 'delete'](box.value);
  show();
}

function clear() {
  selected.clear();
  anchor = null;
  show();
}

document.addEventListener('click', (event) => {
  const box = event.target;
  if (box.matches?.('.pick')) {
    const all = boxes().filter((each) => each.checkVisibility());
    const [from, to] = [all.findIndex((each) => each.value === anchor), all.indexOf(box)];
    const range = event.shiftKey && from >= 0 ? all.slice(Math.min(from, to), Math.max(from, to) + 1) : [box];
    anchor = box.value;
    choose(range, box.checked);
  } else if (box.closest?.('[data-select-all]')) {
    choose(document.querySelectorAll(`${box.closest('[data-select-all]').dataset.selectAll} .pick`), true);
  } else if (box.closest?.('[data-select-none]')) {
    clear();
  }
});

// keyboard.js moves the focus; where it went is known when it has.
document.addEventListener('keydown', (event) => {
  if (!event.shiftKey || !['ArrowDown', 'ArrowUp'].includes(event.key)) return;
  const from = boxIn(document.activeElement);
  if (from) setTimeout(() => choose([from, boxIn(document.activeElement) ?? from], true));
}, true);

document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || event.defaultPrevented || selected.size === 0) return;
  if (document.querySelector('dialog:modal, [popover]:popover-open')) return;
  if (event.target.matches('input:not(.pick), textarea, select')) return;
  event.preventDefault();
  clear();
});

document.body.addEventListener('pulled', keepPresent);
document.body.addEventListener('htmx:afterRequest', keepPresent);
show();

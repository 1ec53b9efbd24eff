// @ in a field with data-mentions="<address>" suggests people: a listbox that the arrows walk, Enter or Tab takes, Esc
// closes. The address answers to ?q= with options, whose data-words are what stands after the @ then. While the list is
// open the field is a combobox; the focus stays in it.

const TYPED = /(?:^|[\s(])@([^\s@]{0,40}(?: [^\s@]{1,40})?)$/;
const WAIT_MS = 80;
const GAP = 4;
const MARGIN = 8;

const list = document.createElement('ul');
list.id = 'mentions';
list.className = 'mentions';
list.popover = 'manual';
list.setAttribute('role', 'listbox');
list.setAttribute('aria-label', 'People to mention');
document.body.append(list);

let field = null;
let asked = 0;
let timer;

const isOpen = () => list.matches(':popover-open');
const options = () => [...list.children];
const chosen = () => list.querySelector('[aria-selected="true"]');

function typedIn(area) {
  if (area.selectionStart !== area.selectionEnd) return null;
  return TYPED.exec(area.value.slice(0, area.selectionStart))?.[1] ?? null;
}

function choose(option) {
  for (const each of options()) each.setAttribute('aria-selected', String(each === option));
  field.setAttribute('aria-activedescendant', option.id);
  option.scrollIntoView({ block: 'nearest' });
}

function place() {
  const from = field.getBoundingClientRect();
  const box = list.getBoundingClientRect();
  const above = from.top - GAP - box.height;
  list.style.top = `${above >= MARGIN ? above : from.bottom + GAP}px`;
  list.style.left = `${Math.max(MARGIN, Math.min(from.left, window.innerWidth - box.width - MARGIN))}px`;
}

function open(area, html) {
  field = area;
  list.innerHTML = html;
  list.showPopover();
  field.setAttribute('role', 'combobox');
  field.setAttribute('aria-expanded', 'true');
  field.setAttribute('aria-controls', list.id);
  choose(list.firstElementChild);
  place();
}

function close() {
  clearTimeout(timer);
  asked += 1;
  if (!isOpen()) return;
  list.hidePopover();
  for (const name of ['role', 'aria-expanded', 'aria-controls', 'aria-activedescendant']) field.removeAttribute(name);
}

async function suggest(area, typed) {
  asked += 1;
  const mine = asked;
  try {
    const answer = await fetch(`${area.dataset.mentions}?q=${encodeURIComponent(typed)}`, { headers: { 'HX-Request': 'true' } });
    const html = answer.ok ? (await answer.text()).trim() : '';
    if (mine !== asked || document.activeElement !== area) return;
    if (html) open(area, html);
    else close();
  } catch {
    if (mine === asked) close(); // no connection: a name that is typed in full counts all the same
  }
}

function take(option) {
  const at = field.selectionStart;
  const from = at - typedIn(field).length;
  field.setRangeText(`${option.dataset.words} `, from, at, 'end');
  field.dispatchEvent(new Event('input', { bubbles: true }));
  close();
}

document.addEventListener('input', (event) => {
  const area = event.target;
  if (!area.matches('[data-mentions]')) return;
  const typed = typedIn(area);
  clearTimeout(timer);
  if (typed === null) close();
  else timer = setTimeout(() => suggest(area, typed), WAIT_MS);
});

// Before the keys of the page, which would leave the field or send the comment.
document.addEventListener('keydown', (event) => {
  if (!isOpen() || event.target !== field || event.isComposing) return;
  if (event.ctrlKey || event.metaKey) { close(); return; }
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    const all = options();
    choose(all[(all.indexOf(chosen()) + step + all.length) % all.length]);
  } else if (event.key === 'Enter' || event.key === 'Tab') take(chosen());
  else if (event.key === 'Escape') close();
  else return;
  event.preventDefault();
  event.stopPropagation();
}, true);

list.addEventListener('mousedown', (event) => event.preventDefault()); // the focus stays in the field
list.addEventListener('click', (event) => {
  const option = event.target.closest('[role=option]');
  if (option) take(option);
});
document.addEventListener('focusout', (event) => { if (event.target === field) close(); });
document.addEventListener('submit', close, true);
window.addEventListener('resize', close);

// Single keys, off inside fields and dialogs, and where the user or this browser has turned them off.
//
// An element says which key it answers to: data-key="c", "[", "g r". A field gets the focus, anything else a
// click. j, k and the arrows walk over rows: .task, or any [data-row], each with a link. A key on an element
// inside a row works only while that row has the focus; s and f ask once per session.

const SEQUENCE_MS = 1200;
const ASK_ONCE = { s: 'Start tasks by pressing s?', f: 'Finish tasks by pressing f?' };
const STORED_OFF = 'single-keys-off';

const storedOff = () => localStorage.getItem(STORED_OFF) === '1';
const off = () => document.documentElement.dataset.keys === 'off' || storedOff();
const typing = (element) => element.closest?.('input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]');
const rows = () => [...document.querySelectorAll('.task, [data-row]')].filter((row) => row.offsetParent !== null);
const linkIn = (row) => row.querySelector('[data-row-link], .tt > a, .rowlink') ?? row.querySelector('a');

function walk(step) {
  const all = rows();
  if (!all.length) return false;
  let at = all.findIndex((row) => row.contains(document.activeElement));
  if (at < 0) at = all.findIndex((row) => row.getAttribute('aria-current') === 'true');
  const next = all[Math.min(all.length - 1, Math.max(0, at < 0 ? 0 : at + step))];
  linkIn(next)?.focus();
  next.scrollIntoView({ block: 'nearest' });
  return true;
}

function find(key) {
  const row = document.activeElement.closest?.('.task, [data-row]');
  const selector = `[data-key="${CSS.escape(key)}"]`;
  const inRow = row?.querySelector(selector);
  if (inRow) return inRow;
  return [...document.querySelectorAll(selector)].find((each) =>
    !each.closest('.task, [data-row]') && !each.disabled && each.checkVisibility());
}

function press(key) {
  const element = find(key);
  if (!element || element.disabled) return false;
  if (typing(element)) { element.focus(); element.select?.(); return true; }
  const question = element.closest('.task, [data-row]') && ASK_ONCE[key];
  if (question && !sessionStorage.getItem(`asked-${key}`)) {
    const then = () => { sessionStorage.setItem(`asked-${key}`, '1'); element.click(); };
    const detail = { question, text: 'You are asked this once in this tab.', verb: element.textContent.trim(), then };
    document.dispatchEvent(new CustomEvent('ask', { detail }));
  } else {
    element.click();
  }
  return true;
}

function dismiss() {
  const panel = document.querySelector('[data-close-panel]');
  if (panel?.checkVisibility()) { panel.click(); return true; }
  const sheet = [...document.querySelectorAll('.sheet')].at(-1);
  if (!sheet) return false;
  sheet.dispatchEvent(new CustomEvent('dismiss', { bubbles: true }));
  return true;
}

let prefix = '';
let prefixTimer;

document.addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey || event.isComposing) return;
  if (document.querySelector('dialog:modal, [popover]:popover-open')) return;
  if (event.key === 'Escape') {
    if (typing(event.target)) event.target.blur();
    else if (dismiss()) event.preventDefault();
    return;
  }
  if (typing(event.target)) return;
  const arrow = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (arrow && document.activeElement.closest?.('.task, [data-row]')) {
    if (walk(arrow)) event.preventDefault();
    return;
  }
  if (off() || event.key.length !== 1) return;
  const key = prefix ? `${prefix} ${event.key}` : event.key;
  clearTimeout(prefixTimer);
  prefix = '';
  if (key === 'g') {
    prefix = 'g';
    prefixTimer = setTimeout(() => { prefix = ''; }, SEQUENCE_MS);
    return;
  }
  const step = { j: 1, k: -1 }[key];
  if (step ? walk(step) : press(key)) event.preventDefault();
});

const toggle = document.querySelector('[data-keys-toggle]');
if (toggle) {
  toggle.checked = !off();
  toggle.addEventListener('change', () => localStorage.setItem(STORED_OFF, toggle.checked ? '0' : '1'));
}

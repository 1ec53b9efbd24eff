// Tabs after the ARIA authoring practices: arrows move, Home and End jump. All panels stay in one form. The tab
// is kept in the address's hash, so a reload and a link come back to it. [data-for-tab="tab-…"] elements
// elsewhere (the right column of an editor) show with their tab.

const tabsOf = (list) => [...list.querySelectorAll('[role=tab]')];
const panelOf = (tab) => document.getElementById(tab.getAttribute('aria-controls'));

function select(tab, { focus = false, remember = true } = {}) {
  for (const each of tabsOf(tab.closest('[role=tablist]'))) {
    const on = each === tab;
    each.setAttribute('aria-selected', String(on));
    each.tabIndex = on ? 0 : -1;
    const panel = panelOf(each);
    if (panel) panel.hidden = !on;
    for (const aside of document.querySelectorAll(`[data-for-tab="${CSS.escape(each.id)}"]`)) aside.hidden = !on;
  }
  if (focus) tab.focus();
  if (remember) history.replaceState(history.state, '', `#${tab.id.replace('tab-', '')}`);
}

function showField(field) {
  const panel = field.closest('[role=tabpanel]');
  if (panel?.hidden) select(document.getElementById(panel.getAttribute('aria-labelledby')));
  const secret = field.closest('details');
  if (secret) secret.open = true;
  field.focus();
}

document.addEventListener('click', (event) => {
  const tab = event.target.closest('[role=tab]');
  if (tab) { select(tab); return; }
  const link = event.target.closest('[data-focus-field]');
  const field = link && document.getElementById(link.dataset.focusField);
  if (field) { event.preventDefault(); showField(field); }
});

document.addEventListener('keydown', (event) => {
  const tab = event.target.closest?.('[role=tab]');
  if (!tab) return;
  const all = tabsOf(tab.closest('[role=tablist]'));
  const at = all.indexOf(tab);
  const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  select(all[(next + all.length) % all.length], { focus: true });
});

// The hash wins, unless the server points at an error: then the tab with the first invalid field does. Where an answer
// came into a form in which someone types, it leaves them their focus.
function settle(root) {
  if (document.activeElement !== document.body && root !== document && root.contains(document.activeElement)) return;
  const wrong = root.querySelector('[aria-invalid=true]');
  if (wrong) { showField(wrong); return; }
  const wanted = location.hash === '' ? null : document.getElementById(`tab-${location.hash.slice(1)}`);
  if (wanted?.matches('[role=tab]') && (root === document || root.contains(wanted))) select(wanted, { remember: false });
}

document.body.addEventListener('htmx:load', (event) => settle(event.detail.elt));
settle(document);

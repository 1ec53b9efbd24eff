// Menus are native popovers; this puts each beside the button that opened it, and moves focus by arrow keys.

const GAP = 4;
const MARGIN = 8;

function place(menu, opener) {
  const from = opener.getBoundingClientRect();
  const box = menu.getBoundingClientRect();
  const below = from.bottom + GAP + box.height <= window.innerHeight - MARGIN;
  const top = below ? from.bottom + GAP : Math.max(MARGIN, from.top - GAP - box.height);
  const toRight = from.left + box.width <= window.innerWidth - MARGIN;
  const left = toRight ? from.left : Math.max(MARGIN, from.right - box.width);
  menu.style.top = `${top}px`;
  menu.style.left = `${left}px`;
}

const items = (menu) => [...menu.querySelectorAll('a, button')].filter((each) => !each.disabled);

document.addEventListener('toggle', (event) => {
  const menu = event.target;
  if (!menu.matches?.('.menu[popover]')) return;
  if (event.newState !== 'open') {
    menu.removeAttribute('style'); // htmx would copy it to the menu that comes next, which the policy forbids
    return;
  }
  const opener = document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]`);
  if (opener) place(menu, opener);
}, true);

document.addEventListener('keydown', (event) => {
  const menu = event.target.closest?.('.menu[popover]');
  const open = menu ?? document.querySelector('.menu:popover-open');
  if (!open || !['ArrowDown', 'ArrowUp', 'Home', 'End'].includes(event.key)) return;
  if (!menu && event.target.getAttribute('popovertarget') !== open.id) return;
  event.preventDefault();
  const all = items(open);
  const at = all.indexOf(document.activeElement);
  const next = { ArrowDown: at + 1, ArrowUp: at < 0 ? all.length - 1 : at - 1, Home: 0, End: all.length - 1 }[event.key];
  all[(next + all.length) % all.length]?.focus();
});

// Choosing something that does not leave the page closes the menu.
document.addEventListener('click', (event) => {
  const item = event.target.closest('.menu[popover] button[type=button], .menu[popover] [hx-post]');
  item?.closest('[popover]').hidePopover();
});
// On phones the settings menu is one line that scrolls.
document.querySelector('.subnav [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
window.addEventListener('resize', () => document.querySelector('.menu:popover-open')?.hidePopover());

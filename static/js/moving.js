// Moving tasks in a plan: a row is dragged by its handle, or moved with Alt and an arrow key; where it is one of several
// selected rows, they move together. The server places them, and what it answers puts them there for everybody.

const START_PX = 4;
const EDGE_PX = 48;
const SCROLL_PX = 14;

const list = document.getElementById('list');
const rowOf = (element) => element?.closest?.('.task.plan[role=row]');
const base = () => document.querySelector('[data-live]').dataset.live;
let back = null; // what had the focus: [row's number, field]

function numbersFor(row) {
  const picked = [...document.querySelectorAll('.pick:checked')].map((box) => box.value);
  return picked.includes(row.dataset.task) ? picked : [row.dataset.task];
}

function send(row, values) {
  const cell = document.activeElement.closest?.('[data-c]');
  back = [row.dataset.task, row.contains(document.activeElement) ? cell?.dataset.c : 'title'];
  const number = numbersFor(row);
  htmx.ajax('POST', `${base()}/tasks/move`, { source: row, target: row, swap: 'none', values: { number, ...values } }).catch(() => {});
}

// The row that was moved is a new one: it gets the focus that the old one had.
document.body.addEventListener('htmx:afterRequest', ({ detail }) => {
  if (!back || !detail.requestConfig.path.endsWith('/tasks/move')) return;
  const row = document.getElementById(`t-${back[0]}`);
  const cell = row?.querySelector(`[data-c="${back[1]}"]`);
  back = null;
  if (!row || (document.activeElement !== document.body && !row.contains(document.activeElement))) return;
  if (cell && cell.dataset.c !== 'title') cell.tabIndex = -1;
  (cell && cell.dataset.c !== 'title' ? cell : row.querySelector('.tt > a')).focus();
  row.scrollIntoView({ block: 'nearest' });
});

document.addEventListener('keydown', (event) => {
  if (!event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const to = { ArrowUp: 'up', ArrowDown: 'down' }[event.key];
  const row = rowOf(document.activeElement);
  if (!to || !row || event.target.closest('.celledit')) return;
  event.preventDefault();
  if ('filtered' in list.dataset) {
    const detail = { kind: 'warn', text: 'Clear the filter to move tasks: others may stand between those that are shown.' };
    document.body.dispatchEvent(new CustomEvent('toast', { detail }));
  } else if (!back) send(row, { to });
});

// Dragging -----------------------------------------------------------------------------------------------------

let drag = null;

const line = document.createElement('div');
line.className = 'dropline';
const ghost = document.createElement('div');
ghost.className = 'dragged';

function scroller() {
  let found = list;
  while (found && !(found.scrollHeight > found.clientHeight && /auto|scroll/.test(getComputedStyle(found).overflowY))) found = found.parentElement;
  return found ?? document.scrollingElement;
}

// Where it would be dropped: the stream, the number of the task before, and the height at which the line is drawn.
function placeAt(x, y) {
  const under = document.elementFromPoint(x, y);
  const stream = under?.closest('#streams .stream');
  if (!stream) return null;
  const rows = [...stream.querySelectorAll('.task.plan')];
  const row = rowOf(under);
  const streamId = stream.id.slice(2);
  if (row) {
    const box = row.getBoundingClientRect();
    const above = y < box.top + box.height / 2;
    const after = above ? rows[rows.indexOf(row) - 1] : row;
    return { streamId, after: after?.dataset.task ?? '', y: above ? box.top : box.bottom };
  }
  if (under.closest('h2')) return { streamId, after: '', y: under.closest('h2').getBoundingClientRect().bottom };
  const last = rows.at(-1);
  const shown = last?.checkVisibility() ? last : stream.querySelector('h2');
  return { streamId, after: last?.dataset.task ?? '', y: shown.getBoundingClientRect().bottom };
}

function draw() {
  const { x, y } = drag;
  ghost.style.translate = `${x + 12}px ${y + 8}px`;
  drag.place = placeAt(x, y);
  line.hidden = !drag.place;
  if (!drag.place) return;
  const box = list.getBoundingClientRect();
  line.style.translate = `${box.left}px ${drag.place.y - 1}px`;
  line.style.width = `${list.clientWidth}px`;
}

function scroll() {
  if (!drag?.moving) return;
  const area = drag.scroller;
  const box = area === document.scrollingElement ? { top: 0, bottom: window.innerHeight } : area.getBoundingClientRect();
  const step = drag.y < box.top + EDGE_PX ? -SCROLL_PX : drag.y > box.bottom - EDGE_PX ? SCROLL_PX : 0;
  if (step) { area.scrollBy(0, step); draw(); }
  requestAnimationFrame(scroll);
}

function begin() {
  drag.moving = true;
  drag.scroller = scroller();
  const count = numbersFor(drag.row).length;
  ghost.textContent = count > 1 ? `${count} tasks` : `#${drag.row.dataset.task} ${drag.row.querySelector('.tt > a').textContent}`;
  document.body.append(line, ghost);
  document.documentElement.classList.add('dragging');
  for (const number of numbersFor(drag.row)) document.getElementById(`t-${number}`)?.classList.add('lifted');
  requestAnimationFrame(scroll);
}

function end() {
  line.remove();
  ghost.remove();
  document.documentElement.classList.remove('dragging');
  for (const row of document.querySelectorAll('.lifted')) row.classList.remove('lifted');
  drag = null;
}

document.addEventListener('pointerdown', (event) => {
  const grip = event.target.closest?.('[data-grip]');
  if (!grip || event.button !== 0) return;
  event.preventDefault();
  grip.setPointerCapture(event.pointerId);
  drag = { row: rowOf(grip), from: [event.clientX, event.clientY], x: event.clientX, y: event.clientY, moving: false };
});
document.addEventListener('pointermove', (event) => {
  if (!drag) return;
  [drag.x, drag.y] = [event.clientX, event.clientY];
  if (!drag.moving && Math.hypot(drag.x - drag.from[0], drag.y - drag.from[1]) < START_PX) return;
  if (!drag.moving) begin();
  draw();
});
document.addEventListener('pointerup', () => {
  if (!drag) return;
  const { row, place, moving } = drag;
  end();
  if (!moving || !place) return;
  const chosen = numbersFor(document.getElementById(row.id) ?? row);
  if (chosen.includes(place.after)) place.after = before(place.after, chosen);
  send(document.getElementById(row.id) ?? row, { stream_id: place.streamId, ...(place.after && { after: place.after }) });
});
document.addEventListener('pointercancel', () => { if (drag) end(); });
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || !drag) return;
  event.preventDefault();
  event.stopPropagation();
  end();
}, true);

// Rows cannot be dropped behind themselves: what stands before them all is meant.
function before(number, chosen) {
  let row = document.getElementById(`t-${number}`);
  while (row && chosen.includes(row.dataset.task)) row = row.previousElementSibling;
  return row?.dataset.task ?? '';
}

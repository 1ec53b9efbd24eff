// The node map and the timeline: a click or Enter on a task opens its panel, arrows walk over the map, zoom, minimap,
// and a now-line that moves. The drawing is replaced as a whole when something changes; what the viewer has chosen
// (zoom, place, focus) is put back.

const REDRAW_MS = 60_000;
const STALE_MS = 10_000;
const NOW_MS = 5000;
const LEAST_ZOOM = 0.03;
const MOST_ZOOM = 2;
const LABELS_FROM = 0.5;

const clock = new Intl.DateTimeFormat('en-GB', {
  timeZone: document.documentElement.dataset.zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23',
});

const view = () => document.getElementById('view');

// Opening ---------------------------------------------------------------------------------------------------------

document.addEventListener('click', (event) => {
  const node = event.target.closest?.('[data-node]');
  if (!node || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const base = document.querySelector('[data-live]').dataset.live;
  htmx.ajax('GET', `${base}/tasks/${node.dataset.node}`, { source: node, target: '#panel', swap: 'innerHTML' });
});

// Walking ---------------------------------------------------------------------------------------------------------

const ALONG = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

// The nearest task in that direction: how far off the line counts three times.
function nearest(from, [dx, dy]) {
  const here = from.getBoundingClientRect();
  let best = null;
  let least = Infinity;
  for (const node of from.ownerSVGElement.querySelectorAll('.n')) {
    const there = node.getBoundingClientRect();
    const right = there.x - here.x;
    const down = there.y - here.y;
    const ahead = right * dx + down * dy;
    const aside = Math.abs(right * dy) + Math.abs(down * dx);
    if (ahead < 4 || ahead + 3 * aside >= least) continue;
    best = node;
    least = ahead + 3 * aside;
  }
  return best;
}

document.addEventListener('keydown', (event) => {
  const node = event.target.closest?.('svg .n');
  const step = node && ALONG[event.key];
  if (!step) return;
  event.preventDefault();
  const next = nearest(node, step);
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
});

// Zoom and minimap --------------------------------------------------------------------------------------------------

let zoom = 1;

const canvas = () => document.querySelector('[data-zooms]');
const drawing = () => canvas()?.querySelector(':scope > svg');

function applyZoom() {
  const svg = drawing();
  if (!svg) return;
  svg.setAttribute('width', Math.round(svg.dataset.width * zoom));
  svg.setAttribute('height', Math.round(svg.dataset.height * zoom));
  for (const each of canvas().querySelectorAll('.maplane > svg')) {
    each.setAttribute('height', each.dataset.height * zoom);
  }
  canvas().classList.toggle('far', zoom < LABELS_FROM);
  showSeen();
}

// Keeps the middle of what is seen in the middle.
function zoomTo(wanted) {
  const area = canvas();
  if (!area) return;
  const next = Math.min(MOST_ZOOM, Math.max(LEAST_ZOOM, wanted));
  const middle = [area.scrollLeft + area.clientWidth / 2, area.scrollTop + area.clientHeight / 2];
  const ratio = next / zoom;
  zoom = next;
  applyZoom();
  area.scrollTo(middle[0] * ratio - area.clientWidth / 2, middle[1] * ratio - area.clientHeight / 2);
}

function fit() {
  const area = canvas();
  const svg = drawing();
  const lanes = area.querySelector('.maplanes').offsetWidth;
  zoomTo(Math.min(1, (area.clientWidth - lanes) / svg.dataset.width, area.clientHeight / svg.dataset.height));
  area.scrollTo(0, 0);
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-zoom]');
  if (!button) return;
  if (button.dataset.zoom === 'fit') fit();
  else zoomTo(zoom * (button.dataset.zoom === 'in' ? 1.25 : 0.8));
});

function showSeen() {
  const seen = document.querySelector('[data-seen]');
  const area = canvas();
  if (!seen || !area) return;
  const lanes = area.querySelector('.maplanes').offsetWidth;
  const box = { x: area.scrollLeft, y: area.scrollTop, width: area.clientWidth - lanes, height: area.clientHeight };
  for (const [name, value] of Object.entries(box)) seen.setAttribute(name, value / zoom);
}

function goTo(event) {
  const mini = event.target.closest?.('[data-minimap]');
  if (!mini || !(event.buttons & 1)) return;
  const box = mini.getBoundingClientRect();
  const svg = drawing();
  const area = canvas();
  const lanes = area.querySelector('.maplanes').offsetWidth;
  const x = (event.clientX - box.x) / box.width * svg.dataset.width * zoom;
  const y = (event.clientY - box.y) / box.height * svg.dataset.height * zoom;
  area.scrollTo(x - (area.clientWidth - lanes) / 2, y - area.clientHeight / 2);
}
document.addEventListener('pointerdown', goTo);
document.addEventListener('pointermove', goTo);
document.addEventListener('scroll', showSeen, { capture: true, passive: true });
window.addEventListener('resize', showSeen);

// The now-line ------------------------------------------------------------------------------------------------------

const arrived = Date.now();
const serverArrived = Number(document.documentElement.dataset.serverTime) * 1000;
const serverNow = () => serverArrived + Date.now() - arrived;

function moveNow() {
  const chart = document.querySelector('svg[data-second]');
  if (!chart) return;
  const moved = Math.max(0, (serverNow() / 1000 - chart.dataset.moment) * chart.dataset.second);
  for (const line of document.querySelectorAll('[data-now]')) line.setAttribute('transform', `translate(${moved} 0)`);
  for (const bar of chart.querySelectorAll('[data-grows]')) {
    bar.dataset.grows ||= bar.getAttribute('width');
    bar.setAttribute('width', Number(bar.dataset.grows) + moved);
  }
  const label = document.querySelector('.gtick.now time');
  if (!label) return;
  const now = new Date(serverNow());
  label.dateTime = now.toISOString();
  label.textContent = clock.format(now);
}
setInterval(moveNow, NOW_MS);

// Scrolls so that a third of the width is past, unless the line stands before that share of the width already.
function showNow(unless = 0) {
  const line = document.querySelector('svg[data-second] [data-now]');
  const area = document.getElementById('chart');
  if (!line || !area) return;
  const names = area.querySelector('.gnames').offsetWidth;
  const x = line.getBoundingClientRect().x - area.getBoundingClientRect().x - names + area.scrollLeft;
  const width = area.clientWidth - names;
  if (x > width * unless) area.scrollTo({ left: x - width / 3 });
}
document.addEventListener('click', (event) => { if (event.target.closest('[data-show-now]')) showNow(); });

// Redrawing ---------------------------------------------------------------------------------------------------------

let drawn = performance.now();
let due;

// The drawing anew. To morph a thousand tasks takes longer than to put in new ones, so place and focus are kept by hand.
async function redraw() {
  const { zone, otherZone } = document.documentElement.dataset;
  clearTimeout(due);
  due = undefined;
  drawn = performance.now();
  const answer = await fetch(window.location.href, {
    headers: { 'HX-Request': 'true', 'HX-Current-URL': window.location.href, 'X-Zone': `${zone} ${otherZone}` },
  });
  const old = view();
  if (!answer.ok || !old || !answer.headers.get('Vary')?.includes('HX-Request')) return;
  const sent = document.createElement('template');
  sent.innerHTML = await answer.text();
  const scrolled = [...old.querySelectorAll('[data-keeps-place]'), old].map((each) => [each.id, each.scrollLeft, each.scrollTop]);
  const focused = old.contains(document.activeElement) ? document.activeElement.id : '';
  old.replaceWith(sent.content);
  document.body.dispatchEvent(new CustomEvent('pulled', { detail: {} }));
  for (const [id, left, top] of scrolled) document.getElementById(id)?.scrollTo(left, top);
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

// What time alone changes (late, forecasts) is drawn anew by the server once a minute, while someone looks.
setInterval(() => { if (view() && !document.hidden) redraw(); }, REDRAW_MS);

// A large drawing comes as the states of what changed; all of it is asked for now and then.
function redrawWhenDue() {
  const states = document.getElementById('states');
  if (!states?.hasAttribute('data-stale') || due !== undefined) return;
  states.removeAttribute('data-stale');
  for (const pair of states.dataset.states.split(',')) {
    const [task, look] = pair.split(':');
    document.querySelector(`#n-${CSS.escape(task)} use`)?.setAttribute('href', `#n-${look}`);
  }
  due = setTimeout(redraw, Math.max(0, STALE_MS - (performance.now() - drawn)));
}

// What is seen first: the selected task, else what is under way.
function begin() {
  const area = document.querySelector('[data-keeps-place]');
  if (!area) return;
  if (area.matches('.chart')) showNow(0.6);
  const node = area.querySelector('.n[aria-current]') ?? area.querySelector('.n:is(.run, .fail):not(.off)') ?? area.querySelector('.n.ready:not(.off)');
  if (node) {
    const box = node.getBoundingClientRect();
    const own = area.getBoundingClientRect();
    if (area.scrollWidth > area.clientWidth) area.scrollLeft += box.x - own.x - own.width / 2;
    if (area.scrollHeight > area.clientHeight) area.scrollTop += box.y - own.y - own.height / 2;
  }
  const row = area.querySelector('.gname[aria-current]') ?? area.querySelector('.gname.run, .gname.fail');
  if (row && row.offsetTop > area.scrollTop + area.clientHeight) area.scrollTop = row.offsetTop - area.clientHeight / 3;
  showSeen();
}

for (const name of ['pulled', 'htmx:afterSettle']) {
  document.body.addEventListener(name, () => { applyZoom(); moveNow(); redrawWhenDue(); });
}
begin();

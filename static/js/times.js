// Times in the viewer's zone, and clocks that tick by the server's time.
//
// <time datetime data-when="short|time|seconds|date|full|ago">; <time data-since="epoch seconds">.

const arrived = performance.getEntriesByType('navigation')[0];
const restored = arrived?.type === 'back_forward'; // an old answer tells an old time
const offset = restored ? 0
  : Number(document.documentElement.dataset.serverTime) * 1000
    - (performance.timeOrigin + (arrived?.responseStart || 0));
const serverNow = () => Date.now() + offset;

const format = (options) => new Intl.DateTimeFormat('en-GB', options);
const clock = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
const FORMATS = {
  time: format(clock),
  seconds: format({ ...clock, second: '2-digit' }),
  date: format({ day: 'numeric', month: 'short', year: 'numeric' }),
  short: format({ day: 'numeric', month: 'short', ...clock }),
  year: format({ day: 'numeric', month: 'short', year: 'numeric', ...clock }),
  full: format({ day: 'numeric', month: 'short', year: 'numeric', ...clock, second: '2-digit', timeZoneName: 'short' }),
};
const dayOf = (date) => FORMATS.date.format(date);

function short(date) {
  const now = new Date(serverNow());
  if (dayOf(date) === dayOf(now)) return FORMATS.time.format(date);
  return (date.getFullYear() === now.getFullYear() ? FORMATS.short : FORMATS.year).format(date);
}

function ago(date) {
  const seconds = Math.max(0, (serverNow() - date) / 1000);
  if (seconds < 60) return 'just now';
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  if (seconds < 7 * 86400) return `${Math.floor(seconds / 86400)} d ago`;
  return FORMATS.date.format(date);
}

function localise(root) {
  const found = [...root.querySelectorAll('time[data-when]')];
  if (root.matches?.('time[data-when]')) found.push(root);
  for (const time of found) {
    const date = new Date(time.dateTime);
    const style = time.dataset.when;
    time.title = FORMATS.full.format(date);
    time.textContent = style === 'ago' ? ago(date) : style === 'short' ? short(date) : FORMATS[style].format(date);
  }
}

function elapsed(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (number) => String(number).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(whole % 60)}`;
}

function tick() {
  const now = serverNow() / 1000;
  for (const time of document.querySelectorAll('time[data-since]')) time.textContent = elapsed(now - time.dataset.since);
}

for (const zone of document.querySelectorAll('[data-zone]')) {
  zone.textContent = Intl.DateTimeFormat().resolvedOptions().timeZone;
}
document.body.addEventListener('htmx:load', (event) => localise(event.detail.elt));
document.body.addEventListener('htmx:afterSettle', (event) => { localise(event.detail.elt); tick(); });
document.body.addEventListener('htmx:oobAfterSwap', (event) => localise(event.detail.target));
document.body.addEventListener('pulled', () => localise(document));
setInterval(tick, 1000);
setInterval(() => localise(document), 60000);
localise(document);
tick();

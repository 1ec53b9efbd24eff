// Clocks that tick by the server's time, and the times whose words change with it: "short" and "ago".
//
// <time datetime data-when="short|time|seconds|date|full|ago">, as zones.py writes it in the zone that <html data-zone>
// names; <time data-since="epoch seconds">.

const arrived = performance.getEntriesByType('navigation')[0];
const restored = arrived?.type === 'back_forward'; // an old answer tells an old time
const offset = restored ? 0
  : Number(document.documentElement.dataset.serverTime) * 1000
    - (performance.timeOrigin + (arrived?.responseStart || 0));
const serverNow = () => Date.now() + offset;

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const parts = new Intl.DateTimeFormat('en-GB', {
  timeZone: document.documentElement.dataset.zone,
  year: 'numeric', month: 'numeric', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23',
});

// The moment on the clocks of the zone that the page shows.
function there(date) {
  const found = Object.fromEntries(parts.formatToParts(date).map(({ type, value }) => [type, value]));
  const day = `${Number(found.day)} ${MONTHS[found.month - 1]}`;
  return { year: found.year, day, date: `${day} ${found.year}`, time: `${found.hour}:${found.minute}` };
}

function short(date) {
  const [then, now] = [there(date), there(new Date(serverNow()))];
  if (then.date === now.date) return then.time;
  return `${then.year === now.year ? then.day : then.date}, ${then.time}`;
}

function ago(date) {
  const seconds = Math.max(0, (serverNow() - date) / 1000);
  if (seconds < 60) return 'just now';
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  if (seconds < 7 * 86400) return `${Math.floor(seconds / 86400)} d ago`;
  return there(date).date;
}

const WORDS = { short, ago };

function refresh() {
  for (const time of document.querySelectorAll('time[data-when="short"], time[data-when="ago"]')) {
    const words = WORDS[time.dataset.when](new Date(time.dateTime));
    if (time.textContent !== words) time.textContent = words;
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

// Where the profile names no zone, the viewer's own is the browser's: the server reads it from this cookie.
const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (!document.cookie.split('; ').includes(`zone=${own}`)) {
  document.cookie = `zone=${own}; path=/; max-age=31536000; samesite=lax${window.location.protocol === 'https:' ? '; secure' : ''}`;
}
document.body.addEventListener('htmx:afterSettle', tick);
setInterval(tick, 1000);
document.body.addEventListener('pulled', refresh);
setInterval(refresh, 60000);
refresh();
tick();

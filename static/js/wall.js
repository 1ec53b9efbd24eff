// A wall display needs no hand: it keeps the screen awake, shows the time, and draws itself anew every quarter minute,
// and wholly every hour, so that it picks up a new version or a new sign-in.

const DRAW_MS = 15_000;
const RELOAD_MS = 3_600_000;

const arrived = Date.now();
const serverArrived = Number(document.documentElement.dataset.serverTime) * 1000;
const clock = document.querySelector('[data-wall-clock]');
const format = new Intl.DateTimeFormat('en-GB', {
  timeZone: document.documentElement.dataset.zone, hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23',
});

function tick() {
  clock.textContent = format.format(serverArrived + Date.now() - arrived);
}
tick();
setInterval(tick, 1000);

async function stayAwake() {
  try {
    await navigator.wakeLock?.request('screen');
  } catch {
    // The browser may refuse, on low battery for one; the screen then sleeps as it is set to.
  }
}
stayAwake();
document.addEventListener('visibilitychange', () => { if (!document.hidden) stayAwake(); });

setInterval(() => htmx.ajax('GET', window.location.href, { target: '#view', swap: 'morph' }), DRAW_MS);
setTimeout(() => window.location.reload(), RELOAD_MS);

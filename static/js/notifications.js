// Notifications: the number at the bell, and what is new as a toast, or by the browser while nobody looks.
//
// <… data-bell="/notifications/news" data-latest="812" data-person="3" data-live-mode="sse|poll">
//
// The stream carries `event: n`, `data: <person>:<id of their latest notification>`. Of all tabs one asks what is new
// (it owns the Web Lock) and tells the others. [data-unread] elements show the number; "notified" on the body says
// that something came.

import { canShow, showIn } from './browser_notifications.js';
import { join } from './stream.js';

const JITTER_MS = 250;
const POLL_MS = 10000;
const FAILURES_BEFORE_POLLING = 4;
const ANSWER_MS = 400; // for the other tabs to say that someone looks at them
const MOST_TOASTS = 3;

const root = document.querySelector('[data-bell]');
if (root) follow(root);

function follow({ dataset: { bell, person, ...dataset } }) {
  const channel = new BroadcastChannel(`bell:${person}`);
  let latest = Number(dataset.latest);
  let unread = Number(document.querySelector('[data-unread] [data-number]').textContent);
  let asks = false; // whether this tab is the one that asks
  let heard = latest;
  let failures = dataset.liveMode === 'poll' ? Infinity : 0;
  let busy = false;
  let again = false;
  let looking = false; // whether someone looks at another tab

  function count(number) {
    unread = number;
    for (const badge of document.querySelectorAll('[data-unread]')) {
      badge.hidden = number === 0;
      badge.querySelector('[data-number]').textContent = number;
    }
  }

  function take(told) {
    if (told.latest < latest) return;
    const fresh = told.news.filter(({ id }) => id > latest);
    latest = told.latest;
    count(told.unread);
    if (!fresh.length) return;
    document.body.dispatchEvent(new CustomEvent('notified'));
    if (document.hidden) return;
    for (const { text, open } of fresh.slice(-MOST_TOASTS)) {
      document.body.dispatchEvent(new CustomEvent('toast', { detail: { kind: 'news', text, opens: open } }));
    }
  }

  function showUnseen(news) {
    if (!document.hidden || !news.length || !canShow(person)) return;
    looking = false;
    channel.postMessage({ looks: 'who' });
    setTimeout(() => { if (document.hidden && !looking) news.forEach(showIn); }, ANSWER_MS);
  }

  async function ask() {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const answer = await fetch(`${bell}?after=${latest}&seen=${unread}`, { headers: { 'HX-Request': 'true' } });
      if (answer.status === 200) {
        const told = await answer.json();
        channel.postMessage({ told });
        take(told);
        showUnseen(told.news);
      }
    } catch {
      // No connection: the stream opens again or the next poll comes, and what was missed is asked for then.
    } finally {
      busy = false;
      if (again) { again = false; ask(); }
    }
  }

  const soon = () => setTimeout(ask, Math.random() * JITTER_MS);

  channel.onmessage = ({ data }) => {
    if (data.told) take(data.told);
    if (data.looks === 'who' && !document.hidden) channel.postMessage({ looks: 'here' });
    if (data.looks === 'here') looking = true;
  };
  // What this page shows is newer than what other tabs do, where something was read on the way here.
  channel.postMessage({ told: { unread, latest, news: [] } });

  function lead() {
    asks = true;
    if (heard > latest) ask();
    setInterval(() => { if (failures >= FAILURES_BEFORE_POLLING) ask(); }, POLL_MS);
    document.addEventListener('visibilitychange', () => { if (!document.hidden) soon(); });
  }

  if (navigator.locks) navigator.locks.request(`bell:${person}`, () => new Promise(() => lead()));
  else lead();
  window.addEventListener('pageshow', (event) => { if (event.persisted) soon(); });
  if (dataset.liveMode !== 'poll') {
    join(dataset.liveStream, (message) => {
      if ('failures' in message) failures = message.failures;
      if (message.event === 'n' && message.about === person) {
        heard = Math.max(heard, message.seq);
        if (asks && heard > latest) soon();
      } else if (message.about === '*' && asks) soon();
    });
  }
}

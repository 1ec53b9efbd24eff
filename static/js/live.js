// Live pages: signal, then pull.
//
// <… data-live="/runbooks/7" data-live-id="7" data-seq="41" data-live-mode="sse|poll">
//
// The stream (/live, or data-live-stream; stream.js) carries `event: v`, `data: <runbook id>:<seq>`. A page that hears
// of its own id asks <data-live>/changes?since=<seq> after 0 to 250 ms and gets 204, or out-of-band fragments and
// the header X-Seq. Where many watch, X-Wait has the page let so many ms pass before a signal makes it ask again. The cursor lives in the page, so a missed or repeated signal loses and repeats nothing.
// data-live-id defaults to the last part of data-live; "*" hears every id. #conn shows how things stand.

import { fitting } from './pieces.js';
import { join } from './stream.js';

const JITTER_MS = 250;
const POLL_MS = 5000;
const FAILURES_BEFORE_POLLING = 4;
// After a sleep, or behind a router that forgot it, a connection may be dead without a word.
const PULL_WITHIN_MS = 15000;
// Whatever the server says: a page that waits longer would look as if it stood still.
const MOST_WAIT_MS = 2000;

const NO_CONNECTION = 'No connection. Trying again…';

const page = document.querySelector('[data-live]');
if (page) follow(page);

function troubleOf({ ok, status }) {
  if (ok) return '';
  return status === 403 || status === 404 ? 'Out of your sight now. Reload the page.' : NO_CONNECTION;
}

function follow(root) {
  const base = root.dataset.live;
  const id = root.dataset.liveId ?? base.split('/').at(-1);
  const stream = root.dataset.liveStream ?? '/live';
  const polling = root.dataset.liveMode === 'poll';
  let seq = Number(root.dataset.seq ?? 0);
  let busy = false;
  let again = false;
  let failures = 0;
  let notBefore = 0; // on the clock of performance.now()
  let planned = 0; // the timer of the next pull
  let trouble = ''; // why the last pull brought nothing

  function say(state, text) {
    const label = document.getElementById('conn');
    if (!label || (label.dataset.s === state && label.textContent === text)) return;
    label.dataset.s = state;
    label.textContent = text;
  }

  function report() {
    if (trouble) say('retry', trouble);
    else if (polling || failures >= FAILURES_BEFORE_POLLING) say('off', 'Updating every 5 s');
    else if (failures) say('retry', 'Reconnecting…');
    else say('ok', 'Live');
  }

  function obey(headers) {
    const where = headers.get('HX-Redirect');
    if (where) window.location.assign(where);
    else if (headers.get('HX-Refresh') === 'true') window.location.reload();
    else return false;
    return true;
  }

  function announce(headers) {
    const triggers = headers.get('HX-Trigger');
    if (!triggers?.startsWith('{')) return;
    for (const [name, detail] of Object.entries(JSON.parse(triggers))) {
      document.body.dispatchEvent(new CustomEvent(name, { detail }));
    }
  }

  async function pull() {
    if (busy) { again = true; return; }
    busy = true;
    const asked = window.location.href;
    const { zone, otherZone } = document.documentElement.dataset;
    const patience = new AbortController();
    const late = setTimeout(() => patience.abort(), PULL_WITHIN_MS);
    try {
      const answer = await fetch(`${base}/changes?since=${seq}`, {
        signal: patience.signal,
        headers: { 'HX-Request': 'true', 'HX-Current-URL': window.location.href, 'X-Zone': `${zone} ${otherZone}` },
      });
      if (obey(answer.headers)) return;
      notBefore = performance.now() + Math.min(Number(answer.headers.get('X-Wait') ?? 0), MOST_WAIT_MS);
      trouble = troubleOf(answer);
      if (answer.status === 200) {
        const html = await answer.text();
        if (window.location.href !== asked) { again = true; return; } // it is about a panel that is no longer open
        seq = Number(answer.headers.get('X-Seq') ?? seq);
        htmx.swap(document.body, fitting(html), { swapStyle: 'none' });
        drawStates();
        announce(answer.headers);
        document.body.dispatchEvent(new CustomEvent('pulled', { detail: { seq } }));
      }
    } catch {
      trouble = NO_CONNECTION;
    } finally {
      clearTimeout(late);
      report();
      busy = false;
      if (again) { again = false; pullSoon(0); }
    }
  }

  // One pull for all that is heard until then, when it is this page's turn.
  function pullSoon(pause) {
    planned ||= setTimeout(() => { planned = 0; pull(); }, Math.max(pause, notBefore - performance.now()));
  }

  // A panel that was asked for before the last pull and came after it may be the older of the two.
  document.body.addEventListener('htmx:afterSwap', ({ detail }) => {
    const shown = Number(detail.xhr?.getResponseHeader('X-Seq') ?? Infinity);
    if (shown < seq) { seq = shown; pull(); }
  });

  // One signal for each page that it concerns; Infinity means "something may have been missed".
  function hear(message) {
    if ('failures' in message) { failures = message.failures; report(); }
    if ('about' in message && message.event !== 'n' && (id === '*' || message.about === '*' || message.about === id)) {
      if (id === '*' || message.seq > seq) pullSoon(Math.random() * JITTER_MS);
    }
  }

  setInterval(() => {
    if (!document.hidden && (polling || trouble || failures >= FAILURES_BEFORE_POLLING)) pull();
  }, POLL_MS);
  document.addEventListener('visibilitychange', () => { if (!document.hidden) pull(); });
  // Leaving a page that came from the back-forward cache: its stream is gone and its cursor old.
  window.addEventListener('pageshow', (event) => { if (event.persisted) pull(); });
  report();
  if (!polling) join(stream, hear);
}

// SVG children cannot be swapped out of band (they land in the HTML namespace), so #states carries
// data-states="118:run,121:done" and the drawn nodes get that class.
function drawStates() {
  const states = document.getElementById('states')?.dataset.states;
  if (!states) return;
  for (const pair of states.split(',')) {
    const [task, state] = pair.split(':');
    for (const node of document.querySelectorAll(`svg [data-task="${CSS.escape(task)}"]`)) {
      node.classList.remove('todo', 'ready', 'run', 'done', 'fail', 'skip');
      node.classList.add(state);
    }
  }
}

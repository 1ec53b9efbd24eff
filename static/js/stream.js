// The stream of signals (/live), one for all tabs of a browser.
//
// join(address, hear) has `hear` called with each signal, { event, about, seq }, and with { failures } in a row, 0 once the
// stream is open. Whenever something may have been missed, a signal is about '*', with seq Infinity.
//
// Browsers allow six HTTP/1.1 connections to a host, so one tab holds the stream for all of them: it owns the
// Web Lock and passes on what it hears. When it closes, the lock goes to another tab.

const LONGEST_WAIT_S = 30;
const LOOK_MS = 5000;
const SILENCE_MS = 40000; // the stream beats every 15 s
const EVENTS = ['v', 'n'];

const joined = new Map();

export function join(address, hear) {
  if (!joined.has(address)) joined.set(address, share(address));
  joined.get(address).push(hear);
}

function share(address) {
  const hearers = [];
  const channel = new BroadcastChannel(`live:${address}`);
  const spread = (message) => { for (const hear of hearers) hear(message); };
  const tell = (message) => { channel.postMessage(message); spread(message); };
  let count; // of the holder's failures in a row; undefined in the tabs that only listen
  channel.onmessage = ({ data }) => {
    if (data.how && count !== undefined) channel.postMessage({ failures: count });
    spread(data);
  };

  function open() {
    count ??= 0;
    let heardAt = Date.now();
    const source = new EventSource(address);
    source.addEventListener('beat', () => { heardAt = Date.now(); });
    for (const name of EVENTS) {
      source.addEventListener(name, ({ data }) => {
        heardAt = Date.now();
        const [about, number] = data.split(':');
        tell({ event: name, about, seq: Number(number) });
      });
    }
    source.onopen = () => { count = 0; tell({ failures: 0, about: '*', seq: Infinity }); };
    const watch = setInterval(() => { if (Date.now() - heardAt > SILENCE_MS) source.onerror(); }, LOOK_MS);
    source.onerror = () => {
      source.close();
      clearInterval(watch);
      count += 1;
      tell({ failures: count });
      const seconds = Math.min(LONGEST_WAIT_S, 2 ** count) * (0.25 + Math.random() / 4);
      setTimeout(open, seconds * 1000);
    };
  }

  const hold = () => new Promise(() => open());
  channel.postMessage({ how: true }); // how does the stream stand, asks a tab that comes later
  if (navigator.locks) navigator.locks.request(`live:${address}`, hold);
  else hold();
  return hearers;
}

// When tasks start as planned. A change of one task moves all that come after it, far more than are sent as rows, so
// #starts data-starts="12:+45m,13:1764320400" comes with each change and is written into the rows here: a distance from
// the start, or seconds since 1970 where the start of the runbook is known.

const there = new Intl.DateTimeFormat('en-GB', {
  timeZone: document.documentElement.dataset.zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23',
});

function clock(seconds) {
  const time = document.createElement('time');
  const moment = new Date(seconds * 1000);
  time.dateTime = moment.toISOString();
  time.dataset.when = 'time';
  time.textContent = there.format(moment);
  return time;
}

// A start that somebody set stays; what cannot start by then says from when it can.
function warn(place, seconds) {
  const late = Number.isFinite(seconds) && seconds > Number(place.dataset.own);
  const said = place.querySelector('small');
  if (!late) { said?.remove(); return; }
  const words = said ?? Object.assign(document.createElement('small'), { className: 'late' });
  words.replaceChildren('not before ', clock(seconds));
  if (!said) place.append(words);
}

function write(place, value) {
  const seconds = value.startsWith('+') ? NaN : Number(value);
  if ('own' in place.dataset) warn(place, seconds);
  else if (Number.isFinite(seconds)) place.replaceChildren(clock(seconds));
  else place.replaceChildren(value);
}

function writeAll() {
  const piece = document.getElementById('starts');
  const written = piece?.dataset.starts;
  if (!written) return;
  delete piece.dataset.starts;
  for (const pair of written.split(',')) {
    const [number, value] = pair.split(':');
    for (const place of document.getElementById(`t-${number}`)?.querySelectorAll('.start') ?? []) {
      if (place.dataset.value !== value) write(place, value);
      place.dataset.value = value;
    }
  }
}

document.body.addEventListener('pulled', writeAll);
document.body.addEventListener('htmx:afterRequest', writeAll);

// What of an answer's out-of-band pieces this page can take, and how it takes them with the least disturbance.
//
// A piece without a place is left out. htmx calls it an error, but a row may be missing for a good reason: the page's
// filter hides it, or an earlier answer brought the same news. So is a piece of another task than the one that is open
// by now (data-of): in its place, people would type into the wrong task.
//
// A row that was placed arrives as its removal and its insertion. Where it already stands in that place (the page's own
// answer came before the signal), it is morphed instead: a new node would lose a click under way.
export function fitting(html) {
  const sent = document.createElement('template');
  sent.innerHTML = html;
  for (const piece of sent.content.querySelectorAll('[hx-swap-oob*=":#"]')) {
    const row = piece.firstElementChild;
    if (!row || !stands(row.id, ...piece.getAttribute('hx-swap-oob').split(':#'))) continue;
    sent.content.querySelector(`#${CSS.escape(row.id)}[hx-swap-oob="delete"]`)?.remove();
    piece.removeAttribute('hx-swap-oob');
    row.setAttribute('hx-swap-oob', 'morph');
  }
  for (const piece of sent.content.querySelectorAll('[hx-swap-oob][data-of]')) {
    if (document.getElementById(piece.id)?.dataset.of !== piece.dataset.of) piece.remove();
  }
  for (const piece of sent.content.querySelectorAll('[hx-swap-oob]')) {
    const names = piece.getAttribute('hx-swap-oob').includes(':'); // may name a place that comes with this answer
    if (!names && !document.getElementById(piece.id)) piece.remove();
  }
  return sent.innerHTML;
}

function stands(id, how, place) {
  const found = document.getElementById(id);
  const previous = found?.previousElementSibling;
  if (how === 'afterend') return previous?.id === place;
  return found !== null && !previous && found.parentElement.id === place;
}

// Out-of-band pieces that this page has a place for. htmx calls every other one an error, but a row may be missing for a
// good reason: the page's filter hides it, or an earlier answer brought the same news.
export function fitting(html) {
  const sent = document.createElement('template');
  sent.innerHTML = html;
  for (const piece of sent.content.querySelectorAll('[hx-swap-oob]')) {
    const names = piece.getAttribute('hx-swap-oob').includes(':'); // may name a place that comes with this answer
    if (!names && !document.getElementById(piece.id)) piece.remove();
  }
  return sent.innerHTML;
}

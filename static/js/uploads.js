// A file that is too large is refused before it is sent: data-most-bytes, and the sentence in data-too-large.

function complaint(input) {
  const limit = Number(input.dataset.mostBytes);
  return [...(input.files ?? [])].some((file) => file.size > limit) ? input.dataset.tooLarge : '';
}

function show(input) {
  const text = complaint(input);
  const id = `${input.id}-size`;
  let place = document.getElementById(id);
  if (!text) {
    place?.remove();
    input.removeAttribute('aria-invalid');
    return false;
  }
  if (!place) {
    place = document.createElement('span');
    place.id = id;
    place.className = 'err';
    place.setAttribute('role', 'alert');
    input.after(place);
  }
  place.textContent = text;
  input.setAttribute('aria-invalid', 'true');
  return true;
}

document.addEventListener('change', (event) => {
  if (event.target.matches?.('input[type="file"][data-most-bytes]')) show(event.target);
});

// Before forms.js sees it, which would take the form for sent.
document.addEventListener(
  'submit',
  (event) => {
    for (const input of event.target.querySelectorAll('input[type="file"][data-most-bytes]')) {
      if (!show(input)) continue;
      event.preventDefault();
      event.stopPropagation();
      input.focus();
    }
  },
  true,
);

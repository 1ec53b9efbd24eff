// Dialogs and sheets.
//
// data-open-dialog="#id"   on a link or button: opens that dialog (a link's href serves people without scripts)
// data-close-dialog        closes the dialog around it
// data-autoopen            on a <dialog open>: shown as a modal at once, also when htmx brings it
// data-close               a link that closes a dialog or sheet with its own address; Esc goes where it goes.
//                          It leaves unsaved input only after asking
// data-close-href="/…"     on the dialog or sheet, where Esc should go elsewhere

const dirtyForm = (within) => within.querySelector('form[data-guard][data-dirty]');

function leave(box, go) {
  const form = box && dirtyForm(box);
  if (!form) return go();
  const detail = {
    question: 'Discard your changes?',
    text: 'What you typed here has not been saved.',
    verb: 'Discard',
    tone: 'danger',
    then: () => { delete form.dataset.dirty; form.removeAttribute('data-dirty'); go(); },
  };
  document.dispatchEvent(new CustomEvent('ask', { detail }));
}

const wayOut = (box) => box.dataset.closeHref ?? box.querySelector('a[data-close]')?.href;

function close(box) {
  const href = wayOut(box);
  leave(box, () => {
    if (href) window.location.assign(href);
    else box.close();
  });
}

function autoopen(root) {
  const found = [...root.querySelectorAll('dialog[data-autoopen]')];
  if (root.matches?.('dialog[data-autoopen]')) found.unshift(root);
  for (const dialog of found) {
    if (dialog.matches(':modal')) continue;
    dialog.removeAttribute('open'); // close() would send a close event and navigate
    dialog.showModal();
  }
}

document.addEventListener('click', (event) => {
  const opener = event.target.closest('[data-open-dialog]');
  if (opener && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    const dialog = document.querySelector(opener.dataset.openDialog);
    if (dialog) {
      event.preventDefault();
      opener.closest('[popover]:popover-open')?.hidePopover();
      if (!dialog.open) dialog.showModal();
    }
    return;
  }
  const closer = event.target.closest('[data-close-dialog]');
  if (closer) { close(closer.closest('dialog')); return; }
  const link = event.target.closest('a[data-close]');
  if (link) {
    const box = link.closest('dialog, .sheet') ?? document;
    if (dirtyForm(box)) {
      event.preventDefault();
      leave(box, () => window.location.assign(link.href));
    }
  }
});

// Esc: a dialog gets `cancel`; a sheet is not modal, so keyboard.js sends Esc here as `dismiss`.
document.addEventListener('cancel', (event) => {
  const dialog = event.target;
  if (dialog.matches?.('dialog') && (wayOut(dialog) || dirtyForm(dialog))) {
    event.preventDefault();
    close(dialog);
  }
}, true);
document.addEventListener('dismiss', (event) => close(event.target));

document.body.addEventListener('htmx:load', (event) => autoopen(event.detail.elt));
autoopen(document);

// data-copy="text" or data-copy-from="#id" puts text on the clipboard; data-insert="text" writes it into a field:
// data-insert-into="#id", or else the [data-insertable] field that last had the focus.

const TELL_MS = 1600;

async function copy(text) {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  const box = document.createElement('textarea'); // plain http on another host has no clipboard API
  box.value = text;
  box.className = 'sr';
  (document.querySelector('dialog:modal') ?? document.body).append(box);
  box.select();
  const done = document.execCommand('copy');
  box.remove();
  if (!done) throw new Error('the browser refused to copy');
  return undefined;
}

function tell(button) {
  const label = button.querySelector('[data-copy-label]');
  document.body.dispatchEvent(new CustomEvent('say', { detail: 'Copied' }));
  if (!label) {
    document.body.dispatchEvent(new CustomEvent('toast', { detail: { kind: 'ok', text: 'Copied.' } }));
    return;
  }
  const before = label.textContent;
  if (before === 'Copied') return;
  label.textContent = 'Copied';
  setTimeout(() => { label.textContent = before; }, TELL_MS);
}

let lastField = null;
document.addEventListener('focusin', (event) => {
  if (event.target.matches?.('[data-insertable]')) lastField = event.target;
});

function insert(field, text) {
  field.focus();
  const [from, to] = [field.selectionStart ?? field.value.length, field.selectionEnd ?? field.value.length];
  field.setRangeText(text, from, to, 'end');
  field.dispatchEvent(new Event('input', { bubbles: true }));
  field.dispatchEvent(new Event('change', { bubbles: true }));
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-copy], [data-copy-from]');
  if (button) {
    const source = button.dataset.copyFrom && document.querySelector(button.dataset.copyFrom);
    copy(source ? source.value ?? source.textContent : button.dataset.copy).then(() => tell(button), () => {
      const detail = { kind: 'bad', text: 'The browser did not allow copying. Select the text and copy it yourself.' };
      document.body.dispatchEvent(new CustomEvent('toast', { detail }));
    });
    return;
  }
  const inserter = event.target.closest('[data-insert]');
  if (!inserter) return;
  const wanted = inserter.dataset.insertInto && document.querySelector(inserter.dataset.insertInto);
  const field = wanted || (lastField?.isConnected ? lastField : document.querySelector('[data-insertable]'));
  if (field) insert(field, inserter.dataset.insert);
});

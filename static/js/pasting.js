// Several lines that are pasted into the row for new tasks become a task each, in one request.

document.addEventListener('paste', (event) => {
  const input = event.target;
  if (!input.matches?.('.addrow input[name=title]')) return;
  const text = event.clipboardData.getData('text/plain').trim();
  if (!/[\r\n]/.test(text)) return;
  event.preventDefault();
  const { form } = input;
  const values = { titles: text, stream_id: form.elements.stream_id.value };
  htmx.ajax('POST', form.action, { source: input, target: input, swap: 'none', values }).catch(() => {}); // toasts.js says it
});

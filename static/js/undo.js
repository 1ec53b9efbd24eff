// Ctrl+Z undoes one's last change of the plan and Ctrl+Shift+Z redoes it, by the buttons of the page. Inside a field the
// browser undoes what was typed.

document.addEventListener('keydown', (event) => {
  if (event.defaultPrevented || !(event.ctrlKey || event.metaKey) || event.altKey) return;
  if (event.key.toLowerCase() !== 'z') return;
  if (event.target.closest?.('input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]')) return;
  if (document.querySelector('dialog:modal, [popover]:popover-open')) return;
  const button = document.getElementById(event.shiftKey ? 'redo-last' : 'undo-last');
  if (!button) return;
  event.preventDefault();
  if (!button.disabled) button.click();
});

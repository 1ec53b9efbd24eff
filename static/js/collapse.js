// data-collapse="#id" on a button folds that element away; aria-expanded says how it stands.

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-collapse]');
  const body = button && document.querySelector(button.dataset.collapse);
  if (!body) return;
  body.hidden = !body.hidden;
  button.setAttribute('aria-expanded', String(!body.hidden));
});

// Asking before something is done: data-confirm="Archive Slack?" data-confirm-verb="Archive", with
// data-confirm-detail and data-confirm-tone="danger" where wanted, on a button, a link or a form, whether it is
// sent by htmx or by the browser. Scripts ask with the event `ask` {question, text, verb, tone, then}.

const dialog = document.getElementById('confirm');
const [title, text, yes] = ['[data-confirm-title]', '[data-confirm-text]', '[data-confirm-answer=yes]'].map((each) =>
  dialog.querySelector(each));
let whenYes = null;

function ask({ question, text: detail = '', verb = 'Continue', tone = '', then }) {
  title.textContent = question;
  text.textContent = detail;
  text.hidden = !detail;
  yes.textContent = verb;
  yes.classList.toggle('danger', tone === 'danger');
  whenYes = then;
  dialog.showModal();
  dialog.querySelector('[data-confirm-answer=no]').focus();
}

const words = (element) => ({
  question: element.dataset.confirm,
  text: element.dataset.confirmDetail,
  verb: element.dataset.confirmVerb,
  tone: element.dataset.confirmTone,
});

dialog.addEventListener('click', (event) => {
  const answer = event.target.closest('[data-confirm-answer]');
  if (!answer) return;
  const then = answer.dataset.confirmAnswer === 'yes' ? whenYes : null;
  whenYes = null;
  dialog.close();
  then?.();
});
document.addEventListener('ask', (event) => ask(event.detail));

// htmx fires this before every request, its own hx-confirm or not.
document.body.addEventListener('htmx:confirm', (event) => {
  const submitter = event.detail.triggeringEvent?.submitter;
  const element = submitter?.matches('[data-confirm]') ? submitter : event.detail.elt;
  if (!element.matches('[data-confirm]')) return;
  event.preventDefault();
  ask({ ...words(element), then: () => event.detail.issueRequest(true) });
});

const viaHtmx = (element) => element.matches('[hx-get], [hx-post], [hx-put], [hx-patch], [hx-delete]');
const agreed = new WeakSet();

document.addEventListener('submit', (event) => {
  const form = event.target;
  const { submitter } = event;
  const element = submitter?.matches('[data-confirm]') ? submitter : form;
  if (!element.matches('[data-confirm]') || viaHtmx(form) || (submitter && viaHtmx(submitter))) return;
  if (agreed.delete(form)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  ask({ ...words(element), then: () => { agreed.add(form); form.requestSubmit(submitter); } });
}, true);

document.addEventListener('click', (event) => {
  const link = event.target.closest('a[data-confirm]');
  if (!link || viaHtmx(link)) return;
  event.preventDefault();
  ask({ ...words(link), then: () => window.location.assign(link.href) });
});

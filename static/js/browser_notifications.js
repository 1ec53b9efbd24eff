// Notifications that the browser shows while nobody looks at the page: on where the person pressed the button of
// [data-browser-notifications] in this browser, which is what asks for the browser's permission. It is never asked else.

const keyOf = (person) => `browser-notifications:${person}`;
const supported = () => 'Notification' in window && window.isSecureContext;
const wanted = (person) => localStorage.getItem(keyOf(person)) === 'on';

export const canShow = (person) => supported() && wanted(person) && Notification.permission === 'granted';

// A click brings the tab to the front and opens what the notification is about, by the form that toasts use.
function opened(address) {
  window.focus();
  const form = document.getElementById('bell-toast').content.firstElementChild.cloneNode(true);
  form.action = address;
  form.hidden = true;
  document.body.append(form);
  form.requestSubmit();
}

export function showIn({ id, text, open }) {
  try {
    const shown = new Notification('Runsheet', { body: text, tag: `runsheet-${id}` });
    shown.addEventListener('click', () => { shown.close(); opened(open); });
  } catch {
    // Some phones know the interface and refuse this use of it: the bell has it all.
  }
}

const card = document.querySelector('[data-browser-notifications]');
const me = document.querySelector('[data-bell]')?.dataset.person;
if (card && me) settle();

function settle() {
  const says = card.querySelector('[data-says]');
  const button = (turn) => card.querySelector(`[data-turn="${turn}"]`);
  const [text, offers] = standing();
  says.textContent = text;
  for (const turn of ['on', 'off']) button(turn).hidden = offers !== turn;
}

function standing() {
  if (!('Notification' in window)) return ['This browser cannot show notifications. The bell shows them all.', ''];
  if (!window.isSecureContext) return ['Browsers show notifications only of sites that are opened over https, and this one is not.', ''];
  if (Notification.permission === 'denied') {
    return ['This browser refuses notifications of this site. Allow them in its settings for this site, then reload the page.', ''];
  }
  if (canShow(me)) return ['On. This browser shows what comes while you look elsewhere.', 'off'];
  return ['Off. The browser asks you for permission when you press the button.', 'on'];
}

card?.addEventListener('click', async (event) => {
  const turn = event.target.closest('[data-turn]')?.dataset.turn;
  if (turn === 'on') {
    localStorage.setItem(keyOf(me), 'on');
    if (Notification.permission === 'default') await Notification.requestPermission();
    if (Notification.permission !== 'granted') localStorage.removeItem(keyOf(me));
  } else if (turn === 'off') localStorage.removeItem(keyOf(me));
  if (turn) settle();
});

// "Light or dark": flips what is seen now, at once, and tells the server, whose answer sets the cookie.

const root = document.documentElement;
const isDark = () => root.dataset.theme === 'dark'
  || (root.dataset.theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);

document.addEventListener('submit', (event) => {
  const form = event.target.closest('[data-theme-form]');
  if (!form) return;
  event.preventDefault();
  root.dataset.theme = isDark() ? 'light' : 'dark';
  const secure = location.protocol === 'https:' ? ';Secure' : '';
  document.cookie = `theme=${root.dataset.theme};path=/;SameSite=Lax;max-age=31536000${secure}`;
  const body = new FormData(form);
  body.set('theme', root.dataset.theme);
  fetch(form.action, { method: 'POST', body, redirect: 'manual' });
});

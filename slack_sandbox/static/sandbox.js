/* Messages as they arrive, switches that hold at once, local times, Copy and Show. Every page works without it. */
(() => {
  "use strict";
  const EVERY = 600; // milliseconds between two looks for new messages
  const HIDDEN = 5000;

  const localiseTimes = (root) => {
    const today = new Date().toDateString();
    for (const element of root.querySelectorAll("time[datetime]")) {
      const at = new Date(element.dateTime);
      const clock = at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
      const day = at.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
      element.textContent = at.toDateString() === today ? clock : `${day}, ${clock}`;
      element.title = at.toLocaleString("en-GB", { dateStyle: "full", timeStyle: "medium" });
    }
  };

  const show = (element, html) => {
    if (element && element.dataset.shown !== html) {
      element.dataset.shown = html;
      element.innerHTML = html;
    }
  };

  const watch = (list) => {
    const scroll = document.querySelector("[data-scroll]");
    const empty = document.querySelector("[data-empty]");
    const banner = document.getElementById("banner");
    const epoch = Number(list.dataset.epoch);
    const seen = new Map();
    let revision = Number(list.dataset.revision);

    const toEnd = () => { scroll.scrollTop = scroll.scrollHeight; };
    const place = ({ id, html }) => {
      const holder = document.createElement("template");
      holder.innerHTML = html;
      const item = holder.content.firstElementChild;
      localiseTimes(item);
      const known = document.getElementById(id);
      if (known) known.replaceWith(item);
      else { item.classList.add("message-new"); list.append(item); }
    };
    const count = (counts) => {
      for (const link of document.querySelectorAll("[data-channel]")) {
        const now = counts[link.dataset.channel] || 0;
        const before = seen.get(link.dataset.channel);
        if (before !== undefined && now > before && !link.hasAttribute("aria-current")) link.classList.add("nav-new");
        seen.set(link.dataset.channel, now);
        link.querySelector("[data-count]").textContent = now || "";
      }
    };
    const look = async () => {
      try {
        const answer = await fetch(`${list.dataset.updates}?after=${revision}`);
        if (answer.ok) {
          const news = await answer.json();
          if (news.epoch !== epoch) { location.reload(); return; }
          const atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
          news.messages.forEach(place);
          if (news.messages.length) { empty.hidden = true; if (atEnd) toEnd(); }
          if (news.revision !== null) revision = news.revision;
          count(news.counts);
          show(banner, news.banner);
          document.body.classList.remove("cut-off");
        }
      } catch { document.body.classList.add("cut-off"); }
      setTimeout(look, document.hidden ? HIDDEN : EVERY);
    };
    if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView({ block: "center" });
    else toEnd();
    look();
  };

  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("[data-panel-form]");
    const panel = document.getElementById("panel");
    if (!form || !panel) return;
    event.preventDefault();
    const focused = document.activeElement?.id;
    const answer = await fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(new FormData(form, event.submitter)),
      headers: { "X-Wanted": "panel" },
    });
    if (!answer.ok) return;
    const news = await answer.json();
    panel.innerHTML = news.panel;
    show(document.getElementById("banner"), news.banner);
    if (focused) document.getElementById(focused)?.focus();
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-saves]")) event.target.form.requestSubmit();
  });

  document.addEventListener("click", async (event) => {
    const copy = event.target.closest("[data-copy]");
    if (copy) {
      const source = document.getElementById(copy.dataset.copy);
      const words = copy.querySelector("span");
      try { await navigator.clipboard.writeText(source.value); words.textContent = "Copied"; }
      catch { source.type = "text"; source.select(); words.textContent = "Press Ctrl+C"; }
      setTimeout(() => { words.textContent = "Copy"; }, 2000);
    }
    const reveal = event.target.closest("[data-show]");
    if (reveal) {
      const source = document.getElementById(reveal.dataset.show);
      const hidden = source.type === "password";
      source.type = hidden ? "text" : "password";
      reveal.textContent = hidden ? "Hide" : "Show";
      reveal.setAttribute("aria-pressed", String(hidden));
    }
  });

  localiseTimes(document);
  const list = document.querySelector("[data-updates]");
  if (list) watch(list);
})();

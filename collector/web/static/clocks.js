// Clocks that run: what is left of an alert, how long ago, when the vault locks.
"use strict";
(() => {
  const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
  let locksAt = 0;

  const two = (number) => String(number).padStart(2, "0");
  const minutes = (ms) => {
    const seconds = Math.max(0, Math.floor(ms / SECOND));
    return `${Math.floor(seconds / 60)}:${two(seconds % 60)}`;
  };

  function left(ms) {
    if (ms < 0) return "overdue";
    if (ms < 10 * MINUTE) return minutes(ms);
    if (ms < 2 * HOUR) return `${Math.floor(ms / MINUTE)} min`;
    return `${Math.floor(ms / HOUR)} h`;
  }

  function ago(ms) {
    if (ms < MINUTE) return "just now";
    if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min ago`;
    return "";
  }

  function say(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  function due(element, now) {
    const rest = Number(element.dataset.due) / 1000 - now;
    if (!element.dataset.words) say(element, rest < 0 ? "overdue" : `${left(rest)} left`);
    else if (rest < 0) say(element, `overdue since ${moment(Number(element.dataset.due) / 1000, now)}`);
    else say(element, `answer within ${left(rest)}`);
  }

  function moment(at, now) {
    const then = new Date(at), clock = `${two(then.getHours())}:${two(then.getMinutes())}`;
    if (then.toDateString() === new Date(now).toDateString()) return clock;
    const week = now - at < 6 * DAY && now > at;
    const day = week ? { weekday: "short" } : { day: "numeric", month: "short" };
    return `${then.toLocaleDateString("en-GB", day)} ${clock}`;
  }

  function tick() {
    const now = Date.now();
    for (const element of document.querySelectorAll("[data-due]")) due(element, now);
    for (const element of document.querySelectorAll("[data-at]")) {
      const at = Number(element.dataset.at) / 1000;
      say(element, ago(now - at) || moment(at, now));
    }
    if (!locksAt) return;
    const shown = document.querySelector("[data-vault]");
    if (shown) say(shown, minutes(locksAt - now));
    // What was opened must not stay on the screen of a locked vault.
    if (now >= locksAt) window.location.reload();
  }

  function vault(seconds) {
    locksAt = seconds > 0 ? Date.now() + seconds * SECOND : 0;
  }

  document.addEventListener("htmx:afterRequest", (event) => {
    const seconds = event.detail.xhr && event.detail.xhr.getResponseHeader("x-vault-left");
    if (seconds === null || seconds === undefined) return;
    if (locksAt && Number(seconds) === 0) window.location.reload();
    vault(Number(seconds));
  });
  document.addEventListener("htmx:afterSwap", tick);
  document.addEventListener("redshank:rows", tick);
  vault(Number(document.body.dataset.left || 0));
  // Locked or signed out on one page: what is open on the others goes too.
  const others = new BroadcastChannel("redshank-vault");
  others.onmessage = () => locksAt && window.location.reload();
  if (!locksAt) others.postMessage("locked");
  // A page kept by the browser must not come back with what was opened on it.
  window.addEventListener("pageshow", (event) => event.persisted && window.location.reload());
  tick();
  setInterval(tick, SECOND);
})();

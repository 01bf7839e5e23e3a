// The live list: rows arrive by themselves, in their sorted place, and nothing moves
// while somebody reads.
"use strict";
(() => {
  const SILENT = 25000, AGAIN = 3000, TOGETHER = 150;
  const list = document.getElementById("list"), rows = document.getElementById("rows");
  const pill = document.getElementById("live"), held = document.getElementById("held");
  const said = document.getElementById("said"), pane = document.getElementById("pane");
  const waiting = new Map(), names = new Map();
  let since = Number(list.dataset.change), source = null, heard = 0, asking = 0, ended = false;

  function state(name, words) {
    pill.dataset.state = name;
    const text = pill.lastElementChild;
    if (text.textContent !== words) text.textContent = words;
  }

  function parse(html) {
    const holder = document.createElement("template");
    holder.innerHTML = html;
    return holder.content.firstElementChild;
  }

  // Somebody reads the list: it is scrolled, or the keyboard is in it.
  function reading() {
    const page = document.scrollingElement;
    const scrolled = list.scrollTop > 0 || (getComputedStyle(list).overflowY !== "auto" && page.scrollTop > 0);
    return scrolled || rows.contains(document.activeElement);
  }

  function place(row) {
    for (const other of rows.children) {
      // The row's own older form is about to go: nothing can be put before it.
      if (other.id !== row.id && other.dataset.order > row.dataset.order) return other;
    }
    return null;
  }

  function fill(row) {
    for (const who of row.querySelectorAll("[data-who]")) {
      const name = names.get(who.dataset.who);
      if (name === undefined) continue;
      const isolate = document.createElement("bdi");
      isolate.textContent = name;
      who.replaceChildren(isolate);
      who.removeAttribute("data-who");
    }
  }

  function put(row) {
    const old = document.getElementById(row.id);
    if (old && Number(old.dataset.change) >= Number(row.dataset.change)) return;
    if (row.dataset.state === "false_alarm") {
      if (old) old.remove();
      return;
    }
    if (old && old.querySelector("a[aria-current]")) row.querySelector("a").setAttribute("aria-current", "true");
    fill(row);
    if (!old) row.classList.add("new");
    const before = place(row);
    if (old && old.nextElementSibling === before) old.replaceWith(row);
    else {
      rows.insertBefore(row, before);
      if (old) old.remove();
    }
    // Its links work without; so the row is painted first.
    setTimeout(() => htmx.process(row));
  }

  // A row that stays where it is may change under a reader; one that moves may not.
  function update(row) {
    const old = document.getElementById(row.id);
    const stays = old && row.dataset.state !== "false_alarm" && place(row) === old.nextElementSibling;
    if (!stays || old.contains(document.activeElement)) return false;
    put(row);
    return true;
  }

  function show() {
    const arrived = [...waiting.values()];
    waiting.clear();
    held.hidden = true;
    for (const row of arrived) put(row);
    after();
  }

  function after() {
    const open = rows.querySelectorAll('[data-state="open"]').length;
    document.getElementById("count").textContent = `${open} open`;
    document.getElementById("empty").hidden = rows.children.length > 0;
    document.dispatchEvent(new Event("redshank:rows"));
    if (Number(document.body.dataset.left) > 0 && rows.querySelector("[data-who]") && !asking) {
      asking = setTimeout(ask, TOGETHER);
    }
  }

  async function ask() {
    const wanted = [...new Set([...rows.querySelectorAll("[data-who]")].map((who) => who.dataset.who))];
    try {
      const unknown = wanted.filter((pseudonym) => !names.has(pseudonym)).slice(0, 200);
      if (unknown.length) {
        const answer = await post(unknown);
        if (answer.ok) for (const [who, name] of Object.entries(await answer.json())) names.set(who, name);
      }
      for (const row of rows.children) fill(row);
    } catch (error) {
      // The list stands without names; the next row asks again.
    } finally {
      asking = 0;
    }
  }

  function stale(row) {
    const article = pane.querySelector("[data-alert]");
    if (!article || row.id !== `alert-${article.dataset.alert}`) return;
    if (Number(row.dataset.change) > Number(article.dataset.change)) {
      article.querySelector("[data-stale]").hidden = false;
    }
  }

  function arrive(event) {
    live();
    since = Math.max(since, Number(event.lastEventId));
    const row = parse(event.data);
    if (!row) return;
    const known = document.getElementById(row.id);
    if (reading() && !update(row)) {
      if (!known && row.dataset.state === "false_alarm") return;
      waiting.set(row.id, row);
      const count = waiting.size;
      held.textContent = count === 1 ? `1 alert is new or changed: show it` : `${count} alerts are new or changed: show them`;
      held.hidden = false;
    } else {
      put(row);
      after();
    }
    stale(row);
    if (!known && row.dataset.state === "open") said.textContent = `New alert: ${row.dataset.label}`;
  }

  function live() {
    heard = Date.now();
    state("on", "live");
  }

  function lost() {
    if (!ended) state("off", "connection lost, trying again");
  }

  function connect() {
    if (source) source.close();
    source = new EventSource(`/live?since=${since}`);
    heard = Date.now();
    source.addEventListener("alert", arrive);
    source.addEventListener("beat", live);
    source.addEventListener("ended", leave);
    source.onerror = lost;
  }

  function watch() {
    if (ended) return;
    const silent = Date.now() - heard > SILENT;
    if (silent) lost();
    if (source.readyState === EventSource.CLOSED) signedOut();
    if (silent || source.readyState === EventSource.CLOSED) connect();
  }

  // A stream that the server refused: perhaps nobody is signed in any more.
  async function signedOut() {
    try {
      if ((await post([])).status === 401) leave();
    } catch (error) {
      // The server is away; the stream tries again.
    }
  }

  function leave() {
    ended = true;
    source.close();
    state("off", "signed out");
    window.location.assign("/signin?then=/alerts");
  }

  function post(pseudonyms) {
    return fetch("/names", {
      method: "POST",
      headers: { accept: "application/json", "content-type": "application/json", "x-csrf-token": document.body.dataset.csrf },
      body: JSON.stringify({ pseudonyms }),
    });
  }

  held.addEventListener("click", () => {
    list.scrollTop = 0;
    if (getComputedStyle(list).overflowY !== "auto") window.scrollTo(0, 0);
    const first = [...waiting.keys()][0];
    show();
    const row = document.getElementById(first);
    if (row) row.querySelector("a").focus({ preventScroll: true });
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target !== pane) return;
    document.querySelector(".desk").classList.add("chosen");
    const article = pane.querySelector("[data-alert]");
    if (!article) return;
    for (const link of rows.querySelectorAll("a[aria-current]")) link.removeAttribute("aria-current");
    const row = document.getElementById(`alert-${article.dataset.alert}`);
    if (row) {
      row.querySelector("a").setAttribute("aria-current", "true");
      stale(row);
    }
    pane.scrollTop = 0;
    pane.querySelector("h1").focus({ preventScroll: true });
    if (getComputedStyle(list).display === "none") window.scrollTo(0, 0);
  });
  document.addEventListener("htmx:responseError", (event) => {
    if (event.detail.xhr.status !== 401) window.alert("That did not work. Load the page anew, then try again.");
  });
  document.addEventListener("htmx:sendError", lost);
  state("wait", "connecting");
  connect();
  after();
  setInterval(watch, AGAIN);
})();

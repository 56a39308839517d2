// Watchbill in the browser: live parts, keys, the palette. Every page works without it.
"use strict";

(() => {
  const LIVE = "[data-live-region]";
  const body = document.body;

  // Live: the stream says only that something changed; each live part then asks for itself, with the reader's rights.

  let waited = false;

  function listen(pause) {
    const stream = new EventSource("/live");
    let opened = false;
    stream.addEventListener("open", () => {
      if (opened || pause) changed();   // what happened while the line was down is not told again
      opened = true;
      pause = 0;
      lost(false);
    });
    stream.addEventListener("changed", changed);
    stream.addEventListener("error", () => {
      lost(true);
      if (stream.readyState !== EventSource.CLOSED) return;   // the browser tries again by itself
      const next = Math.min((pause || 1000) * 2, 30000);
      setTimeout(() => listen(next), next);
    });
    addEventListener("pagehide", () => stream.close(), { once: true });
  }

  let told = 0;
  let telling = 0;

  // At once, then at most once a second, and never without the last one: what changed within the second is shown after it.
  function changed() {
    if (document.hidden) { waited = true; return; }
    if (telling) return;
    telling = setTimeout(() => {
      telling = 0;
      told = performance.now();
      body.dispatchEvent(new Event("changed"));
    }, Math.max(0, told + 1000 - performance.now()));
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && waited) { waited = false; changed(); }
  });

  let lostTimer = 0;
  function lost(is) {
    clearTimeout(lostTimer);
    document.getElementById("lost")?.remove();
    if (!is) return;
    lostTimer = setTimeout(() => {
      const note = Object.assign(document.createElement("p"), { id: "lost", className: "notice warning" });
      note.setAttribute("role", "status");
      note.textContent = "Not live: the connection is lost. Trying again.";
      body.append(note);
    }, 4000);
  }

  // A refresh never takes away what somebody is typing, choosing or has ticked: it waits until they are done.

  function isBusy(region) {
    const active = document.activeElement;
    if (active && region.contains(active) && active.matches("input:not([type=hidden], [type=checkbox], [type=radio]), textarea, select")) return true;
    if (region.querySelector("a:active, button:active, summary:active")) return true;   // pressed, not yet let go
    return [...region.querySelectorAll("input, textarea, select")].some((field) =>
      field.type === "checkbox" || field.type === "radio" ? field.checked !== field.defaultChecked
        : field.tagName === "SELECT" ? [...field.options].some((o) => o.selected !== o.defaultSelected && [...field.options].some((d) => d.defaultSelected))
          : field.type !== "hidden" && field.value !== field.defaultValue);
  }

  let postponed = false;
  body.addEventListener("htmx:beforeRequest", (event) => {
    const region = event.target;
    if (!region.matches?.(LIVE) || !isBusy(region)) return;
    event.preventDefault();
    postponed = true;
  });
  for (const done of ["focusout", "change", "pointerup"]) {
    document.addEventListener(done, () => setTimeout(() => {
      if (!postponed || [...document.querySelectorAll(LIVE)].some(isBusy)) return;
      postponed = false;
      changed();
    }, 400));
  }

  const before = new Map();
  body.addEventListener("htmx:beforeSwap", (event) => {
    const region = event.detail.target;
    if (!region.matches?.(LIVE)) return;
    if (event.detail.xhr.status !== 200 || event.detail.xhr.responseURL.includes("/accounts/")) {
      event.detail.shouldSwap = false;   // signed out, or an error: keep what is on the page
      return;
    }
    if (isBusy(region)) {   // since it was asked for
      event.detail.shouldSwap = false;
      postponed = true;
      return;
    }
    before.set(region.id, {
      rows: new Set([...region.querySelectorAll("li[id]")].map((row) => row.id)),
      open: [...region.querySelectorAll("details[id]")].filter((d) => d.open).map((d) => d.id),
      at: region.querySelector("li.at")?.id,
      focus: region.contains(document.activeElement) && !document.activeElement.id
        ? [document.activeElement.closest("li[id]")?.id, document.activeElement.className] : [],
      scroll: [...region.querySelectorAll(".strip")].map((strip) => strip.scrollLeft),
    });
  });
  // Not afterSwap: until it settles, at once after that, htmx lends the new rows the old ones' attributes, and a class
  // that is given before would be taken back.
  body.addEventListener("htmx:afterSettle", (event) => {
    const was = before.get(event.detail.target.id);
    const region = document.getElementById(event.detail.target.id);
    if (!was || !region) return;
    before.delete(region.id);
    for (const row of region.querySelectorAll("li[id]")) {
      if (!was.rows.has(row.id)) row.classList.add("fresh");
      if (row.id === was.at) row.classList.add("at");
    }
    const [row, kind] = was.focus;
    if (row && kind && document.activeElement === body) {
      document.getElementById(row)?.querySelector(`.${kind.split(" ")[0]}`)?.focus({ preventScroll: true });
    }
    for (const id of was.open) { const d = document.getElementById(id); if (d) d.open = true; }
    region.querySelectorAll(".strip").forEach((strip, n) => { strip.scrollLeft = was.scroll[n] ?? 0; });
  });
  body.addEventListener("htmx:responseError", (event) => { if (event.target.matches?.(LIVE)) event.preventDefault(); });

  // A picture from the clipboard joins the files of its form.

  document.addEventListener("paste", (event) => {
    const field = event.target.closest?.("form")?.querySelector("input[type=file][data-paste]");
    const pasted = [...(event.clipboardData?.files ?? [])];
    if (!field || !pasted.length) return;
    event.preventDefault();
    const all = new DataTransfer();
    for (const file of [...field.files, ...pasted]) all.items.add(file);
    field.files = all.files;
    const folded = field.closest("details");
    if (folded) folded.open = true;
  });

  // Keys

  const GO = { n: "/", a: "/alerts/", i: "/incidents/", q: "/requests/", b: "/board/", r: "/rota/", s: "/services/", t: "/teams/", m: "/me/" };
  const KEYS = [
    ["/ or Ctrl K", "find anything"], ["?", "these keys"], ["j, k", "next row, row before"], ["Enter", "open the row"],
    ["a", "acknowledge or take the row, or what you look at"], ["g n", "Now"], ["g a", "Alerts"], ["g i", "Incidents"], ["g q", "Requests"],
    ["g b", "Board"], ["g r", "Rota"],
    ["g s", "Services"], ["g t", "Teams"], ["g m", "Me"], ["Esc", "close"],
  ];
  let going = -Infinity; // a key in the first moments of a page follows no "g"

  function isTyping(target) {
    return target.isContentEditable || target.matches?.("input:not([type=checkbox], [type=radio]), textarea, select");
  }

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") { event.preventDefault(); openPalette(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
    if (event.timeStamp - going < 1500 && GO[event.key]) { going = -Infinity; location.assign(GO[event.key]); return; }
    going = -Infinity;
    switch (event.key) {
      case "/": event.preventDefault(); openPalette(); break;
      case "?": openKeys(); break;
      case "g": going = event.timeStamp; break;
      case "j": move(1); break;
      case "k": move(-1); break;
      case "Enter": {
        const row = document.querySelector("[data-rows] > li.at");
        if (row && (event.target === body || event.target.id === "main")) row.querySelector("a.what")?.click();
        break;
      }
      case "a": {
        const row = document.querySelector("[data-rows] > li.at");
        (row ? row.querySelector('[data-key="a"]') : document.querySelector('.thumb [data-key="a"]'))?.click();
        break;
      }
    }
  });

  function move(by) {
    const rows = [...document.querySelectorAll("[data-rows] > li")];
    if (!rows.length) return;
    const now = rows.findIndex((row) => row.classList.contains("at"));
    const next = rows[Math.max(0, Math.min(rows.length - 1, now < 0 ? 0 : now + by))];
    rows.forEach((row) => row.classList.toggle("at", row === next));
    next.scrollIntoView({ block: "nearest" });
    next.querySelector("a.what")?.focus({ preventScroll: true });
  }

  function openKeys() {
    const dialog = document.getElementById("keys");
    if (!dialog) return;
    if (!dialog.firstChild) {
      const list = Object.assign(document.createElement("dl"), { className: "keys" });
      for (const [key, words] of KEYS) {
        const term = document.createElement("dt");
        term.append(Object.assign(document.createElement("kbd"), { textContent: key }));
        list.append(term, Object.assign(document.createElement("dd"), { textContent: words }));
      }
      const close = Object.assign(document.createElement("button"), { className: "button", textContent: "Close", type: "button" });
      close.addEventListener("click", () => dialog.close());
      dialog.append(Object.assign(document.createElement("h2"), { textContent: "Keys" }), list, close);
    }
    dialog.showModal();
  }

  // The palette: an htmx form in a dialog; arrows choose, Enter goes.

  function openPalette() {
    const dialog = document.getElementById("palette");
    if (!dialog) { location.assign("/find/"); return; }
    if (dialog.open) return;
    dialog.showModal();
    const field = dialog.querySelector("input");
    if (field) { field.select(); return; }
    window.htmx.ajax("GET", "/find/", { target: dialog, swap: "innerHTML" }).then(() => dialog.querySelector("input")?.focus());
  }

  document.getElementById("palette")?.addEventListener("keydown", (event) => {
    const links = [...event.currentTarget.querySelectorAll(".found a")];
    if (!links.length || !["ArrowDown", "ArrowUp", "Enter"].includes(event.key)) return;
    const now = links.findIndex((link) => link.classList.contains("at"));
    event.preventDefault();
    if (event.key === "Enter") { links[Math.max(now, 0)].click(); return; }
    const next = links[(now + (event.key === "ArrowDown" ? 1 : -1) + links.length) % links.length];
    links.forEach((link) => link.classList.toggle("at", link === next));
    next.scrollIntoView({ block: "nearest" });
    event.currentTarget.querySelector("input").setAttribute("aria-activedescendant", next.id);
  });
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  }

  // A copy button holds what it copies in data-copy.

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    navigator.clipboard?.writeText(button.dataset.copy).then(() => {
      const said = button.textContent;
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = said; }, 1500);
    });
  });

  if (body.dataset.live !== undefined) listen(0);
})();

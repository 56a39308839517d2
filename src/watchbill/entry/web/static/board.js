// Tickets: keys of their own, and cards that a mouse may drag. Every page works without it: a button stands behind each key.
"use strict";

(() => {
  let going = -Infinity; // a key in the first moments of a page follows no "g"

  function isTyping(target) {
    return target.isContentEditable || target.matches?.("input:not([type=checkbox], [type=radio]), textarea, select");
  }

  function row() {
    return document.activeElement?.closest?.("[data-rows] > li, [data-rows] > tr") ?? document.querySelector("[data-rows] > .at");
  }

  // A key presses the button that names it: the one of the card in focus, else one of the page.
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter" && event.target.matches?.("textarea")) {
      event.preventDefault();
      event.target.form?.requestSubmit();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (event.key === "?") { tellKeys(); return; }
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "g") { going = event.timeStamp; return; }
    if (event.timeStamp - going < 1500) return;
    const here = row();
    if (event.key === "e" && here) { here.querySelector("a.what")?.click(); return; }
    if (event.key === "x" && here) { here.querySelector("input[type=checkbox]")?.click(); return; }
    const name = `[data-press="${CSS.escape(event.key)}"]`;
    const button = here?.querySelector(name) ?? [...document.querySelectorAll(name)].find((one) => !one.closest("[data-rows]"));
    if (!button) return;
    event.preventDefault();
    if (button.matches("summary")) { button.parentElement.open = true; button.parentElement.querySelector("input:not([type=hidden]), textarea, select")?.focus(); return; }
    button.click();
  });

  // The card in focus is the one that keys mean.
  document.addEventListener("focusin", (event) => {
    const here = event.target.closest?.("[data-rows] > li, [data-rows] > tr");
    if (!here) return;
    for (const other of document.querySelectorAll("[data-rows] > .at")) other.classList.toggle("at", other === here);
    here.classList.add("at");
  });

  function tellKeys() {
    const dialog = document.getElementById("keys");
    const list = dialog?.querySelector("dl");
    const own = document.getElementById("page-keys");
    if (!list || !own || list.dataset.whole) return;
    list.dataset.whole = "yes";
    list.prepend(...own.cloneNode(true).children);
  }

  // After a move the board comes anew, and the focus stays on the card that was moved. Meanwhile it does not refresh itself.
  let moved = "";
  let moving = 0;
  let moves = 0;
  let known = 0; // of the moves, when the board last asked for itself
  let waits = false; // a refresh, until the last move is answered
  const asks = (event) => event.detail.requestConfig?.elt.id; // the form itself may be gone: its answer replaces it

  document.body.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target.id === "board" && moving) { event.preventDefault(); waits = true; return; }
    if (event.target.id === "board") known = moves;
    if (event.target.id !== "cards") return;
    moving += 1;
    moves += 1;
    moved = row()?.dataset.id ?? moved;
  });
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    // What was asked for before a move shows the board before it.
    if (asks(event) === "board" && known !== moves) event.detail.shouldSwap = false;
  });
  document.body.addEventListener("htmx:afterSettle", () => {
    // What was said stays when the board refreshes itself a moment later.
    const said = document.querySelector("[data-said]");
    if (said?.childElementCount) document.getElementById("board-said").replaceChildren(...said.children);
  });
  document.body.addEventListener("htmx:afterRequest", (event) => {
    if (asks(event) !== "cards") return;
    moving = Math.max(0, moving - 1);
    if (moving) return;
    const active = document.activeElement;
    if (active === document.body || active?.closest("#board")) document.getElementById(`open-${moved}`)?.focus();
    moved = "";
    if (waits) { waits = false; document.body.dispatchEvent(new Event("changed")); }
  });

  // Dragging: onto another column it moves, within one it is placed; both are forms that stand on the page.
  let dragged = null;

  document.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.(".card");
    if (!dragged || !document.querySelector(".board[data-may]")) { dragged = null; return; }
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", `T-${dragged.dataset.id}`);
    dragged.classList.add("dragged");
  });
  document.addEventListener("dragend", () => { dragged?.classList.remove("dragged"); clear(); dragged = null; });
  document.addEventListener("dragover", (event) => {
    const lane = dragged && event.target.closest?.(".lane");
    if (!lane) return;
    event.preventDefault();
    clear();
    lane.classList.add("over");
    if (lane === dragged.closest(".lane")) below(lane, event.clientY)?.classList.add("below");
  });
  document.addEventListener("drop", (event) => {
    const lane = dragged && event.target.closest?.(".lane");
    if (!lane) return;
    event.preventDefault();
    moved = dragged.dataset.id;
    if (lane !== dragged.closest(".lane")) press("/board/move/", { move: `${moved}:${lane.dataset.stage}` });
    else if (lane.dataset.stage !== "done") place(lane, event.clientY);
    clear();
  });

  function clear() {
    for (const one of document.querySelectorAll(".lane.over, .card.below")) one.classList.remove("over", "below");
  }

  function below(lane, y) {
    return [...lane.querySelectorAll(".card")].find((card) => {
      const box = card.getBoundingClientRect();
      return card !== dragged && y < box.top + box.height / 2;
    });
  }

  function place(lane, y) {
    const cards = [...lane.querySelectorAll(".card")].filter((card) => card !== dragged);
    const after = below(lane, y);
    const before = after ? cards[cards.indexOf(after) - 1] : cards.at(-1);
    press("/board/place/", { ticket: moved, before: before?.dataset.id ?? "", after: after?.dataset.id ?? "" });
  }

  function press(url, values) {
    const next = document.querySelector("#cards input[name=next]").value;
    window.htmx.ajax("POST", url, { source: "#cards", target: "#board", select: "#board", swap: "outerHTML", values: { ...values, next } });
  }

  document.body.addEventListener("pointerover", (event) => {
    const card = event.target.closest?.(".board[data-may] .card");
    if (card && matchMedia("(hover: hover)").matches) card.draggable = true;
  });
})();
